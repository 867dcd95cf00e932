"""Is the channel switched on for the tenant (F-SET-CHAN)?"""

from functools import lru_cache

from gateway.admission.rules.ports import Closed, Open, RuleVerdict, SendFacts
from tenants.accounts.plan import Plan


def channel_is_on(facts: SendFacts) -> RuleVerdict:
    """Refuse a channel that the plan does not list."""
    return channel_fault(facts.plan, facts.channel) or _on(facts.channel)


@lru_cache(maxsize=8)
def _on(channel: str) -> Open:
    return Open(note=f"{channel} is switched on")


def channel_fault(plan: Plan, channel: str) -> Closed | None:
    """Return the refusal of a channel that is switched off; also asked before anything else of a send is."""
    if channel in plan.channels:
        return None
    return Closed(
        code="channel_disabled",
        field="/channel",
        detail=f"{channel} is switched off for this tenant; its operator can switch it on",
    )
