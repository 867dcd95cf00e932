"""Queries on verified numbers; each takes the tenant first."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.scope import TenantScope
from tenants.verification.models import VerifiedNumber


async def get(
    scope: TenantScope, session: AsyncSession, number_id: UUID, *, test: bool, locked: bool = False
) -> VerifiedNumber | None:
    """Return a number of one mode that was not removed, or None if it is absent or someone else's."""
    query = select(VerifiedNumber).where(
        VerifiedNumber.tenant_id == scope.tenant_id,
        VerifiedNumber.id == number_id,
        VerifiedNumber.test == test,
        VerifiedNumber.state != "removed",
    )
    return await session.scalar(query.with_for_update() if locked else query)


async def by_recipient(
    scope: TenantScope, session: AsyncSession, recipient_hash: bytes, *, test: bool
) -> VerifiedNumber | None:
    """Return the row of a recipient, removed or not, locked."""
    query = select(VerifiedNumber).where(
        VerifiedNumber.tenant_id == scope.tenant_id,
        VerifiedNumber.recipient_hash == recipient_hash,
        VerifiedNumber.test == test,
    )
    return await session.scalar(query.with_for_update())


async def count(scope: TenantScope, session: AsyncSession, *, test: bool) -> int:
    """Return how many numbers the tenant has in a mode."""
    query = select(func.count()).where(
        VerifiedNumber.tenant_id == scope.tenant_id,
        VerifiedNumber.test == test,
        VerifiedNumber.state != "removed",
    )
    return await session.scalar(query) or 0


async def page(
    scope: TenantScope, session: AsyncSession, *, test: bool, limit: int, after: UUID | None = None
) -> Sequence[VerifiedNumber]:
    """Return up to `limit` numbers of one mode, the newest first."""
    query = select(VerifiedNumber).where(
        VerifiedNumber.tenant_id == scope.tenant_id,
        VerifiedNumber.test == test,
        VerifiedNumber.state != "removed",
    )
    if after is not None:
        query = query.where(VerifiedNumber.id < after)
    return (await session.scalars(query.order_by(VerifiedNumber.id.desc()).limit(limit))).all()


async def proven(scope: TenantScope, session: AsyncSession) -> Sequence[VerifiedNumber]:
    """Return every number whose code was given back, of both modes; what sends are judged by."""
    query = select(VerifiedNumber).where(
        VerifiedNumber.tenant_id == scope.tenant_id, VerifiedNumber.state == "verified"
    )
    return (await session.scalars(query)).all()


async def set_aws_id(scope: TenantScope, session: AsyncSession, number_id: UUID, aws_id: str) -> None:
    """Note which entry at AWS is this one; a second row with that entry is refused by the index."""
    owned = (VerifiedNumber.tenant_id == scope.tenant_id) & (VerifiedNumber.id == number_id)
    await session.execute(update(VerifiedNumber).where(owned).values(aws_id=aws_id))


async def drop(scope: TenantScope, session: AsyncSession, number_id: UUID) -> None:
    """Delete a row that was removed."""
    await session.execute(
        delete(VerifiedNumber).where(
            VerifiedNumber.tenant_id == scope.tenant_id,
            VerifiedNumber.id == number_id,
            VerifiedNumber.state == "removed",
        )
    )
