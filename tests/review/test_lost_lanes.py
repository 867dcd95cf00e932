"""Messages that were accepted and must find their way into a lane again."""

from datetime import UTC, datetime, timedelta

import msgspec

from gateway.clock import FixedClock
from gateway.lanes.entry import LaneEntry
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message


def entry_of(message):
    """Return the lane entry of a message."""
    return msgspec.convert(message.lane, LaneEntry)


async def test_a_batch_of_two_routes_is_not_pushed_again_because_one_route_has_no_lanes(
    worker_pool, worker_engine, database, redis_url
):
    """One group commit holds sends of many routes; an absent dispatcher must not fill the others' lanes."""
    live, dead = f"live-{new_uuid().hex[-6:]}", f"dead-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=10)
    async with connect(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        await rebuild(lanes, worker_pool, live)
        clock = FixedClock(datetime.now(UTC))
        relay = Relay(worker_pool, lanes, clock)
        await accept(worker_pool, new_message(scope, route=live), new_message(scope, route=dead))
        for _ in range(5):
            clock.advance(timedelta(seconds=10))
            await relay.push_left_behind()
        assert list((await lanes.backlog(live)).values()) == [1]


async def test_a_route_without_lanes_does_not_hold_up_the_batches_of_others(
    worker_pool, worker_engine, database, redis_url
):
    """The relay takes fifty batches a round; fifty that cannot be pushed must not be the same each time."""
    live, dead = f"live-{new_uuid().hex[-6:]}", f"dead-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=100)
    async with connect(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        await rebuild(lanes, worker_pool, live)
        clock = FixedClock(datetime.now(UTC))
        relay = Relay(worker_pool, lanes, clock)
        for _ in range(60):
            await accept(worker_pool, new_message(scope, route=dead))
        await accept(worker_pool, new_message(scope, route=live))
        for _ in range(4):
            clock.advance(timedelta(seconds=10))
            await relay.push_left_behind()
        assert list((await lanes.backlog(live)).values()) == [1]


async def test_a_push_that_a_restored_redis_forgot_is_pushed_again(
    worker_pool, worker_engine, database, redis_url
):
    """A Redis that comes back from an older dump, or a replica that lagged, still has its epoch."""
    route = f"stale-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=10)
    async with connect(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        await rebuild(lanes, worker_pool, route)
        clock = FixedClock(datetime.now(UTC))
        relay = Relay(worker_pool, lanes, clock)
        dump = {name: await client.dump(name) for name in await client.keys(f"*{route}*")}
        [message] = await accept(worker_pool, new_message(scope, route=route))
        assert await lanes.push([entry_of(message)]) == []
        await database.execute("DELETE FROM outbox_batches WHERE $1 = ANY(message_ids)", message.id)

        for name in await client.keys(f"*{route}*"):
            await client.delete(name)
        for name, value in dump.items():
            await client.restore(name, 0, value)

        for _ in range(20):
            clock.advance(timedelta(seconds=60))
            await relay.queue_due()
            await relay.push_left_behind()
        claimed = await lanes.claim(route, 10)
        assert claimed.epoch_missing or [each.message_id for each in claimed.messages] == [message.id]
