"""A transaction tells of a Postgres that is away in the words that loops and edges wait for."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.db.engine import create_engine
from gateway.db.faults import DATABASE_FAULTS, of_the_moment
from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.ids import new_uuid
from tenants.scope import TenantScope

_PID = text("SELECT pg_backend_pid()")


def opened(engine, role):
    """A transaction of either kind."""
    if role == "app":
        return tenant_transaction(engine, TenantScope(tenant_id=new_uuid()))
    return worker_transaction(engine)


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_a_connection_that_is_ended_is_a_fault_of_the_database(database_url, database, role):
    """Hidden in SQLAlchemy's own error, it ended the loops that were to wait for Postgres."""
    engine = create_engine(database_url, role, pool_size=1)

    async def ended_midway():
        async with opened(engine, role) as session:
            await database.execute("SELECT pg_terminate_backend($1)", await session.scalar(_PID))
            await session.execute(_PID)

    with pytest.raises(DATABASE_FAULTS):
        await ended_midway()
    async with opened(engine, role) as session:
        assert await session.scalar(_PID)
    await engine.dispose()


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_a_pool_without_a_free_connection_is_a_fault_of_the_database(database_url, role):
    """SQLAlchemy has an error of its own for it, which is no fault of the driver; it ended loops, too."""
    engine = create_engine(database_url, role, pool_size=1)
    engine.pool._timeout = 0.05

    async def all_taken():
        async with opened(engine, role) as first, opened(engine, role) as second:
            await first.scalar(_PID)
            await second.scalar(_PID)
            async with opened(engine, role) as third:
                await third.scalar(_PID)

    with pytest.raises(DATABASE_FAULTS):
        await all_taken()
    await engine.dispose()


def wrapped(said):
    """As SQLAlchemy wraps an error of the driver."""
    orig = Exception(str(said))
    orig.__cause__ = said
    return DBAPIError("SELECT 1", {}, orig)


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        (asyncpg.CannotConnectNowError("the database system is in recovery mode"), True),
        (asyncpg.TooManyConnectionsError("no place is left"), True),
        (asyncpg.ReadOnlySQLTransactionError("a standby"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (ConnectionResetError(104, "reset"), True),
        (asyncpg.UniqueViolationError("it is there"), False),
        (asyncpg.PostgresSyntaxError("what?"), False),
        (asyncpg.exceptions._base.DataError("not a number"), False),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_passes_by_itself_is_told_from_what_does_not(said, passes):
    """A Postgres that recovers from a crash says so to whoever connects."""
    assert of_the_moment(wrapped(said)) is (said if passes else None)


async def test_what_is_wrong_with_a_statement_stays_sqlalchemys(worker_engine):
    """It is no fault that passes, and nobody shall wait for its end."""
    for statement in ("SELECT 1 / 0", "SELECT nothing", "SELECT CAST('x' AS integer)"):
        with pytest.raises(DBAPIError):
            await run(worker_engine, statement)


async def run(engine, statement):
    """Run a statement in a transaction."""
    async with worker_transaction(engine) as session:
        await session.execute(text(statement))
