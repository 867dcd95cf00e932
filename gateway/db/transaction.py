"""One transaction per request, opened at the edge, with the tenant set for row-level security."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from tenants.scope import TenantScope

_SET_TENANT = text("SELECT set_config('app.tenant_id', :tenant_id, true)")


@asynccontextmanager
async def tenant_transaction(engine: AsyncEngine, scope: TenantScope) -> AsyncGenerator[AsyncSession]:
    """Open a transaction in which only the rows of `scope` exist; commits on exit, rolls back on error."""
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        await session.execute(_SET_TENANT, {"tenant_id": str(scope.tenant_id)})
        yield session


@asynccontextmanager
async def worker_transaction(engine: AsyncEngine) -> AsyncGenerator[AsyncSession]:
    """Open a transaction of the worker's or the operator's; the engine's role decides what it may touch."""
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        yield session
