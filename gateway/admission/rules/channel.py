"""Is the channel switched on for the tenant (F-SET-CHAN)?"""

from gateway.admission.rules.ports import Closed, Open, RuleVerdict, SendFacts


def channel_is_on(facts: SendFacts) -> RuleVerdict:
    """Refuse a channel that the plan does not list."""
    if facts.channel in facts.plan.channels:
        return Open(note=f"{facts.channel} is switched on")
    return Closed(
        code="channel_disabled",
        field="/channel",
        detail=f"{facts.channel} is switched off for this tenant; its operator can switch it on",
    )
