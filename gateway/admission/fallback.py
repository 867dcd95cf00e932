"""
Admission while Redis is away: the same gates on the truth itself, less the rates.

What protects people and money stays closed (state, template, country, opt-out, protect rules); the rates,
which protect only us, are open, and each send costs a query. Pure; the caller has read Postgres just now.
"""

from gateway.admission.policy import TenantPolicy, protect_block
from gateway.admission.verdict import Admission, Admitted, GateName, Refused, Scope
from tenants.protection.precedence import OverrideAction


def decide_without_redis(
    policy: TenantPolicy, admission: Admission, *, opted_out: bool, override: OverrideAction | None = None
) -> Admitted | Refused:
    """
    Judge one message by a policy just read.

    Args:
        opted_out: Whether the recipient stands on one of the lists that forbid this message.
        override: What the protect configuration says of the recipient now; None for nothing.
    """
    gate = closed_gate(policy, admission, opted_out=opted_out)
    if gate is None:
        return protected(policy, admission, override) or _fits(admission)
    return Refused(gate=gate)


def closed_gate(policy: TenantPolicy, admission: Admission, *, opted_out: bool) -> GateName | None:
    """Name the first gate that tenant, template, country or recipient close; None for none."""
    gates: tuple[tuple[bool, GateName], ...] = (
        (policy.state != "active", "tenant_suspended"),
        (admission.live and not policy.live, "not_live"),
        (admission.template is None and not policy.free_text, "template_required"),
        (not _approved(policy, admission), "template_not_allowed"),
        (admission.country not in policy.countries, "country_not_allowed"),
        (opted_out, "opted_out"),
    )
    return next((name for closed, name in gates if closed), None)


def protected(policy: TenantPolicy, admission: Admission, override: OverrideAction | None) -> Refused | None:
    """Judge a destination by protect rules alone; None lets it pass."""
    if admission.protect is None or override == "ALWAYS_ALLOW":
        return None
    rule: Scope | None = "number_override" if override == "ALWAYS_BLOCK" else None
    if protect_block(admission.protect, admission.channel, admission.country) in policy.protect_blocks:
        rule = rule or "country_rule"
    return None if rule is None else Refused(gate="protect_blocked", scope=rule)


def _fits(admission: Admission) -> Admitted | Refused:
    longer_ms = admission.estimated_wait_ms - admission.ttl_ms
    if longer_ms > 0:
        return Refused(gate="queue_full", retry_after_ms=longer_ms)
    return Admitted(remaining=None, reset_ms=0)


def _approved(policy: TenantPolicy, admission: Admission) -> bool:
    if admission.template is None:
        return True
    template_id, version = admission.template
    return version in policy.templates.get(template_id, frozenset())
