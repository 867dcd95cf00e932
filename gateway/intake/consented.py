"""
Has the person agreed? Asked of Postgres itself, and only for types that the tenant's plan names.

A consent that was withdrawn counts no more from its commit on, and one that was given counts at once: no copy
lies between. Tenants whose plan asks for no consent pay nothing for the question.
"""

from typing import Final

import asyncpg

from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import Unavailable
from gateway.intake.explained_gate import ExplainedGate
from gateway.intake.outcome import Declined
from tenants.accounts.plan import Plan
from tenants.scope import TenantScope

_CONSENTED: Final = """
    SELECT EXISTS (SELECT FROM consents WHERE tenant_id = $1 AND test = $2 AND recipient_hash = $3
        AND message_type = $4 AND state = 'granted')
"""
_DETAIL: Final = (
    "the plan asks for a consent to {type} messages and the number has given none that holds; "
    "POST /v1/consents writes one down"
)


async def without_consent(
    pool: "asyncpg.Pool[asyncpg.Record]",
    scope: TenantScope,
    plan: Plan,
    *,
    message_type: str,
    recipient_hash: bytes,
) -> Declined | None:
    """
    Return the refusal of a message that needs a consent and has none; None where it may go on.

    Raises:
        Unavailable: Postgres does not answer.
    """
    if message_type not in plan.consent_required:
        return None
    try:
        arguments = (scope.tenant_id, not scope.live, recipient_hash, message_type)
        found: bool = await pool.fetchval(_CONSENTED, *arguments)
    except DATABASE_FAULTS as error:
        raise Unavailable("consents could not be asked", retry_after_ms=1000) from error
    return None if found else Declined(code="consent_required", detail=_DETAIL.format(type=message_type))


def consent_gate(plan: Plan, message_type: str, refused: Declined | None) -> ExplainedGate:
    """Return what the question says in an explanation."""
    looked_at = f"type {message_type}"
    if refused is not None:
        return ExplainedGate(
            gate="consent", verdict="closed", input=looked_at, detail=refused.detail, code=refused.code
        )
    asked = message_type in plan.consent_required
    good = "the number has given its consent" if asked else "the plan asks for no consent to this type"
    return ExplainedGate(gate="consent", verdict="open", input=looked_at, detail=good)
