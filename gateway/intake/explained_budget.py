"""The gate of monthly budgets, as an explanation shows it. Pure."""

from collections.abc import Sequence

from gateway.admission.verdict import Admission
from gateway.intake.explained_gate import ExplainedGate
from gateway.messages.view import timestamp
from tenants.budgets.budget import PLATFORM, Count, public_name, resets_at
from tenants.credits.money import amount_text


def budget_gate(admission: Admission, budgets: Sequence[tuple[Count, int]], *, unit: str) -> ExplainedGate:
    """
    Judge a send by each budget that it counts against; the first that it would pass closes the gate.

    Args:
        unit: The tenant's, `micros` or `credits`; the operator's own budgets are not shown to it.
    """
    if not admission.live:
        return ExplainedGate(
            gate="budget", verdict="open", input="test key", detail="a test message counts against no budget"
        )
    own = [count for count, _ in budgets if count.owner != PLATFORM]
    looked_at = ", ".join(public_name(count.name) for count in own) or "no budget of the tenant's"
    over = next(((count, used) for count, used in budgets if used + count.amount > count.cap), None)
    if over is None:
        return ExplainedGate(
            gate="budget", verdict="open", input=looked_at, detail="every monthly budget has room"
        )
    count, used = over
    detail = "the operator's budget for this month is used up"
    if count.owner != PLATFORM:
        spent, cap, needed = (amount_text(each, unit) for each in (used, count.cap, count.amount))
        detail = f"budget {public_name(count.name)} has used {spent} of {cap}; the message needs {needed}"
    return ExplainedGate(
        gate="budget",
        verdict="closed",
        input=looked_at,
        detail=detail,
        code="spend_limit_reached",
        opens_at=timestamp(resets_at(count.month)),
    )
