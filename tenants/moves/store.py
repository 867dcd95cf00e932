"""The rows of moves."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.moves.models import Move
from tenants.scope import TenantScope


async def get(scope: TenantScope, session: AsyncSession) -> Move | None:
    """Return the tenant's move, or None where nothing was planned yet."""
    return await session.get(Move, scope.tenant_id)


async def locked(scope: TenantScope, session: AsyncSession) -> Move:
    """Return the tenant's move for a change, begun if there was none."""
    await session.execute(insert(Move).values(tenant_id=scope.tenant_id).on_conflict_do_nothing())
    query = select(Move).where(Move.tenant_id == scope.tenant_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one()
