"""Why a send would go the way it would: the answer of `/v1/messages/explain`. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.intake.estimating import estimate_of
from gateway.intake.explained_gate import ExplainedGate
from gateway.intake.explained_gates import refusal
from gateway.intake.outcome import Estimate
from gateway.intake.prepare import Draft
from gateway.intake.snapshot import TenantSnapshot
from gateway.routing.candidates import Candidate
from gateway.routing.facts import SenderFact
from tenants.ids import encode


class ExplainedCandidate(Struct, frozen=True, kw_only=True):
    """One of the tenant's senders, and what the choice made of it."""

    sender: str
    """`idn_…`."""
    type: str
    value: str
    country: str
    account: str
    """`acc_…`: the AWS account that holds it."""
    region: str | None
    """None where the account is not among the tenant's routes."""
    taken: bool
    reason: str
    """`fits`, or why it was passed over; a stable word."""
    detail: str
    group: int
    """Candidates of one group are equals: the one with the shortest line is chosen."""


class Explanation(Struct, frozen=True, kw_only=True):
    """What would become of a send; nothing is stored, held or counted."""

    type: str
    accepted: bool
    """Whether the same send would be taken now."""
    refused_with: str | None
    """The problem code it would be refused with: that of the first closed gate."""
    gates: tuple[ExplainedGate, ...]
    """Every gate, in the order in which a send meets them."""
    estimate: Estimate
    sender: str | None
    """`idn_…` of the one that would carry it; None where none may, or for the sandbox's own."""
    estimated_wait_ms: int | None
    candidates: tuple[ExplainedCandidate, ...]
    """All of the tenant's senders, best first."""


def explain(
    snapshot: TenantSnapshot,
    draft: Draft,
    candidates: Sequence[Candidate],
    *,
    chosen: SenderFact | None,
    wait_ms: int | None,
    gates: Sequence[ExplainedGate],
    amount: int,
    included: int,
) -> Explanation:
    """Lay out the gates and the choice of the sender; `amount` and `included` are the estimate's."""
    refused_with = refusal(gates)
    return Explanation(
        type=draft.type,
        accepted=refused_with is None,
        refused_with=refused_with,
        gates=tuple(gates),
        estimate=estimate_of(draft, amount=amount, included=included),
        sender=None if chosen is None else encode("idn", chosen.id),
        estimated_wait_ms=wait_ms,
        candidates=tuple(_explained(snapshot, candidate) for candidate in candidates),
    )


def _explained(snapshot: TenantSnapshot, candidate: Candidate) -> ExplainedCandidate:
    sender = candidate.sender
    route = snapshot.routing.routes.get(sender.account_id)
    return ExplainedCandidate(
        sender=encode("idn", sender.id),
        type=sender.type,
        value=sender.value,
        country=sender.country,
        account=encode("acc", sender.account_id),
        region=None if route is None else route.region,
        taken=candidate.taken,
        reason=candidate.reason,
        detail=candidate.detail,
        group=candidate.group,
    )
