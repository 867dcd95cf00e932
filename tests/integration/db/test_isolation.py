"""
Row-level security with the application's own filters removed.

The statements here are what a forgotten `where` would send: they name no tenant. The database alone has to
keep the neighbours apart, over every table that has a `tenant_id`.
"""

import asyncio
import random

import asyncpg
import pytest
from sqlalchemy import text

from gateway.db.engine import create_engine, create_pool
from gateway.db.transaction import tenant_transaction
from tenants.scope import TenantScope


@pytest.fixture(scope="module")
async def app_pool(database_url):
    """Two connections of the role that serves tenants, shared by everyone as a pooler would."""
    async with await create_pool(database_url, "app", size=2) as pool:
        yield pool


def owner_of(table):
    """The column that says whose row it is."""
    return "id" if table == "tenants" else "tenant_id"


async def speak_for(connection, tenant_id):
    """Say who this transaction is for, as `tenant_transaction` does."""
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id))


async def spoken(connection, tenant_id, statement, *values):
    """Run one statement in a transaction of one tenant."""
    async with connection.transaction():
        await speak_for(connection, tenant_id)
        await connection.execute(statement, *values)


async def readable(connection, table):
    """Whether the app may read the table at all."""
    return await connection.fetchval("SELECT has_table_privilege('tollgate_app', $1, 'SELECT')", table)


async def test_a_select_without_a_filter_reads_own_rows_only(app_pool, database, tenant_tables, neighbours):
    """Every table, every column, no predicate: one tenant is all there is."""
    seen = {}
    async with app_pool.acquire() as connection, connection.transaction():
        await speak_for(connection, neighbours[0])
        for table in tenant_tables:
            if await readable(database, table):
                rows = await connection.fetch(f"SELECT * FROM {table}")
                seen[table] = {row[owner_of(table)] for row in rows}
    assert seen, "there are tables to read"
    assert {table for table, owners in seen.items() if owners != {neighbours[0]}} == set()


async def test_what_the_app_cannot_read_is_what_it_has_no_business_with(database, tenant_tables):
    """The exceptions are named, so that a new table is a decision."""
    unreadable = [table for table in tenant_tables if not await readable(database, table)]
    assert unreadable == [
        "bulk_sender_ids",
        "console_invitations",
        "console_people",
        "console_sessions",
        "dispatch_queue",
        "feedback_orders",
        "inbound_replies",
        "inbox_items",
        "insight_marks",
        "intake_customers",
        "keyword_links",
        "opt_out_links",
        "provision_runs",
        "quarantined_messages",
        "relane_orders",
    ]


async def test_the_foreign_rows_are_there_for_those_who_may_see_them(worker_pool, tenant_tables, neighbours):
    """The test above would pass on empty tables; these are not empty."""
    for table in tenant_tables:
        owners = {row[0] for row in await worker_pool.fetch(f"SELECT {owner_of(table)} FROM {table}")}
        assert owners >= set(neighbours), table


async def test_without_a_tenant_nothing_is_readable(app_pool, database, tenant_tables, neighbours):
    """A transaction that forgot to say for whom sees an empty database."""
    async with app_pool.acquire() as connection:
        for table in tenant_tables:
            if await readable(database, table):
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table


@pytest.mark.parametrize("statement", ["UPDATE {table} SET {owner} = {owner}", "DELETE FROM {table}"])
async def test_a_change_without_a_filter_reaches_own_rows_only(
    app_pool, tenant_tables, neighbours, statement
):
    """Where the app may write at all, it writes inside the fence."""
    tried = 0
    async with app_pool.acquire() as connection:
        for table in tenant_tables:
            transaction = connection.transaction()
            await transaction.start()
            await speak_for(connection, neighbours[0])
            try:
                status = await connection.execute(statement.format(table=table, owner=owner_of(table)))
            except asyncpg.InsufficientPrivilegeError:
                continue
            except asyncpg.ForeignKeyViolationError:
                tried += 1
            else:
                assert int(status.rpartition(" ")[2]) <= 1, table
                tried += 1
            finally:
                await transaction.rollback()
    assert tried >= 3


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO templates (tenant_id, id, name) VALUES ($1, gen_random_uuid(), 'theirs')",
        "UPDATE templates SET tenant_id = $1",
    ],
)
async def test_a_row_cannot_be_written_for_a_neighbour(app_pool, neighbours, statement):
    """WITH CHECK: the tenant that speaks is the tenant that is written."""
    own, foreign = neighbours
    async with app_pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await spoken(connection, own, statement, foreign)


@pytest.mark.parametrize("role", ["app", "worker", "ingest"])
async def test_a_partition_cannot_be_read_past_its_table(database, database_url, neighbours, role):
    """The policies hang on the parent; whoever asks a partition directly gets nothing."""
    partitions = await database.fetch(
        "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY relname"
    )
    async with await create_pool(database_url, role, size=1) as pool, pool.acquire() as connection:
        for partition in partitions:
            async with connection.transaction():
                await speak_for(connection, neighbours[0])
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {partition['relname']}")


async def test_the_setting_ends_with_its_transaction(database_url, neighbours):
    """On one connection: the next transaction is nobody's until it says whose it is."""
    engine = create_engine(database_url, "app", pool_size=1)
    try:
        async with tenant_transaction(engine, TenantScope(tenant_id=neighbours[0])) as session:
            assert await session.scalar(text("SELECT count(*) FROM templates")) == 1
        async with engine.begin() as connection:
            assert await connection.scalar(text("SELECT current_setting('app.tenant_id', true)")) in {
                None,
                "",
            }
            assert await connection.scalar(text("SELECT count(*) FROM templates")) == 0
    finally:
        await engine.dispose()


async def test_a_failed_transaction_leaves_no_tenant_behind(app_pool, neighbours):
    """An error in the middle must not hand the connection on with its tenant."""
    async with app_pool.acquire() as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await spoken(connection, neighbours[0], "SELECT 1/0")
        assert await connection.fetchval("SELECT count(*) FROM templates") == 0


async def test_thousands_of_alternating_tenants_on_two_connections_never_meet(app_pool, neighbours):
    """64 tasks share two connections and ask 4,000 times; every answer is the asker's."""
    dice = random.Random(2)

    async def ask(times):
        for _ in range(times):
            tenant_id = dice.choice(neighbours)
            async with app_pool.acquire() as connection, connection.transaction():
                await speak_for(connection, tenant_id)
                rows = await connection.fetch("SELECT tenant_id FROM templates")
            assert [row["tenant_id"] for row in rows] == [tenant_id]

    await asyncio.gather(*(ask(4000 // 64 + 1) for _ in range(64)))
