"""In any sliding second, never more than the rate plus the rest of one message."""

import asyncio
import random
import time

import pytest

from gateway.lanes.lanes import Lanes


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
        grants += [((world.now_us - begun) / 1e6, each.parts) for each in claimed.messages]
        late_ms = dice.choice([0, 0.3, 1, 3, 7, 9.9, 9.9, 10, 25])
        world.advance_ms((claimed.next_open_ms or 1) + late_ms)
    assert most_in_a_second(grants) <= max(rate, 1) + longest - 1


@pytest.mark.parametrize("rate", [1, 3, 20, 100])
async def test_polls_that_are_a_little_late_lose_no_rate(world, rate):
    """Up to the slack, lateness is made up for: at least 95 % of the rate is used."""
    dice = random.Random(rate)
    await world.push(*world.entries(round(rate * 12), identity_rate=float(rate)))
    begun, parts = world.now_us, 0
    while world.now_us - begun < 10e6:
        claimed = await world.claim()
        parts += len(claimed.messages)
        world.advance_ms((claimed.next_open_ms or 1) + dice.random() * 8)
    assert parts >= rate * 10 * 0.95


async def test_after_idling_one_message_leaves_not_a_burst(world):
    """The case that broke a limiter which saved up tokens: idle, then twenty workers at once."""
    await world.push(*world.entries(200, identity_rate=100.0))
    world.advance_ms(60_000)
    claims = await asyncio.gather(*(world.claim(10) for _ in range(20)))
    assert sum(len(each.messages) for each in claims) == 1


async def test_eight_claimants_on_redis_time_stay_exact(world, scripts, client):
    """The same on the server's own clock, which also writes down when each lease began."""
    lanes = Lanes(scripts)
    assert await lanes.begin_rebuild(world.route, "real")
    assert await lanes.push(world.entries(400, identity_rate=100.0), rebuild_epoch="real") == []
    assert await lanes.finish_rebuild(world.route, "real")
    stop_at = time.monotonic() + 2.6

    async def claimant() -> None:
        while time.monotonic() < stop_at:
            await lanes.claim(world.route, 10)
            await asyncio.sleep(random.random() * 0.01)

    await asyncio.gather(*(claimant() for _ in range(8)))
    leases = await client.zrange(f"{{r:{world.route}}}:lease", 0, -1, withscores=True)
    assert len(leases) >= 100
    assert most_in_a_second([(ends_us / 1e6, 1) for _, ends_us in leases]) <= 100
