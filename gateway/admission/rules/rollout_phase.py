"""Is the country open yet? A country is planned, registered for, tested, then live (F-PHASE)."""

from functools import lru_cache

from gateway.admission.rules.ports import Closed, Open, RuleVerdict, SendFacts
from tenants.accounts.sending_rules import Rollout

_LIVE = Rollout()


def country_is_live(facts: SendFacts) -> RuleVerdict:
    """Refuse countries that are not there yet; while testing, let simulator and verified numbers pass."""
    country = facts.number.country
    phase = facts.plan.rollout.get(country, _LIVE).phase
    if phase == "live":
        return _live(country)
    if phase == "test":
        if facts.number.simulator or facts.verified:
            return Open(note=f"{country} is being tested and the number is a simulator's or verified")
        return Closed(
            code="destination_not_verified",
            detail=f"{country} is being tested: only simulator numbers and verified numbers are reached; "
            "POST /v1/verified-numbers verifies one",
        )
    return Closed(
        code="country_not_allowed",
        detail=f"{country} is in phase `{phase}`; its operator opens it when the sender is registered",
    )


@lru_cache(maxsize=512)
def _live(country: str) -> Open:
    return Open(note=f"{country} is live")
