"""The rules in the order in which a person would want to be told, and what they say together."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from gateway.admission.rules.channel import channel_is_on
from gateway.admission.rules.content import content_is_carried
from gateway.admission.rules.country_parameters import country_has_its_parameters
from gateway.admission.rules.ports import Closed, HeldUntil, Open, Rule, RuleName, RuleVerdict, SendFacts
from gateway.admission.rules.quiet_hours import quiet_hours
from gateway.admission.rules.rollout_phase import country_is_live
from gateway.admission.rules.verified_destination import account_reaches_it

RULES: Final[tuple[tuple[RuleName, Rule], ...]] = (
    ("channel", channel_is_on),
    ("rollout_phase", country_is_live),
    ("verified_destination", account_reaches_it),
    ("content", content_is_carried),
    ("country_parameters", country_has_its_parameters),
    ("quiet_hours", quiet_hours),
)


class RuleReport(Struct, frozen=True, kw_only=True):
    """What one rule said, for /explain."""

    rule: RuleName
    verdict: RuleVerdict


def judge(facts: SendFacts) -> Closed | datetime:
    """Return the first refusal, or the instant at which the message may leave: the asked one or later."""
    leaves_at = facts.leaves_at
    for _, rule in RULES:
        match rule(facts):
            case Open():
                continue
            case Closed() as closed:
                return closed
            case HeldUntil(at=at):
                leaves_at = max(leaves_at, at)
    return leaves_at


def reports(facts: SendFacts) -> list[RuleReport]:
    """Ask every rule, also after a refusal."""
    return [RuleReport(rule=name, verdict=rule(facts)) for name, rule in RULES]
