"""Who goes first, and who still gets something."""

from collections import Counter
from uuid import UUID

import pytest

from gateway.lanes.entry import Priority


async def test_a_one_time_password_passes_everything_that_waits(world):
    """Both on its own identity and over the whole route."""
    world.limit_requests(100)
    await world.push(*world.entries(50, priority=Priority.PROMOTIONAL, identity_rate=100.0))
    await world.push(*world.entries(50, priority=Priority.TRANSACTIONAL, identity_rate=100.0, identity=2))
    await world.take()
    world.advance_ms(5)
    await world.push(world.entry(priority=Priority.OTP, identity_rate=100.0))
    world.advance_ms(6)
    [message] = await world.take()
    assert message.priority is Priority.OTP


async def test_urgent_messages_leave_before_the_less_urgent_of_the_same_identity(world):
    """The order is otp, transactional, promotional."""
    for priority in (Priority.PROMOTIONAL, Priority.TRANSACTIONAL, Priority.OTP):
        await world.push(*world.entries(3, priority=priority))
    order = [each.priority for _, each in await world.drain()]
    assert order == sorted(order)


async def test_promotional_messages_get_the_twentieth_part_of_a_busy_identity(world):
    """A stream of urgent messages that fills the lane must not stop a campaign for ever."""
    await world.push(*world.entries(400, priority=Priority.OTP, identity_rate=100.0))
    await world.push(*world.entries(400, priority=Priority.PROMOTIONAL, identity_rate=100.0))
    first = [each.priority for _, each in (await world.drain(until_ms=4_500))[:400]]
    assert Counter(first)[Priority.PROMOTIONAL] == 20


async def test_promotional_messages_get_the_twentieth_request_of_a_busy_route(world):
    """The account's requests are contended too, between different identities."""
    world.limit_requests(100)
    await world.push(*world.entries(400, priority=Priority.OTP, identity_rate=1000.0))
    await world.push(*world.entries(400, priority=Priority.PROMOTIONAL, identity=2, identity_rate=1000.0))
    first = [each.priority for _, each in (await world.drain(until_ms=4_500))[:400]]
    assert Counter(first)[Priority.PROMOTIONAL] == 20


async def test_the_floor_is_counted_in_parts(world):
    """A long promotional text must not take more than the twentieth part."""
    await world.push(*world.entries(600, priority=Priority.OTP, identity_rate=100.0))
    await world.push(*world.entries(100, priority=Priority.PROMOTIONAL, parts=5, identity_rate=100.0))
    taken = [each for _, each in (await world.drain(until_ms=6_000))]
    promotional = sum(each.parts for each in taken if each.priority is Priority.PROMOTIONAL)
    assert 0.03 <= promotional / sum(each.parts for each in taken) <= 0.07


@pytest.mark.parametrize(("weights", "shares"), [((1, 1), (0.5, 0.5)), ((3, 1), (0.75, 0.25))])
async def test_tenants_share_an_identity_by_weight_in_parts(world, weights, shares):
    """Whoever queued first or most, and however long the messages are."""
    await world.push(*world.entries(600, tenant=1, weight=weights[0], identity_rate=100.0))
    await world.push(*world.entries(200, tenant=2, weight=weights[1], parts=3, identity_rate=100.0))
    taken = [each for _, each in await world.drain(until_ms=4_000)]
    parts = Counter({UUID(int=1): 0, UUID(int=2): 0})
    for each in taken:
        parts[each.tenant_id] += each.parts
    total = parts.total()
    assert [parts[UUID(int=tenant)] / total for tenant in (1, 2)] == pytest.approx(shares, abs=0.02)


async def test_a_tenant_with_one_message_waits_for_one_round_not_for_the_queue(world):
    """A tenant a hundred times as big must not be felt by the others."""
    await world.push(*world.entries(1000, tenant=1, identity_rate=100.0))
    await world.take()
    await world.push(world.entry(tenant=2, identity_rate=100.0))
    taken = await world.drain(until_ms=100)
    assert UUID(int=2) in {each.tenant_id for _, each in taken[:2]}


async def test_queueing_one_message_at_a_time_gains_nothing(world):
    """An emptied flow keeps its place, so a tenant cannot jump the line by keeping its queue short."""
    for tenant in range(1, 5):
        await world.push(*world.entries(200, tenant=tenant, identity_rate=100.0))
    await world.push(world.entry(tenant=9, parts=4, identity_rate=100.0))
    parts = Counter()
    for _ in range(300):
        for each in await world.take():
            parts[each.tenant_id.int] += each.parts
            if each.tenant_id.int == 9:
                await world.push(world.entry(tenant=9, parts=4, identity_rate=100.0))
        world.advance_ms(10.1)
    assert parts[9] / parts.total() <= 0.22
