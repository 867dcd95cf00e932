"""
Which traffic is watched for SMS pumping, and how the script's findings are read.

The rules themselves are in `pumping.lua`; here a number becomes what they count by: its block of a thousand
(all digits but three) and its place in it. Pure.
"""

from typing import Final, Literal, get_args

from msgspec import Struct

from tenants.accounts.plan import Plan
from tenants.accounts.pumping_rules import Pumping
from tenants.countries.numbers import Number

PumpingRule = Literal["sequence", "prefix", "few_prefixes", "resend"]
_RULES: Final[tuple[PumpingRule, ...]] = get_args(PumpingRule)
_SUFFIX_DIGITS: Final = 3
_SANDBOX: Final = "test-"
HELD_LIVES_MS: Final = 1_801_000
"""How long the key of a tenant's holds lives after the newest: longer than any hold."""


class Hold(Struct, frozen=True, kw_only=True):
    """Where messages stop for a while, and why."""

    rule: PumpingRule
    scope: str
    """Digits that the numbers begin with, calling code included, or `recipient`."""
    until_ms: int
    """Unix milliseconds."""
    enforced: bool
    """False where it is only noted."""


class HeldPrefix(Struct, frozen=True, kw_only=True):
    """One hold, and the workflow whose messages it concerns."""

    workflow: str
    hold: Hold


class Watched(Struct, frozen=True):
    """How one message is watched."""

    workflow: str
    block: str
    enforced: bool
    probe: str
    """The argument of `pumping.lua`."""
    level: int = 0
    """How little is enough, from 0 to 3: see `gateway.admission.suspicion`."""


def read_rule(number: int) -> PumpingRule:
    """Return the rule behind its number in `pumping.lua`, which counts from 1."""
    return _RULES[number - 1]


def rule_number(rule: PumpingRule) -> int:
    """Return a rule's number in `pumping.lua`."""
    return _RULES.index(rule) + 1


def watch(
    plan: Plan, number: Number, *, message_type: str, template: str | None, live: bool, level: int = 0
) -> Watched | None:
    """
    Return how a message is watched, or None where it is not.

    AWS's simulator numbers and the plan's safe list are never watched. Test keys count apart from live ones.

    Args:
        template: Its name, where the message is one's.
        level: Of the country, for what the message costs.
    """
    rules = plan.pumping
    workflow, mode = rules.workflow_of(message_type, template)
    if mode == "off" or number.simulator or is_safe(rules, number):
        return None
    digits = number.e164.removeprefix("+")
    name = workflow if live else _SANDBOX + workflow
    resends = rules.resends_per_10_minutes if message_type == "otp" else 0
    probe = f"{mode[0]}|{name}|{digits[:-_SUFFIX_DIGITS]}|{digits[-_SUFFIX_DIGITS:]}|{resends}|{level}"
    return Watched(name, digits[:-_SUFFIX_DIGITS], mode == "enforce", probe, level)


def is_safe(rules: Pumping, number: Number) -> bool:
    """Return whether the plan's safe list has the number's country, or digits that it begins with."""
    return any(number.country == safe or number.e164.startswith(safe) for safe in rules.safe_list)
