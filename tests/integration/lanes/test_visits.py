"""
How many messages a visit of a channel brings, and whose visit is next.

A dispatcher takes a few messages at a time while many channels have something; in virtual time, so that only
the rules decide.
"""

import hashlib
from collections import Counter
from itertools import groupby, pairwise

import pytest
from msgspec import structs

from gateway.lanes import lanes as lanes_module
from gateway.lanes.entry import Priority, RateGate
from gateway.lanes.lanes import AHEAD_MS, QUANTUM
from tests.integration.lanes.conftest import World

pytestmark = pytest.mark.parametrize("redis_url", ["one"], indirect=True)

CHANNELS = range(1, 13)
BACKLOG = 10 * QUANTUM
FAST = 9_000.0
SCARCE = 100.0
TWO_AHEAD = 1_500 // AHEAD_MS
"""Parts a second of which two go within what is given out ahead."""
ROOM = 2 * QUANTUM
"""What a claim brings where the dispatcher has little room: the visits of two channels."""


@pytest.fixture
async def crowd(scripts) -> World:
    """Channels of which each has a backlog, and of which none is slow."""
    world = World(scripts, ahead_ms=AHEAD_MS)
    await world.open()
    return world


async def queue(world: World, *channels: int, count: int = BACKLOG, **fields) -> None:
    await world.push(
        *(
            world.entry(**({"identity": channel, "tenant": channel, "identity_rate": FAST} | fields))
            for channel in channels
            for _ in range(count)
        )
    )


async def taken_from(world: World, limit: int = ROOM) -> list[int]:
    """Claim a little, and return the channels in the order in which they were served."""
    world.advance_ms(5)
    return [each.identity.int for each in await world.take(limit)]


def breaks(monkeypatch: pytest.MonkeyPatch, name: str, sound: str, broken: str) -> None:
    """Replace a line of a script."""
    script = getattr(lanes_module, name)
    assert sound in script.text, "it is written in another way now; break it again"
    text = script.text.replace(sound, broken)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(lanes_module, name, structs.replace(script, text=text, digest=digest))


async def test_a_visit_brings_a_quantum_where_nothing_is_scarce(crowd):
    """What a visit costs is then shared by its messages; the channels take turns all the same."""
    await queue(crowd, *CHANNELS)
    await crowd.take(5 * QUANTUM)  # in which the promotional floor was asked for, which ends a visit early
    served = [channel for _ in CHANNELS for channel in await taken_from(crowd)]
    assert {len([*visit]) for _, visit in groupby(served)} == {QUANTUM}
    assert max(Counter(served).values()) <= 2 * QUANTUM


async def rounds_until_served(world: World, channel: int) -> int:
    """Return how many claims it takes until a channel with one message is served."""
    await queue(world, channel, count=1)
    for rounds in range(1, len(CHANNELS) + 1):
        if channel in await taken_from(world):
            return rounds
    return len(CHANNELS) + 1


@pytest.mark.parametrize("served_before", [False, True])
async def test_a_newcomer_does_not_wait_for_the_others_quanta(crowd, served_before):
    """It was served longest ago, or never, and so is next, however many have a backlog."""
    newcomer = 99
    if served_before:
        await queue(crowd, newcomer, count=1)
        assert await taken_from(crowd) == [newcomer]
    await queue(crowd, *CHANNELS)
    for _ in CHANNELS:
        await taken_from(crowd)
    assert await rounds_until_served(crowd, newcomer) == 1


async def test_lanes_that_let_newcomers_wait_for_a_round_are_found_out(crowd, monkeypatch):
    """The checker of newcomers on lanes where they stand behind all who have a backlog."""
    breaks(monkeypatch, "_PUSH", "math.min(now, tonumber(row[2] or 0))", "now")
    many = range(1, 201)  # more than a claim looks at
    await queue(crowd, *many, count=2 * QUANTUM)
    for _ in range(len(many) // 2):
        await taken_from(crowd)
    assert await rounds_until_served(crowd, 999) > 1


async def test_a_newcomer_among_more_than_a_claim_looks_at_is_next(crowd):
    """The same crowd, unbroken."""
    many = range(1, 201)
    await queue(crowd, *many, count=2 * QUANTUM)
    for _ in range(len(many) // 2):
        await taken_from(crowd)
    assert await rounds_until_served(crowd, 999) == 1


async def test_a_message_that_comes_back_is_not_behind_the_others_quanta(crowd):
    """It was given back to an empty line, whose turn is as long ago as if it had never gone."""
    [message] = await one_claimed(crowd, 99)
    await queue(crowd, *CHANNELS)
    for _ in CHANNELS:
        await taken_from(crowd)
    assert await crowd.lanes.requeue(message, delay_ms=0)
    assert 99 in await taken_from(crowd)


async def one_claimed(world: World, channel: int):
    await queue(world, channel, count=1)
    return await world.take(1)


async def test_queueing_one_message_at_a_time_is_no_way_past_the_others(crowd):
    """Whoever has just been served is last, with an empty line as with a full one."""
    sly, visits = 99, Counter()
    await queue(crowd, *CHANNELS)
    await queue(crowd, sly, count=1)
    for _ in range(3 * len(CHANNELS)):
        served = await taken_from(crowd)
        visits.update(set(served))
        if sly in served:
            await queue(crowd, sly, count=1)
    assert visits[sly] <= max(visits[channel] for channel in CHANNELS) + 1


async def turns_of_two(world: World, **fields) -> list[int]:
    """Return the channels of two backlogs by their instants."""
    await queue(world, 1, 2, count=20, **fields)
    return [each.identity.int for _, each in await world.drain()]


def takes_turns(served: list[int]) -> bool:
    return all(one != other for one, other in pairwise(served))


@pytest.mark.parametrize("scarce", ["requests", "campaign", "one-time passwords"])
async def test_where_channels_contend_they_take_turns_message_by_message(crowd, scarce):
    """The account's requests or a campaign's parts limit, or every moment counts: no quantum."""
    assert takes_turns(await contended(crowd, scarce))


async def contended(world: World, scarce: str) -> list[int]:
    if scarce == "requests":
        world.limit_requests(SCARCE)
    fields = {
        "requests": {},
        "campaign": {"shared_gates": (RateGate("campaign", SCARCE),)},
        "one-time passwords": {"priority": Priority.OTP},
    }
    return await turns_of_two(world, **fields[scarce])


@pytest.mark.parametrize(
    ("scarce", "sound", "broken"),
    [
        ("requests", "not route_is_roomy", "false"),
        ("campaign", "not is_roomy(c.gates[at])", "false"),
        ("one-time passwords", "priority == 0 or", ""),
    ],
)
async def test_a_quantum_where_channels_contend_is_found_out(crowd, monkeypatch, scarce, sound, broken):
    """The checker of the turns on lanes that give quanta whatever is scarce."""
    breaks(monkeypatch, "_CLAIM", sound, broken)
    assert not takes_turns(await contended(crowd, scarce))


async def test_the_twentieth_request_is_promotional_within_quanta_too(crowd):
    """The count is looked at after each message, so the floor stays exact."""
    await queue(crowd, *CHANNELS, count=60)
    await queue(crowd, 50, count=60, priority=Priority.PROMOTIONAL)
    served = [channel for _ in range(30) for channel in await taken_from(crowd, 20)]
    assert [at for at, channel in enumerate(served) if channel == 50] == list(range(19, len(served), 20))


async def test_a_visit_ends_where_the_channels_own_gate_closes(crowd):
    """A quantum is the most that may go, not what must."""
    await queue(crowd, *CHANNELS, identity_rate=TWO_AHEAD)
    assert set(Counter(await taken_from(crowd, 100)).values()) == {2}


async def left_behind_by_a_message_queued_twice(world: World) -> list[int]:
    """Return the parts of what comes later, where the second of two equal entries passes a long message."""
    whole = round(TWO_AHEAD)  # the long message waits for a second that is free
    twice = world.entry(identity_rate=TWO_AHEAD)
    long = world.entry(parts=whole, identity_rate=TWO_AHEAD)
    await world.push(twice, long, twice)
    assert [each.parts for each in await world.take()] == [1, 1]
    return [each.parts for _, each in await world.drain()]


async def test_a_message_queued_twice_takes_no_other_with_it(crowd):
    """A push that was repeated leaves its message twice in a list; each of the two goes by itself."""
    assert await left_behind_by_a_message_queued_twice(crowd) == [round(TWO_AHEAD)]


async def test_a_list_that_is_searched_before_it_is_written_is_found_out(crowd, monkeypatch):
    """The checker on a claim that takes the wrong one of two equal entries, and then the head for it."""
    breaks(monkeypatch, "_CLAIM", "write_queue(queue)             -- LREM", "-- LREM")
    assert await left_behind_by_a_message_queued_twice(crowd) == [1]
