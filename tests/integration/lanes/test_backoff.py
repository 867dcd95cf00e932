"""Lanes that the carrier throttles or refuses: who slows down, who waits, and who does not notice."""

import pytest

from gateway.lanes.backoff import LaneBackoff
from gateway.lanes.entry import Priority

RATE = 20.0
RECOVERY_S = 30
FIRST_PROBE_S, LONGEST_PROBE_S = 5.0, 60.0


@pytest.fixture
def backoff(world):
    """The dispatchers' word to the lanes, on the world's clock."""
    return LaneBackoff(world.lanes)


async def rates(world, *, seconds):
    """Claim whenever something opens for some seconds; parts per second of each identity."""
    taken = await world.drain(until_ms=seconds * 1000)
    counts = {}
    for at_s, message in taken:
        if at_s < seconds:
            counts[message.identity.int] = counts.get(message.identity.int, 0) + message.parts
    return {identity: parts / seconds for identity, parts in counts.items()}


async def one_of(world, **fields):
    """Push one message, claim it and settle it: what a dispatcher then hears about it comes next."""
    await world.push(world.entry(identity_rate=RATE, **fields))
    [message] = await world.take(1)
    return message


async def test_a_throttled_lane_slows_down_and_no_other_does(world, backoff):
    """Row 10 of the fault table: the carrier throttles one identity, everybody else goes on."""
    throttled = await one_of(world, identity=1)
    await world.push(*world.entries(200, identity=1, identity_rate=RATE))
    await world.push(*world.entries(200, identity=2, identity_rate=RATE))
    assert (await backoff.throttled(throttled)).lane
    measured = await rates(world, seconds=3)
    assert measured[2] == pytest.approx(RATE, rel=0.06)
    assert measured[1] == pytest.approx(RATE * 0.7, rel=0.1)


async def test_the_rate_is_whole_again_half_a_minute_after_the_last_throttle(world, backoff):
    """A lane that stayed slow for good would make one bad minute of the carrier's ours."""
    await backoff.throttled(await one_of(world))
    world.advance_ms(RECOVERY_S * 1000)
    await world.push(*world.entries(100, identity_rate=RATE))
    assert (await rates(world, seconds=3))[1] == pytest.approx(RATE, rel=0.06)


async def test_calls_that_were_throttled_together_cut_the_rate_once(world, backoff):
    """Sixty calls under way hear of the same second; sixty cuts would stop the lane."""
    messages = [await one_of(world, identity=1)]
    cuts = [(await backoff.throttled(messages[0])).lane for _ in range(60)]
    assert cuts.count(True) == 1


async def test_a_lane_that_is_throttled_on_and_on_keeps_a_tenth_of_its_rate(world, backoff):
    """Only a message that is tried can find out that the carrier takes them again."""
    message = await one_of(world)
    for _ in range(20):
        await backoff.throttled(message)
        world.advance_ms(1000)
    await backoff.throttled(message)
    await world.push(*world.entries(50, identity_rate=RATE))
    measured = (await rates(world, seconds=5))[1]
    assert RATE * 0.08 <= measured <= RATE * 0.3


@pytest.mark.parametrize(("throttled", "is_cut"), [(1, False), (2, False), (3, True)])
async def test_the_route_is_cut_when_most_of_its_lanes_are_throttled(world, backoff, throttled, is_cut):
    """AWS does not say whose limit it was; half of the lanes at once is the account's."""
    messages = [await one_of(world, identity=identity) for identity in range(1, 5)]
    for identity in range(1, 5):
        await world.push(*world.entries(100, identity=identity, identity_rate=RATE))
    cut = [(await backoff.throttled(message)).route for message in messages[:throttled]]
    assert any(cut) is is_cut


async def test_throttled_pictures_leave_the_route_of_the_texts_alone(world, backoff):
    """AWS counts SendMediaMessage by itself: its throttling says nothing about SendTextMessage."""
    pictures = [await one_of(world, identity=identity) for identity in (1, 2, 3)]
    world.limit_requests(RATE)
    slowed = [await backoff.throttled(message, lane_alone=True) for message in pictures]
    assert [(each.lane, each.route) for each in slowed] == [(True, False)] * 3
    await world.push(*world.entries(200, identity=9, identity_rate=RATE))
    assert (await rates(world, seconds=3))[9] == pytest.approx(RATE, rel=0.06)


async def test_a_cut_route_makes_fewer_requests(world, backoff):
    """The cut of the lanes alone would still leave the account over its limit."""
    messages = [await one_of(world, identity=identity) for identity in (1, 2)]
    world.limit_requests(10.0)
    for message in messages:
        await backoff.throttled(message)
    for identity in (1, 2):
        await world.push(*world.entries(100, identity=identity, identity_rate=100.0))
    assert sum((await rates(world, seconds=3)).values()) == pytest.approx(7.0, rel=0.12)


async def test_a_held_flow_sends_one_probe_per_period_and_the_others_go_on(world, backoff):
    """A configuration set that is gone concerns one tenant; its number may serve others."""
    refused = await one_of(world, tenant=1)
    held = await backoff.hold(refused, "flow")
    assert (held.began, held.probe_s) == (True, FIRST_PROBE_S)
    await world.push(*world.entries(10, tenant=1, identity_rate=RATE))
    await world.push(*world.entries(10, tenant=2, identity_rate=RATE))
    at_once = [message for at_s, message in await world.drain(until_ms=2_000) if at_s < 2]
    assert {message.tenant_id.int for message in at_once} == {2}
    assert len(at_once) == 10


async def test_the_first_probe_comes_after_its_period_alone_and_is_flagged(world, backoff):
    """The dispatcher must know which answer ends the hold."""
    await backoff.hold(await one_of(world), "flow")
    await world.push(*world.entries(10, identity_rate=RATE))
    world.advance_ms(FIRST_PROBE_S * 1000 - 10)
    assert await world.take() == []
    world.advance_ms(20)
    [probe] = await world.take()
    assert probe.probe


@pytest.mark.parametrize("scope", ["flow", "route"])
async def test_a_probe_that_came_through_opens_the_line_at_once(world, backoff, scope):
    """What waited must not wait for another probe."""
    await backoff.hold(await one_of(world), scope)
    await world.push(*world.entries(40, identity_rate=RATE))
    world.advance_ms(FIRST_PROBE_S * 1000 + 10)
    [probe] = await world.take()
    assert await backoff.resume(probe)
    assert (await rates(world, seconds=1))[1] == pytest.approx(RATE, rel=0.1)
    assert not await backoff.resume(probe)


async def test_each_failed_probe_doubles_the_period_up_to_a_minute(world, backoff):
    """A fault that lasts the night costs a call a minute, not a queue."""
    message = await one_of(world)
    held = await backoff.hold(message, "route")
    await world.push(*world.entries(20, identity_rate=RATE))
    periods = [held.probe_s]
    for _ in range(6):
        world.advance_ms(held.probe_s * 1000 + 20)
        [probe] = await world.take()
        held = await backoff.hold(probe, "route")
        assert not held.began
        periods.append(held.probe_s)
    assert periods == [5, 10, 20, 40, 60, 60, 60]


async def test_refusals_that_come_together_are_one_hold(world, backoff):
    """A hundred calls under way meet the same broken policy."""
    message = await one_of(world)
    holds = [await backoff.hold(message, "route") for _ in range(50)]
    assert [held.began for held in holds].count(True) == 1
    assert {held.probe_s for held in holds} == {FIRST_PROBE_S}


async def test_a_held_route_sends_nothing_but_its_probe(world, backoff):
    """Whatever the lane, priority or tenant: the account takes nothing."""
    await backoff.hold(await one_of(world), "route")
    for identity, priority in enumerate(Priority, start=1):
        await world.push(*world.entries(5, identity=identity, priority=priority, identity_rate=RATE))
    world.advance_ms(FIRST_PROBE_S * 1000 + 10)
    assert [message.priority for message in await world.take()] == [Priority.OTP]


async def test_a_long_text_is_one_probe(world, backoff):
    """A hold counts messages, not parts: a probe of four parts must not close the line four times as long."""
    await backoff.hold(await one_of(world), "flow")
    await world.push(*world.entries(3, parts=4, identity_rate=RATE))
    for _ in range(3):
        world.advance_ms(FIRST_PROBE_S * 1000 + 10)
        assert len(await world.take()) == 1


async def test_a_word_to_lanes_that_were_lost_changes_nothing(world, backoff):
    """A rebuild must not find half a channel."""
    message = await one_of(world)
    assert await world.lanes.begin_rebuild(world.route, "second")
    assert not (await backoff.throttled(message)).lane
    assert (await backoff.hold(message, "route")).probe_s == 0
    assert await world.lanes.finish_rebuild(world.route, "second")
    world.advance_ms(1000)
    assert (await world.claim()).next_open_ms is None
