"""
Admission while Redis is away: the same gates on the truth itself, less the rates.

What protects people and money stays closed (state, template, country, opt-out); the request rate, which
protects only us, is open, and each send costs a query. Pure; the caller has read Postgres a moment ago.
"""

from gateway.admission.policy import TenantPolicy
from gateway.admission.verdict import Admission, Admitted, GateName, Refused


def decide_without_redis(
    policy: TenantPolicy, admission: Admission, *, opted_out: bool
) -> Admitted | Refused:
    """
    Judge one message by a policy just read.

    Args:
        opted_out: Whether the recipient stands on one of the lists that forbid this message.
    """
    gate = _closed_gate(policy, admission, opted_out=opted_out)
    return Admitted(remaining=None, reset_ms=0) if gate is None else Refused(gate=gate)


def _closed_gate(policy: TenantPolicy, admission: Admission, *, opted_out: bool) -> GateName | None:
    gates: tuple[tuple[bool, GateName], ...] = (
        (policy.state != "active", "tenant_suspended"),
        (admission.live and not policy.live, "not_live"),
        (admission.template is None and not policy.free_text, "template_required"),
        (not _approved(policy, admission), "template_not_allowed"),
        (admission.country not in policy.countries, "country_not_allowed"),
        (opted_out, "opted_out"),
        (admission.estimated_wait_ms > admission.ttl_ms, "queue_full"),
    )
    return next((name for closed, name in gates if closed), None)


def _approved(policy: TenantPolicy, admission: Admission) -> bool:
    if admission.template is None:
        return True
    template_id, version = admission.template
    return version in policy.templates.get(template_id, frozenset())
