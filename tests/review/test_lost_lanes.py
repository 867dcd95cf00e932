"""Messages that were accepted and must find their way into a lane again."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta

from gateway.clock import FixedClock
from gateway.embedded.redis import EmbeddedRedis
from gateway.lanes.audit import OLD_ENOUGH, LaneAudit
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message


def entry_of(message):
    """Return the lane entry of a message."""
    return message.entry


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
    worker_pool, worker_engine, database, tmp_path
):
    """A Redis that comes back with an older memory, a dump or a replica that lagged, has its epoch."""
    now_us, data, older = 1_800_000_000_000_000, tmp_path / "data", tmp_path / "older"
    scope = await enrol(worker_engine, credit=10)
    async with EmbeddedRedis(data) as server, connect(server.url) as client:
        await rebuild(Lanes(RedisScripts(client), clock_us=lambda: now_us), worker_pool, "stale")
    shutil.copytree(data, older)

    async with EmbeddedRedis(data) as server, connect(server.url) as client:
        [message] = await accept(worker_pool, new_message(scope, route="stale"))
        lanes = Lanes(RedisScripts(client), clock_us=lambda: now_us)
        assert await lanes.push([entry_of(message)]) == []
        await database.execute("DELETE FROM outbox_batches WHERE $1 = ANY(message_ids)", message.id)
    shutil.rmtree(data)
    shutil.copytree(older, data)

    async with EmbeddedRedis(data) as server, connect(server.url) as client:
        lanes = Lanes(RedisScripts(client), clock_us=lambda: now_us)
        later = FixedClock(datetime.now(UTC) + timedelta(minutes=10))
        await LaneAudit(worker_pool, lanes, later, settles_within_s=0.0).audit()
        now_us += 10_000_000
        claimed = await lanes.claim("stale", 10)
        assert claimed.epoch_missing or [each.message_id for each in claimed.messages] == [message.id]


async def test_a_forgotten_message_is_found_though_its_route_is_busy(worker_pool, worker_engine, redis_url):
    """A route may have a campaign waiting at any time; only what came in the last seconds can hide a loss."""
    route = f"busy-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=10)
    async with connect(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        await rebuild(lanes, worker_pool, route)
        await accept(worker_pool, new_message(scope, route=route))  # its push is forgotten
        others = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(5)))
        assert await lanes.push([entry_of(message) for message in others]) == []
        clock = FixedClock(datetime.now(UTC) + OLD_ENOUGH + timedelta(seconds=1))
        assert route in await LaneAudit(worker_pool, lanes, clock, settles_within_s=0.0).audit()


async def test_messages_that_become_due_during_an_audit_are_not_taken_for_forgotten(
    worker_pool, worker_engine, redis_url
):
    """A scheduled text is old when it is queued; a rebuild for it would halt its whole route for a second."""
    route = f"due-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=10)
    soon = datetime.now(UTC)
    clock = FixedClock(soon + timedelta(minutes=10))
    async with connect(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        await rebuild(lanes, worker_pool, route)
        [standing] = await accept(worker_pool, new_message(scope, route=route))
        await lanes.push([entry_of(standing)])
        await accept(worker_pool, new_message(scope, route=route, status="scheduled", send_at=soon))
        audit = asyncio.create_task(LaneAudit(worker_pool, lanes, clock, settles_within_s=0.5).audit())
        await asyncio.sleep(0.2)
        await Relay(worker_pool, lanes, clock).queue_due()
        assert route not in await audit
