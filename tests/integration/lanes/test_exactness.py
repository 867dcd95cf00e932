"""In any sliding second, never more than the rate, at the instants that the claims give out."""

import asyncio
import itertools
import random
import time

import pytest

from gateway.lanes.gates import BOUND_FROM
from gateway.lanes.lanes import AHEAD_MS, Lanes, LateMessage
from gateway.lanes.scripts import RedisScripts
from tests.integration.lanes.conftest import World


@pytest.fixture
async def world(scripts: RedisScripts) -> World:
    """A route whose claims give out instants as far ahead as the dispatchers' do."""
    made = World(scripts, ahead_ms=AHEAD_MS)
    await made.open()
    return made


def most_in_a_second(grants: list[tuple[float, int]]) -> int:
    """Return the most parts granted in any half-open second, which begins with a grant."""
    most = oldest = inside = 0
    for at, parts in grants:
        inside += parts
        while at - grants[oldest][0] >= 1.0:
            inside -= grants[oldest][1]
            oldest += 1
        most = max(most, inside)
    return most


def bound(rate: float, longest: int) -> float:
    """Return what a second may hold: the rate, or where one message is much of it, the rest of one more."""
    return rate if rate >= BOUND_FROM else max(rate, 1) + longest - 1


@pytest.mark.parametrize("rate", [0.2, 1, 3, 20, 75, 100])
@pytest.mark.parametrize("longest", [1, 4])
async def test_no_sliding_second_holds_more_than_the_rate_however_the_polls_fall(world, rate, longest):
    """Idle, then ten times the rate at once, polled early, late and not at all for a while."""
    dice = random.Random(rate * 10 + longest)
    seconds = max(8, 3 / rate)
    count = round(rate * seconds * 2 / longest) + 4
    await world.push(
        *(world.entry(parts=dice.randint(1, longest), identity_rate=float(rate)) for _ in range(count))
    )
    world.advance_ms(5_000)
    begun, grants = world.now_us, []
    while world.now_us - begun < seconds * 1e6:
        claimed = await world.claim()
        grants += [(each.send_at_us / 1e6, each.parts) for each in claimed.messages]
        late_ms = dice.choice([0, 0.3, 1, 3, 7, 10, 25, 70])
        world.advance_ms((claimed.next_open_ms or 1) + late_ms)
    assert most_in_a_second(sorted(grants)) <= bound(rate, longest)


@pytest.mark.parametrize("rate", [1, 3, 20, 50, 100, 400])
@pytest.mark.parametrize("longest", [1, 4])
async def test_polls_that_are_a_little_late_lose_no_rate(world, rate, longest):
    """Lateness within what is given out ahead costs nothing: at least 95 % of the rate is used."""
    dice = random.Random(rate)
    seconds = 120 if rate < BOUND_FROM else 20
    await world.push(
        *(
            world.entry(parts=dice.randint(1, longest), identity_rate=float(rate))
            for _ in range(round(rate * seconds * 1.2))
        )
    )
    begun, grants = world.now_us, []
    while world.now_us - begun < seconds * 1e6:
        claimed = await world.claim()
        grants += [(each.send_at_us, each.parts) for each in claimed.messages]
        world.advance_ms((claimed.next_open_ms or 1) + dice.random() * AHEAD_MS)
    first, last = min(grants)[0], max(grants)[0]
    assert sum(parts for at, parts in grants if at < last) * 1e6 / (last - first) >= rate * 0.95


async def test_no_message_is_passed_for_ever_by_shorter_ones(world):
    """Short messages may use what a long one cannot, but the long one goes within a few seconds."""
    await world.push(world.entry(parts=4, identity_rate=20.0))
    await world.push(*world.entries(5, parts=3, identity_rate=20.0))
    long = world.entry(parts=12, identity_rate=20.0)
    await world.push(long, *world.entries(400, identity_rate=20.0))
    begun = world.now_us
    while world.now_us - begun < 5e6:
        claimed = await world.claim()
        if any(each.message_id == long.message_id for each in claimed.messages):
            return
        world.advance_ms(claimed.next_open_ms or 1)
    pytest.fail("the long message did not leave")


async def test_after_idling_one_message_leaves_at_a_time_not_a_burst(world):
    """The case that broke a limiter which saved up tokens: idle, then twenty workers at once."""
    await world.push(*world.entries(200, identity_rate=100.0))
    world.advance_ms(60_000)
    claims = await asyncio.gather(*(world.claim(10) for _ in range(20)))
    instants = sorted(each.send_at_us for claimed in claims for each in claimed.messages)
    assert instants[0] == world.now_us
    assert instants[-1] <= world.now_us + AHEAD_MS * 1000
    assert all(later - sooner >= 9_999 for sooner, later in itertools.pairwise(instants))


async def test_a_message_that_missed_its_instant_keeps_its_place_where_nobody_came_after_it(world):
    """The charge moves with it, so a late mark costs a slow lane nothing."""
    await world.push(*world.entries(2, identity_rate=1.0))
    (first,) = (await world.claim()).messages
    world.advance_ms(100)
    again = await world.lanes.reserve_again(first)
    assert again is not None
    assert again.send_at_us == world.now_us
    assert (await world.claim()).messages == []
    world.advance_ms(1_020)
    (second,) = (await world.claim()).messages
    assert second.send_at_us - again.send_at_us == 1_030_000


async def test_a_message_that_missed_its_instant_goes_behind_those_that_have_one(world):
    """What others were given stands, and no second gets more than the rate."""
    await world.push(*world.entries(40, identity_rate=100.0))
    claimed = (await world.claim()).messages
    world.advance_ms(5)
    again = await world.lanes.reserve_again(claimed[0])
    assert again is not None
    assert again.send_at_us >= claimed[-1].send_at_us + 9_999


async def test_eight_claimants_on_redis_time_stay_exact(world, scripts):
    """The same on the server's own clock."""
    lanes = Lanes(scripts)
    assert await lanes.begin_rebuild(world.route, "real")
    assert await lanes.push(world.entries(400, identity_rate=100.0), rebuild_epoch="real") == []
    assert await lanes.finish_rebuild(world.route, "real")
    stop_at = time.monotonic() + 2.6
    instants: list[int] = []

    async def claimant() -> None:
        while time.monotonic() < stop_at:
            instants.extend(each.send_at_us for each in (await lanes.claim(world.route, 10)).messages)
            await asyncio.sleep(random.random() * 0.01)

    await asyncio.gather(*(claimant() for _ in range(8)))
    assert len(instants) >= 150
    assert most_in_a_second([(at / 1e6, 1) for at in sorted(instants)]) <= 100


@pytest.mark.parametrize(("rate", "longest"), [(3, 4), (20, 4), (100, 1)])
async def test_what_arrives_late_is_counted_where_it_arrives(world, rate, longest):
    """A busy machine delays calls by more than the gates have play for; the rate holds at the carrier."""
    dice = random.Random(rate)
    count = round(rate * 40 / longest)
    await world.push(
        *(world.entry(parts=dice.randint(1, longest), identity_rate=float(rate)) for _ in range(count))
    )
    begun, arrived, waiting = world.now_us, [], []
    while world.now_us - begun < 15e6:
        claimed = await world.claim()
        for each in claimed.messages:
            late_us = dice.choice([0, 0, 5_000, 60_000, 150_000])
            arrived.append(((each.send_at_us + late_us) / 1e6, each.parts))
            waiting.append((each.send_at_us + late_us, LateMessage(each, late_us)))
        told = [late for at, late in waiting if at <= world.now_us and late.late_us > 10_000]
        waiting = [(at, late) for at, late in waiting if at > world.now_us]
        await world.lanes.arrived_late(told)
        world.advance_ms(min(claimed.next_open_ms or 1, 20))
    assert len(arrived) > 15
    assert most_in_a_second(sorted(arrived)) <= bound(rate, longest)


async def test_what_was_waited_for_the_bound_is_made_up_for(world):
    """One message that reached the carrier late costs those behind it a wait, and not their whole line."""
    await world.push(*world.entries(60, identity_rate=20.0))
    begun, given, told = world.now_us, [], False
    while world.now_us - begun < 1.2e6:
        claimed = await world.claim()
        given += claimed.messages
        if not told:
            await world.lanes.arrived_late([LateMessage(given[0], 100_000)])
            told = True
        world.advance_ms(min(claimed.next_open_ms or 1, 20))
    after = [(each.send_at_us - begun) // 1000 for each in given[20:]]
    assert after[:4] == [1120, 1120, 1150, 1200]


@pytest.mark.parametrize("rate", [20, 100])
async def test_what_arrives_late_after_a_rest_is_counted_though_its_gate_is_nearly_empty(world, rate):
    """The first calls open connections and are the latest of all; a second later the gate is full."""
    await world.push(*world.entries(rate * 3, identity_rate=float(rate)))
    world.advance_ms(5_000)
    begun, arrived, first = world.now_us, [], []
    while world.now_us - begun < 2.5e6:
        claimed = await world.claim()
        for each in claimed.messages:
            late_us = 120_000 if each.send_at_us - begun < 100_000 else 0
            arrived.append((each.send_at_us + late_us) / 1e6)
            if late_us:
                first.append(LateMessage(each, late_us))
        if first and world.now_us - begun > 250_000:
            await world.lanes.arrived_late(first)
            first = []
        world.advance_ms(min(claimed.next_open_ms or 1, 20))
    assert len(arrived) > rate * 2
    assert most_in_a_second([(at, 1) for at in sorted(arrived)]) <= rate


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
async def test_a_full_memory_hears_what_was_late_as_long_as_it_lets_messages_go(world, client):
    """Claims go on in one where they first forget a second that is over; the gate then filled unawares."""
    await world.push(*world.entries(25, identity_rate=20.0))
    begun, given = world.now_us, []
    while world.now_us - begun < 1.1e6:
        claimed = await world.claim()
        given += claimed.messages
        world.advance_ms(claimed.next_open_ms or 1)
    await client.config_set("maxmemory", "1")
    try:
        assert len((await world.claim()).messages) > 0
        assert await world.lanes.arrived_late([LateMessage(given[-1], 50_000)]) == 1
    finally:
        await client.config_set("maxmemory", "0")


async def test_all_of_a_crowd_that_arrives_late_are_counted_where_they_came(world, client):
    """They are told together, in the order of their answers, and stand further apart than is read at once."""
    rate, dice = 200, random.Random(4)
    await world.push(*world.entries(rate, identity_rate=float(rate)))
    late = []
    for _ in range(47):
        late += [LateMessage(each, dice.randint(6_000, 200_000)) for each in await world.take()]
        world.advance_ms(20)
    dice.shuffle(late)
    assert len(late) > 2 * 64
    assert await world.lanes.arrived_late(late) == len(late)
    [log] = [name async for name in client.scan_iter(match=f"*{{r:{world.route}}}:w:*")]
    rows = [row.decode() for row in await client.lrange(log, 0, -1)]
    came = [f"{each.message.send_at_us + each.late_us}:1" for each in late]
    assert sorted(rows[-len(late) :]) == sorted(came)


async def test_of_messages_at_one_instant_each_is_moved_once(world, client):
    """Their rows in the gate's second are equal."""
    await world.push(*world.entries(1, identity_rate=20.0))
    [message] = await world.take()
    [log] = [name async for name in client.scan_iter(match=f"*{{r:{world.route}}}:w:*")]
    [row] = await client.lrange(log, 0, -1)
    await client.rpush(log, *(b"%d:1" % at for at in range(70)), row)
    late = [LateMessage(message, 10_000), LateMessage(message, 20_000), LateMessage(message, 30_000)]
    assert await world.lanes.arrived_late(late) == 2
    rows = await client.lrange(log, 0, -1)
    moved = [f"{message.send_at_us + by_us}:1".encode() for by_us in (20_000, 10_000)]
    assert [rows[0], rows[-1]] == moved
