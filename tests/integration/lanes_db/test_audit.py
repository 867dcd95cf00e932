"""The audit of the lanes: what Redis forgot without knowing it comes back, and nothing else is touched."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import FixedClock
from gateway.embedded.redis import EmbeddedRedis
from gateway.lanes.audit import LaneAudit
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message
from tests.harness.waiting import until


@pytest.fixture
async def client(redis_url):
    """A Redis of this module."""
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
async def route(client, worker_pool):
    """A route with lanes and nothing in them."""
    route = f"audited-{new_uuid().hex[-6:]}"
    await rebuild(Lanes(RedisScripts(client)), worker_pool, route)
    return route


def entries(messages):
    """Return the lane entries of messages."""
    return [message.entry for message in messages]


def audit(worker_pool, client, *, later=timedelta(minutes=2)):
    """Return an audit at a time when everything just accepted is old."""
    clock = FixedClock(datetime.now(UTC) + later)
    return LaneAudit(worker_pool, Lanes(RedisScripts(client)), clock, settles_within_s=0.0)


async def test_messages_that_an_older_memory_lacks_are_put_back(client, route, worker_pool, worker_engine):
    """A restored Redis has its epoch, so no claim notices; without the audit these would never be sent."""
    lanes = Lanes(RedisScripts(client))
    older = {name: await client.dump(name) for name in await client.keys(f"*{route}*")}
    scope = await enrol(worker_engine, credit=10)
    messages = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(3)))
    assert await lanes.push(entries(messages)) == []
    for name in await client.keys(f"*{route}*"):
        await client.delete(name)
    for name, value in older.items():
        await client.restore(name, 0, value)
    assert route in await audit(worker_pool, client).audit()
    assert sum((await lanes.backlog(route)).values()) == len(messages)


async def test_a_backlog_that_redis_remembers_is_left_alone(client, route, worker_pool, worker_engine):
    """A rebuild rests claims for a second; an audit that cries wolf would slow every campaign down."""
    scope = await enrol(worker_engine, credit=10)
    messages = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(3)))
    assert await Lanes(RedisScripts(client)).push(entries(messages)) == []
    assert route not in await audit(worker_pool, client).audit()


async def test_messages_too_young_to_have_been_pushed_are_not_missed(
    client, route, worker_pool, worker_engine
):
    """Between commit and push a message stands in Postgres alone; that is the relay's business."""
    scope = await enrol(worker_engine, credit=10)
    await accept(worker_pool, new_message(scope, route=route))
    assert route not in await audit(worker_pool, client, later=timedelta(0)).audit()


async def test_what_a_dead_dispatcher_had_claimed_is_left_to_its_lease(
    client, route, worker_pool, worker_engine
):
    """A rebuild would forget how often they were claimed, and one that kills would never be taken out."""
    lanes = Lanes(RedisScripts(client))
    scope = await enrol(worker_engine, credit=10)
    messages = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(3)))
    assert await lanes.push(entries(messages)) == []

    async def claimed():
        return (await lanes.claim(route, 1)).messages

    await until(claimed)
    assert route not in await audit(worker_pool, client).audit()
    assert sum((await lanes.backlog(route)).values()) == len(messages) - 1


async def test_what_redis_has_evicted_is_put_back_once(tmp_path, worker_pool, worker_engine):
    """Its counters stay where the queue that they count is gone: they agree with Postgres for ever."""
    route = f"evicted-{new_uuid().hex[-6:]}"
    async with EmbeddedRedis(tmp_path) as server, connect(server.url) as client:
        lanes = Lanes(RedisScripts(client))
        await rebuild(lanes, worker_pool, route)
        scope = await enrol(worker_engine, credit=10)
        messages = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(3)))
        assert await lanes.push(entries(messages)) == []
        for queue in await client.keys("*:q:*"):
            await client.expire(queue, 1_000)
        for setting in (("maxmemory-policy", "volatile-lru"), ("maxmemory", "1"), ("maxmemory", "0")):
            await server.command("CONFIG", "SET", *setting)
            await client.get("anything")  # which makes room first
        assert await client.keys("*:q:*") == []
        auditing = audit(worker_pool, client)
        assert route in await auditing.audit()
        assert route not in await auditing.audit()
        assert await client.keys(f"*{route}*:q:*") != []


@pytest.mark.parametrize("counter", ["backlog", "flight"])
async def test_figures_that_somebody_else_wrote_are_made_anew(
    client, route, worker_pool, worker_engine, counter
):
    """No claim need come across them, and nobody could say how long the line is."""
    lanes = Lanes(RedisScripts(client))
    scope = await enrol(worker_engine, credit=10)
    messages = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(3)))
    assert await lanes.push(entries(messages)) == []
    await client.hset(f"{key_prefix(route)}:{counter}", "foreign", "foreign")
    assert route in await audit(worker_pool, client).audit()
    assert sum((await lanes.backlog(route)).values()) == len(messages)
