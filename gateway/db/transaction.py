"""One transaction per request, opened at the edge, with the tenant set for row-level security."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.db.faults import of_the_moment
from tenants.scope import TenantScope

_SET_TENANT = text("SELECT set_config('app.tenant_id', :tenant_id, true)")


@asynccontextmanager
async def tenant_transaction(engine: AsyncEngine, scope: TenantScope) -> AsyncGenerator[AsyncSession]:
    """Open a transaction in which only the rows of `scope` exist; commits on exit, rolls back on error."""
    with _in_the_drivers_words():
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            await session.execute(_SET_TENANT, {"tenant_id": str(scope.tenant_id)})
            yield session


@asynccontextmanager
async def worker_transaction(engine: AsyncEngine) -> AsyncGenerator[AsyncSession]:
    """Open a transaction of the worker's or the operator's; the engine's role decides what it may touch."""
    with _in_the_drivers_words():
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session


@contextmanager
def _in_the_drivers_words() -> Generator[None]:
    """
    Raise what the driver said where Postgres is away: one of `DATABASE_FAULTS`.

    SQLAlchemy's wrapping hides it from the loops that wait for Postgres to come back: one ended of it. So
    does its own word for a pool that had no connection free in time.
    """
    try:
        yield
    except NoConnectionFree as error:
        raise TimeoutError("no connection to Postgres was free in time") from error
    except DBAPIError as error:
        if (said := of_the_moment(error)) is None:
            raise
        raise said from None
