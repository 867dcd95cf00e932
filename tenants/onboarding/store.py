"""The rows of onboardings."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.onboarding.models import Onboarding
from tenants.scope import TenantScope


async def get(scope: TenantScope, session: AsyncSession) -> Onboarding | None:
    """Return the tenant's onboarding, or None before the first answer."""
    return await session.get(Onboarding, scope.tenant_id)


async def locked(scope: TenantScope, session: AsyncSession) -> Onboarding:
    """Return the tenant's onboarding for a change, begun if there was none."""
    await session.execute(insert(Onboarding).values(tenant_id=scope.tenant_id).on_conflict_do_nothing())
    query = select(Onboarding).where(Onboarding.tenant_id == scope.tenant_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


async def page_of_all(
    session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Onboarding]:
    """Return up to `limit` onboardings of all tenants, by tenant; needs a worker's session."""
    query = select(Onboarding).order_by(Onboarding.tenant_id).limit(limit)
    if after is not None:
        query = query.where(Onboarding.tenant_id > after)
    return (await session.scalars(query)).all()
