"""The survey of the lanes: what waits, for how long yet, and since when."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from msgspec import structs
from prometheus_client import REGISTRY

from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from gateway.lanes.entry import DailyCap, Priority, RateGate
from gateway.lanes.gauges import show_lanes
from gateway.lanes.lanes import Lanes
from gateway.lanes.queues import Queues
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect
from gateway.lanes.survey import LaneSurvey
from tenants.ids import encode, new_uuid
from tenants.senders import service
from tenants.senders.service import AccountFacts
from tests.harness.tenants import accept, enrol, new_message

CAMPAIGN = RateGate("c:t:C1", 1.0)


@pytest.fixture
async def lanes(redis_url):
    async with connect(redis_url) as client:
        yield Lanes(RedisScripts(client))


@pytest.fixture
async def route(lanes, worker_engine, worker_pool):
    """An account with lanes and nothing in them."""
    async with worker_transaction(worker_engine) as session:
        account = await service.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
    route = encode("acc", account.id)
    await rebuild(lanes, worker_pool, route)
    return route


@pytest.fixture
def queue(lanes, worker_pool, worker_engine, route):
    """Return a function that accepts and queues messages of one part."""

    async def put(count, **of_entry):
        scope = await enrol(worker_engine, credit=100)
        made = [new_message(scope, route=route) for _ in range(count)]
        made = [structs.replace(each, entry=structs.replace(each.entry, **of_entry)) for each in made]
        await accept(worker_pool, *made)
        assert await lanes.push([each.entry for each in made]) == []
        return made

    return put


def survey(lanes, worker_pool, *, later_s=0.0):
    return LaneSurvey(worker_pool, Queues(lanes), FixedClock(datetime.now(UTC) + timedelta(seconds=later_s)))


async def test_lanes_that_share_a_campaign_drain_together(lanes, route, queue, worker_pool):
    """Two numbers at 10 a second each, and one campaign at 1 a second for both."""
    terms = {"identity_rate": 10.0, "shared_gates": (CAMPAIGN,)}
    for _ in range(2):
        await queue(5, identity=new_uuid(), priority=Priority.PROMOTIONAL, **terms)
    sights = await survey(lanes, worker_pool).of(route)
    assert [each.waiting.parts for each in sights] == [5, 5]
    assert [each.drain_s for each in sights] == [pytest.approx(10.3, abs=0.1)] * 2


async def test_a_day_that_is_too_small_shows_in_the_time_to_drain(lanes, route, queue, worker_pool):
    """Five messages and three parts a day: the last two go tomorrow."""
    await queue(5, identity_rate=10.0, daily_caps=(DailyCap("s:x", 3),))
    [sight] = await survey(lanes, worker_pool).of(route)
    midnight_s = -datetime.now(UTC).timestamp() % 86_400
    assert sight.drain_s == pytest.approx(midnight_s, abs=5)


async def test_the_oldest_counts_from_when_it_could_leave(lanes, route, queue, worker_pool, database):
    """One that was scheduled for now is not old, though it was accepted long ago."""
    ids = [message.id for message in await queue(1, identity=new_uuid())]
    await database.execute(
        "UPDATE dispatch_queue SET due_at = now() + interval '60 s' WHERE message_id = ANY($1)", ids
    )
    [sight] = await survey(lanes, worker_pool, later_s=90).of(route)
    assert sight.oldest_s == pytest.approx(30, abs=5)


async def test_gauges_name_route_country_and_priority_and_nothing_else(
    lanes, route, queue, worker_pool, redis_url
):
    """A hundred senders make one series; what has drained has none."""
    identities = [new_uuid() for _ in range(3)]
    for identity in identities:
        await queue(2, identity=identity)
    labels = {"route": route, "country": "US", "priority": "transactional"}
    await show_lanes(survey(lanes, worker_pool, later_s=20))
    assert REGISTRY.get_sample_value("tollgate_lane_backlog_parts", labels) == 6
    assert REGISTRY.get_sample_value("tollgate_lane_backlog_messages", labels) == 6
    assert REGISTRY.get_sample_value("tollgate_lane_drain_seconds", labels) > 0
    assert REGISTRY.get_sample_value("tollgate_lane_oldest_seconds", labels) == pytest.approx(20, abs=5)
    async with connect(redis_url) as client:
        await client.flushdb()
    await show_lanes(survey(lanes, worker_pool))
    assert REGISTRY.get_sample_value("tollgate_lane_backlog_parts", labels) is None
