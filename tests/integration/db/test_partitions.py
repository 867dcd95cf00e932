"""Old months of what nobody reads are dropped by the scheduler's keeper; the books never are."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gateway.db.partitions import Partitions

DROPPED = ("events", "webhook_deliveries", "webhook_attempts")
BOOKS = ("messages", "provider_messages", "receipts", "ledger_transfers")
MONTHS = 8


@pytest.fixture
async def old_months(database):
    """Months back to eight ago, as a platform has them that has run for so long; their names, by table."""
    made = {}
    this = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for table in (*DROPPED, *BOOKS):
        made[table], month = [], this
        for _ in range(MONTHS):
            month_end, month = month, (month - timedelta(days=1)).replace(day=1)
            name = f"{table}_{month:%Y%m}"
            made[table].append((name, month_end))
            await database.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} "
                f"FOR VALUES FROM ('{month.isoformat()}') TO ('{month_end.isoformat()}')"
            )
    return made


async def there(database, table):
    """The names of the table's partitions."""
    query = (
        "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = $1::regclass"
    )
    return {row["relname"] for row in await database.fetch(query, table)}


async def test_months_older_than_the_setting_go_and_the_books_stay(database, worker_pool, old_months):
    """By the worker's own role, which owns none of the tables; a second round finds nothing to do."""
    now = datetime.now(UTC)
    kept = {table: timedelta(days=90) for table in DROPPED}
    keeper = Partitions(worker_pool, kept)
    assert await keeper.keep(now) > 0
    for table in DROPPED:
        left = await there(database, table)
        for name, month_end in old_months[table]:
            assert (name in left) is (month_end > now - timedelta(days=90)), name
    for table in BOOKS:
        assert {name for name, _ in old_months[table]} <= await there(database, table)
    assert await keeper.keep(now) == 0


async def test_no_table_but_these_can_be_shortened_and_none_below_a_month(worker_pool):
    """Whatever a build asks for: the database refuses."""
    ask = "SELECT tollgate_drop_partitions($1, $2)"
    long_ago = datetime.now(UTC) - timedelta(days=400)
    for table in BOOKS:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker_pool.fetchval(ask, table, long_ago)
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await worker_pool.fetchval(ask, "events", datetime.now(UTC) - timedelta(days=30))


async def test_a_month_that_somebody_reads_is_left_to_a_later_round(database, worker_pool, old_months):
    """A drop that waits for a long query would hold up every send behind it."""
    now = datetime.now(UTC)
    keeper = Partitions(worker_pool, {"events": timedelta(days=90)})
    async with database.acquire() as reader:
        reading = reader.transaction()
        await reading.start()
        await reader.execute("SELECT count(*) FROM events")
        async with asyncio.timeout(60):
            assert await keeper.keep(now) == 0
        await reading.rollback()
    assert await keeper.keep(now) > 0


async def test_a_month_to_come_waits_for_no_reader_and_no_send_waits_for_it(
    database, worker_pool, old_months
):
    """A new partition locks its table: behind an export of minutes it would hold up every write till then."""
    keeper = Partitions(worker_pool, {"events": timedelta(days=90)})
    await keeper.keep(datetime.now(UTC))
    last = max(await there(database, "messages"))
    await database.execute(f"DROP TABLE {last}")
    async with database.acquire() as reader:
        reading = reader.transaction()
        await reading.start()
        await reader.execute("SELECT count(*) FROM messages")
        async with asyncio.timeout(30):
            await keeper.keep(datetime.now(UTC))
            await database.execute("DELETE FROM messages WHERE false")
        await reading.rollback()
    assert last not in await there(database, "messages")
    assert not {
        name for name, end in old_months["events"] if end < datetime.now(UTC) - timedelta(days=92)
    } & (await there(database, "events")), "old months go all the same"
    await keeper.keep(datetime.now(UTC))
    assert last in await there(database, "messages")
