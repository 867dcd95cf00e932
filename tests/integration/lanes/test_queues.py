"""What waits, read back: parts and messages per lane, gates, days, and the heads of the lines."""

from uuid import UUID

import pytest

from gateway.lanes.entry import DailyCap, Priority, RateGate
from gateway.lanes.lanes import LaneKey
from gateway.lanes.queues import Queues, Waiting

CAMPAIGN = RateGate("c:tenant:C1", 4.0)
DAY = DailyCap("c:tenant:C1", 10)
LANE = LaneKey(UUID(int=1), "US", Priority.TRANSACTIONAL)


@pytest.fixture
def queues(world) -> Queues:
    return Queues(world.lanes)


async def lanes_of(queues, world):
    """The route's lanes."""
    return (await queues.of(world.route)).lanes


async def test_messages_and_parts_are_counted_on_every_way_through_the_lanes(world, queues):
    """Pushed, claimed, given back by a lease that ran out, requeued, gone: no way may leave a rest."""
    await world.push(world.entry(parts=3), world.entry(parts=2))
    assert await lanes_of(queues, world) == {LANE: Waiting(5, 2)}
    [first] = (await world.claim(1)).messages
    assert await lanes_of(queues, world) == {LANE: Waiting(2, 1)}
    await world.lanes.requeue(first, delay_ms=0)
    assert await lanes_of(queues, world) == {LANE: Waiting(5, 2)}
    world.advance_ms(10_000)
    assert len((await world.claim(1)).messages) == 1
    world.advance_ms(60_000)  # the lease runs out
    assert len(await world.drain()) == 2
    assert await lanes_of(queues, world) == {}


async def test_the_account_s_rate_is_what_the_last_claim_was_told(world, queues):
    """The API process reads it here; dispatchers know it."""
    assert (await queues.of(world.route)).request_us == 0
    world.limit_requests(10)
    await world.claim()
    assert (await Queues(world.lanes).of(world.route)).request_us == pytest.approx(103_000)
    world.limit_requests(20)
    await world.claim()
    assert (await Queues(world.lanes).of(world.route)).request_us == pytest.approx(51_500)


async def test_gates_of_channels_are_those_that_the_newest_push_brought(world, queues):
    """Rates with a bound count by it, others by their period."""
    await world.push(world.entry(identity_rate=100.0, shared_gates=(CAMPAIGN,), daily_caps=(DAY,)))
    known = (UUID(int=1), "US")
    found = await queues.gates(world.route, [known, (UUID(int=2), "US")])
    assert list(found) == [known]
    assert found[known].us == pytest.approx(1e4)
    assert found[known].shared == {CAMPAIGN.name: pytest.approx(257_500)}
    assert found[known].caps == (DAY,)


async def test_a_day_tells_what_it_has_used_and_when_it_ends(world, queues):
    """The injected time is 8 hours into a UTC day."""
    await world.push(*world.entries(4, identity_rate=100.0, parts=2, daily_caps=(DAY,)))
    await world.drain(until_ms=5_000)
    today = await queues.today(world.route, [DAY.name, "c:other"])
    assert today.used == {DAY.name: 8, "c:other": 0}
    assert today.ends_in_s[DAY.name] == pytest.approx((-world.now_us % 86_400_000_000) / 1e6)


async def test_the_heads_of_every_tenant_s_line_are_found_parked_ones_too(world, queues):
    """Among them is the oldest message of the lane."""
    await world.push(world.entry(tenant=1, serial=901), world.entry(tenant=1, serial=902))
    await world.push(*(world.entry(tenant=2, serial=each, tenant_rate=0.01) for each in (903, 904)))
    assert len(await world.take(1)) == 1
    world.advance_ms(2_000)
    assert len(await world.take(1)) == 1
    world.advance_ms(2_000)
    await world.claim(0)
    assert await queues.heads(world.route, [LANE], flows=10) == {LANE: [UUID(int=902), UUID(int=904)]}
    assert await queues.heads(world.route, [], flows=10) == {}
