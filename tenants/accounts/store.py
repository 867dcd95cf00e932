"""Queries on tenants. The operator's reads across tenants say so in their names."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.models import Tenant
from tenants.scope import TenantScope


async def get(scope: TenantScope, session: AsyncSession) -> Tenant | None:
    """Return the tenant of the scope, or None if there is no such tenant."""
    return await session.scalar(select(Tenant).where(Tenant.id == scope.tenant_id))


async def of_each(session: AsyncSession, tenant_ids: Collection[UUID]) -> dict[UUID, Tenant]:
    """Return those of the tenants that exist, in one query."""
    rows = await session.scalars(select(Tenant).where(Tenant.id.in_(tenant_ids)))
    return {row.id: row for row in rows}


async def lock(scope: TenantScope, session: AsyncSession) -> Tenant | None:
    """Return the tenant as it stands now, locked until the transaction ends."""
    query = select(Tenant).where(Tenant.id == scope.tenant_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def page_of_all(session: AsyncSession, *, limit: int, after: UUID | None = None) -> Sequence[Tenant]:
    """Return up to `limit` tenants, oldest first, from the one after `after` on; the operator's list."""
    query = select(Tenant).order_by(Tenant.id).limit(limit)
    if after is not None:
        query = query.where(Tenant.id > after)
    return (await session.scalars(query)).all()


async def with_slug(session: AsyncSession, slug: str) -> Tenant | None:
    """Return the tenant that has taken a slug; the operator's look-up."""
    return await session.scalar(select(Tenant).where(Tenant.slug == slug))
