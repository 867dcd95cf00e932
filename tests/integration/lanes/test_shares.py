"""
What quiet tenants wait beside a hot one, and a one-time password behind a campaign, in virtual time.

These are `bench fairness` and `bench priority` without a machine: the instants that claims give out, and no
commit, socket or clock but the test's. So what they find is of the design.
"""

import random
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from gateway.bench.fairness import QUIET, RATE, TARGETS, TIMES
from gateway.bench.report import percentile
from gateway.lanes.entry import LaneEntry, Priority
from gateway.lanes.lanes import AHEAD_MS
from gateway.lanes.scripts import RedisScripts
from tests.integration.lanes.conftest import World

pytestmark = pytest.mark.parametrize("redis_url", ["one"], indirect=True)

SECONDS = 6
SECOND_US = 1_000_000
HOT = 1
"""Before the others wherever tenants would be told apart by their ids."""
MOST_TIMES = TARGETS["ratio.sender_p99_ms"].at_most
OTP_PER_S = 20
MOST_ADDED_MS = 50.0
"""Half of what is promised: the other half is the machine's."""
LATE_MS = 10.0
"""A claim comes up to this much after the time that the last one named."""

Push = tuple[int, Sequence[LaneEntry]]
Entries = Callable[..., list[LaneEntry]]


async def instants(world: World, pushes: list[Push], until_us: int) -> dict[UUID, int]:
    """Push at the times given, claim whenever there is something to claim; the instant of each message."""
    dice, due, given, next_claim = random.Random(1), sorted(pushes, key=lambda push: push[0]), {}, 0
    while (now_us := min(next_claim, due[0][0] if due else until_us)) < until_us:
        world.now_us = max(world.now_us, now_us)
        while due and due[0][0] <= world.now_us:
            await world.push(*due.pop(0)[1])
        claimed = await world.claim()
        given |= {each.message_id: each.send_at_us for each in claimed.messages}
        await world.lanes.settle(world.route, [each.message_id for each in claimed.messages])
        open_ms = claimed.next_open_ms
        next_claim = (
            until_us if open_ms is None else world.now_us + round((open_ms + dice.random() * LATE_MS) * 1000)
        )
    return given


async def waited_ms(world: World, measured: list[Push], beside: list[Push]) -> float:
    """Return the p99 of what the measured messages waited from their push to their instant."""
    end = max(at for at, _ in measured) + 2 * SECOND_US
    given = await instants(world, measured + beside, end)
    return percentile(
        [(given[each.message_id] - at) / 1000 for at, entries in measured for each in entries], 0.99
    )


async def crowd_ms(
    scripts: RedisScripts, *, at: str, hot: bool, ahead_ms: float, one_flow: bool = False
) -> float:
    """Return the quiet tenants' p99 at one sender, or each at its own under one account."""
    world = World(scripts, ahead_ms=ahead_ms)
    await world.open()
    if at == "account":
        world.limit_requests(RATE)

    def text(tenant: int) -> LaneEntry:
        identity, rate = (1, float(RATE)) if at == "sender" else (tenant, 9_000.0)
        return world.entry(tenant=1 if one_flow else tenant, identity=identity, identity_rate=rate)

    start, dice = world.now_us, random.Random(2)
    ticks = 20
    heat = [
        (start + tick * SECOND_US // ticks, [text(HOT) for _ in range(TIMES // ticks)])
        for tick in range((SECONDS + 1) * ticks)
    ]
    quiet = [
        (start + second * SECOND_US + dice.randrange(50_000), [text(HOT + 1 + each) for each in range(QUIET)])
        for second in range(1, SECONDS + 1)
    ]
    return await waited_ms(world, quiet, heat if hot else [])


@pytest.mark.parametrize("at", ["sender", "account"])
async def test_quiet_tenants_hardly_wait_longer_beside_a_hot_one(scripts, at):
    """A hundred times their load adds what is given out ahead, and no turn of the hot one's."""
    alone, beside = [await crowd_ms(scripts, at=at, hot=hot, ahead_ms=AHEAD_MS) for hot in (False, True)]
    assert beside <= alone * MOST_TIMES


@pytest.mark.parametrize("broken", [{"ahead_ms": 80.0}, {"one_flow": True}], ids=["far ahead", "one flow"])
async def test_lanes_that_give_out_too_much_or_know_no_tenants_are_found_out(scripts, broken):
    """The checker of the shares on lanes that bind themselves for too long, or serve whoever came first."""
    values = {"at": "sender", "ahead_ms": AHEAD_MS} | broken
    alone, beside = [await crowd_ms(scripts, hot=hot, **values) for hot in (False, True)]
    assert beside > alone * MOST_TIMES


async def otp_ms(scripts: RedisScripts, priority: Priority) -> float:
    """Return the p99 that one-time passwords at this priority wait behind a campaign at the same sender."""
    world = World(scripts, ahead_ms=AHEAD_MS)
    await world.open()
    start, dice = world.now_us, random.Random(3)
    campaign = world.entries(RATE * (SECONDS + 4), priority=Priority.PROMOTIONAL, identity_rate=float(RATE))
    codes = [
        (
            start + SECOND_US + tick * SECOND_US // OTP_PER_S + dice.randrange(10_000),
            [world.entry(priority=priority, identity_rate=float(RATE))],
        )
        for tick in range(SECONDS * OTP_PER_S)
    ]
    given = await instants(world, [(start, campaign), *codes], start + (SECONDS + 3) * SECOND_US)
    late = start + (SECONDS + 3) * SECOND_US
    return percentile([(given.get(each.message_id, late) - at) / 1000 for at, (each,) in codes], 0.99)


async def test_a_one_time_password_waits_for_what_is_given_out_and_no_more(scripts):
    """However long the campaign, which uses all that is left of the sender's rate."""
    assert await otp_ms(scripts, Priority.OTP) <= MOST_ADDED_MS


async def test_lanes_without_priorities_are_found_out(scripts):
    """The checker of the priorities on one-time passwords that stand in the campaign's line."""
    assert await otp_ms(scripts, Priority.PROMOTIONAL) > MOST_ADDED_MS
