"""A rebuild takes as long as Postgres does; its lock lives as long as it does, and not longer."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gateway.clock import FixedClock
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.rebuild import rebuild
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message
from tests.harness.waiting import until

LOCK_S = 0.4


@pytest.fixture
async def client(redis_url):
    """A Redis of this module."""
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
def lanes(client):
    """The lanes in it."""
    return Lanes(RedisScripts(client))


@pytest.fixture
async def route(worker_pool, worker_engine):
    """A route with three queued messages, which Redis knows nothing of."""
    route = f"rebuilt-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=10)
    await accept(worker_pool, *(new_message(scope, route=route) for _ in range(3)))
    return route


@contextlib.asynccontextmanager
async def unreadable_queue(database):
    """Let whoever reads the queue wait for the length of a block."""
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE dispatch_queue IN ACCESS EXCLUSIVE MODE")
        yield


WAITING = """
    SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database()
    WHERE NOT granted AND relation = 'dispatch_queue'::regclass
"""


async def is_waiting(database):
    """Whether somebody waits for the queue."""
    return await database.fetchval(f"SELECT EXISTS ({WAITING})")


async def test_a_rebuild_that_waits_for_postgres_keeps_its_lock(lanes, route, worker_pool, database):
    """Otherwise it would begin anew for ever, and the route would not be dispatched."""
    async with unreadable_queue(database):
        slow = asyncio.create_task(rebuild(lanes, worker_pool, route, lock_s=LOCK_S))
        await until(lambda: is_waiting(database))
        await asyncio.wait({slow}, timeout=LOCK_S * 4)
        assert not await lanes.begin_rebuild(route, "another")
    assert await slow == 3
    assert not (await lanes.claim(route, 1)).epoch_missing


async def test_a_rebuild_that_lost_its_lock_reads_no_further(lanes, route, client, worker_pool, database):
    """All it reads would be read in vain."""
    async with unreadable_queue(database):
        slow = asyncio.create_task(rebuild(lanes, worker_pool, route, lock_s=LOCK_S))
        await until(lambda: is_waiting(database))
        await client.delete(f"{key_prefix(route)}:rebuild")
        assert await slow is None
        assert (await lanes.claim(route, 1)).epoch_missing


async def test_a_rebuild_that_fails_halfway_can_be_made_again_at_once(lanes, route, worker_pool, database):
    """Its lock would keep the route from being dispatched for as long as that of one that died."""
    async with unreadable_queue(database):
        doomed = asyncio.create_task(rebuild(lanes, worker_pool, route))
        await until(lambda: is_waiting(database))
        await database.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await doomed
    assert await rebuild(lanes, worker_pool, route) == 3


async def test_what_a_rebuild_has_pushed_is_not_pushed_again_by_the_relay(
    lanes, worker_pool, worker_engine, database
):
    """It would be counted twice, and sends refused for a queue that is not full."""
    route, other = (f"owed-{new_uuid().hex[-6:]}" for _ in range(2))
    scope = await enrol(worker_engine, credit=10)
    messages = [new_message(scope, route=each) for each in (route, other, route)]
    await accept(worker_pool, *messages)
    await accept(worker_pool, new_message(scope, route=route))
    assert await rebuild(lanes, worker_pool, route) == 3
    owed = await database.fetch(
        "SELECT message_ids FROM outbox_batches WHERE message_ids && ARRAY("
        "SELECT id FROM messages WHERE tenant_id = $1)",
        scope.tenant_id,
    )
    assert [row["message_ids"] for row in owed] == [[messages[1].id]]
    later = FixedClock(datetime.now(UTC) + timedelta(minutes=1))
    await Relay(worker_pool, lanes, later).push_left_behind()
    assert sum((await lanes.backlog(route)).values()) == 3


async def test_what_a_rebuild_has_not_finished_is_still_owed(lanes, route, worker_pool, database, client):
    """Its lanes are nobody's; whoever fills them next may not have seen these messages."""

    class Lost(Lanes):
        async def finish_rebuild(self, route, epoch):
            await client.delete(f"{key_prefix(route)}:rebuild")
            return await super().finish_rebuild(route, epoch)

    assert await rebuild(Lost(RedisScripts(client)), worker_pool, route) is None
    assert await database.fetchval(
        "SELECT EXISTS (SELECT FROM dispatch_queue q"
        " JOIN outbox_batches b ON q.message_id = ANY(b.message_ids) WHERE q.route = $1)",
        route,
    )


async def test_lanes_are_not_emptied_for_a_rebuild_without_a_connection(lanes, route, worker_pool):
    """Nothing could be put back."""

    class Away:
        def acquire(self):
            raise ConnectionRefusedError("away")

    assert await rebuild(lanes, worker_pool, route) == 3
    with pytest.raises(OSError, match="away"):
        await rebuild(lanes, Away(), route)
    assert sum((await lanes.backlog(route)).values()) == 3
