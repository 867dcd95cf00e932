"""
Every gate of a send, what it looked at and what it says: the list in `/v1/messages/explain`. Pure.

A send is told of the first closed gate only; who mends one thing wants to know of the next at once. So here
all of them are asked, in the order in which a send meets them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from gateway.admission.fallback import protected
from gateway.admission.peeking import Peek
from gateway.admission.policy import TenantPolicy
from gateway.admission.rules.judging import RuleReport
from gateway.admission.rules.ports import Closed, HeldUntil, Open
from gateway.admission.verdict import Admission
from gateway.intake.explained_budget import budget_gate
from gateway.intake.explained_counters import daily_cap_gate, pumping_gate, rate_gates
from gateway.intake.explained_gate import ExplainedGate
from gateway.intake.outcome import Declined
from gateway.messages.view import timestamp
from tenants.budgets.budget import Count
from tenants.credits.money import amount_text
from tenants.credits.pricing import Quote
from tenants.ids import encode
from tenants.protection.precedence import OverrideAction


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the gates need beside the tenant's policy, read for this one explanation."""

    now: datetime
    opted_out: bool
    override: OverrideAction | None = None
    """What the protect configuration says of the number now."""
    counters: Peek | None
    """None where Redis does not answer or does not know the tenant."""
    available: int
    """What the tenant may spend, in the unit of its plan."""
    budgets: Sequence[tuple[Count, int]] = ()
    """Each monthly budget that the send counts against, the tenant's first, and what is used."""


def gates_of(
    policy: TenantPolicy,
    admission: Admission,
    around: Surroundings,
    *,
    quote: Quote,
    no_sender: Declined | None = None,
    rules: Sequence[RuleReport] = (),
    consent: Sequence[ExplainedGate] = (),
) -> list[ExplainedGate]:
    """
    Ask every gate, in the order in which a send meets them.

    Args:
        no_sender: What a send is told where none of the tenant's senders may carry it.
    """
    return [
        *_of_policy(policy, admission),
        _sender(admission, no_sender),
        *(_of_rule(report) for report in rules),
        *consent,
        _opt_out(admission, around),
        _protect(policy, admission, around),
        pumping_gate(admission, around.counters, around.now),
        *rate_gates(policy, admission, around.counters, around.now),
        _queue(admission, around),
        daily_cap_gate(policy, admission, around.counters, around.now),
        budget_gate(admission, around.budgets, unit=quote.unit),
        _money(admission, around, quote),
    ]


def refusal(gates: Sequence[ExplainedGate]) -> str | None:
    """Return the code that a send would be refused with: that of the first closed gate."""
    return next((gate.code for gate in gates if gate.verdict == "closed"), None)


def _judged(gate: str, looked_at: str, *, closed: bool, code: str, detail: str, good: str) -> ExplainedGate:
    if closed:
        return ExplainedGate(gate=gate, verdict="closed", input=looked_at, detail=detail, code=code)
    return ExplainedGate(gate=gate, verdict="open", input=looked_at, detail=good)


def _sender(admission: Admission, refused: Declined | None) -> ExplainedGate:
    looked_at = f"country {admission.country}"
    if refused is None:
        return ExplainedGate(gate="sender", verdict="open", input=looked_at, detail="a sender may carry it")
    detail = f"{refused.detail}; `candidates` says why of each"
    return ExplainedGate(gate="sender", verdict="closed", input=looked_at, detail=detail, code=refused.code)


def _of_policy(policy: TenantPolicy, admission: Admission) -> Iterator[ExplainedGate]:
    yield _judged(
        "tenant_state",
        f"state {policy.state}",
        closed=policy.state != "active",
        code="tenant_suspended",
        detail="the tenant is not active; its operator can resume it",
        good="the tenant is active",
    )
    yield _judged(
        "mode",
        f"{'live' if admission.live else 'test'} key",
        closed=admission.live and not policy.live,
        code="not_live",
        detail="the tenant is not live yet; only test keys may send",
        good="the key may send",
    )
    yield _template(policy, admission)
    yield _judged(
        "country",
        f"country {admission.country}",
        closed=admission.country not in policy.countries,
        code="country_not_allowed",
        detail=f"{admission.country} is not among the tenant's {len(policy.countries)} countries",
        good=f"{admission.country} is on the tenant's list",
    )


def _template(policy: TenantPolicy, admission: Admission) -> ExplainedGate:
    if admission.template is None:
        return _judged(
            "template",
            "free text",
            closed=not policy.free_text,
            code="template_required",
            detail="this tenant sends approved templates only",
            good="the tenant may send free text",
        )
    template_id, version = admission.template
    return _judged(
        "template",
        f"version {version}",
        closed=version not in policy.templates.get(template_id, frozenset()),
        code="template_not_allowed",
        detail="this version of the template is not approved (any more)",
        good="the version is approved",
    )


def _opt_out(admission: Admission, around: Surroundings) -> ExplainedGate:
    return _judged(
        "opt_out",
        f"lists {', '.join(admission.use_cases)}",
        closed=around.opted_out,
        code="opted_out",
        detail="the recipient has opted out; only the person can opt in again",
        good="the recipient is on none of these lists",
    )


def _protect(policy: TenantPolicy, admission: Admission, around: Surroundings) -> ExplainedGate:
    configuration = "no configuration" if admission.protect is None else encode("prc", admission.protect)
    closed = protected(policy, admission, around.override)
    by_number = closed is not None and closed.scope == "number_override"
    return _judged(
        "protect",
        f"{configuration}, {admission.channel} to {admission.country}",
        closed=closed is not None,
        code="protect_blocked",
        detail="an override blocks this number" if by_number else f"a rule blocks {admission.country}",
        good="an override allows this number" if around.override else "no rule blocks it",
    )


def _queue(admission: Admission, around: Surroundings) -> ExplainedGate:
    looked_at = f"wait {admission.estimated_wait_ms} ms, life {admission.ttl_ms} ms"
    too_long = admission.estimated_wait_ms - admission.ttl_ms
    if too_long <= 0:
        return ExplainedGate(
            gate="queue", verdict="open", input=looked_at, detail="it leaves before its life ends"
        )
    return ExplainedGate(
        gate="queue",
        verdict="closed",
        input=looked_at,
        detail="what goes before it at this sender takes longer than the message would live",
        code="queue_full",
        opens_at=timestamp(around.now + timedelta(milliseconds=too_long)),
    )


def _money(admission: Admission, around: Surroundings, quote: Quote) -> ExplainedGate:
    if not admission.live:
        return ExplainedGate(
            gate="balance", verdict="open", input="test key", detail="a test message costs nothing"
        )
    return _judged(
        "balance",
        f"needs {amount_text(quote.amount, quote.unit)}",
        closed=around.available < quote.amount,
        code="insufficient_credits",
        detail=f"{amount_text(around.available, quote.unit)} are available",
        good=f"{amount_text(around.available, quote.unit)} are available",
    )


def _of_rule(report: RuleReport) -> ExplainedGate:
    looked_at = f"rule {report.rule}"
    match report.verdict:
        case Open(note=note):
            return ExplainedGate(gate=report.rule, verdict="open", input=looked_at, detail=note)
        case HeldUntil(at=at, note=note):
            return ExplainedGate(
                gate=report.rule, verdict="held", input=looked_at, detail=note, opens_at=timestamp(at)
            )
        case Closed(code=code, detail=detail, opens_at=at):
            return ExplainedGate(
                gate=report.rule,
                verdict="closed",
                input=looked_at,
                detail=detail,
                code=code,
                opens_at=timestamp(at),
            )
