"""The audit trail: rows are added and read, never changed; no database role may do more."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit.models import AuditRow
from tenants.ids import encode, new_uuid
from tenants.scope import TenantScope

OPERATOR: Final = "operator"


def actor(scope: TenantScope) -> str:
    """Return who speaks: the public id of the API key or of the person, or else the operator."""
    if scope.person_id is not None:
        return encode("psn", scope.person_id)
    return OPERATOR if scope.key_id is None else encode("key", scope.key_id)


async def append(
    scope: TenantScope,
    session: AsyncSession,
    *,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
    by: str | None = None,
) -> None:
    """
    Note a change in the transaction that makes it.

    The action reads `thing.verb`, for example `template.approved`, and the subject is the public id of what
    was changed. The detail is what is worth knowing later: never a secret, a number or a text. `by` names
    who acts where neither a key nor the operator does.
    """
    session.add(
        AuditRow(
            tenant_id=scope.tenant_id,
            id=new_uuid(),
            actor=by or actor(scope),
            action=action,
            subject=subject,
            detail=detail or {},
        )
    )
    await session.flush()


async def append_all(
    scope: TenantScope,
    session: AsyncSession,
    *,
    action: str,
    subjects: Sequence[str],
    detail: dict[str, Any],
    by: str | None = None,
) -> None:
    """Note the same change of many things at once, a row for each, as `append` does for one."""
    who = by or actor(scope)
    session.add_all(
        AuditRow(
            tenant_id=scope.tenant_id, id=new_uuid(), actor=who, action=action, subject=subject, detail=detail
        )
        for subject in subjects
    )
    await session.flush()


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[AuditRow]:
    """Return up to `limit` rows of the tenant, newest first, from the one below `after` on."""
    query = select(AuditRow).where(AuditRow.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(AuditRow.id < after)
    return (await session.scalars(query.order_by(AuditRow.id.desc()).limit(limit))).all()
