"""What an answer says of when its request arrived, and what the gates are told of it."""

import asyncio
from uuid import UUID

import pytest
from msgspec import structs

from gateway.dispatch.lateness import PLAY_S, Lateness
from gateway.lanes.entry import ClaimedMessage, Priority
from gateway.lanes.errors import RedisUnavailable

MESSAGE = ClaimedMessage(
    message_id=UUID(int=1),
    route="main",
    tenant_id=UUID(int=2),
    identity=UUID(int=3),
    country="US",
    priority=Priority.OTP,
    parts=1,
    attempt=1,
    claims=1,
    recipient_hash=bytes(8),
)


IN_TIME = [0.005] * 12
"""Answers after which there is something to compare with."""


class Told:
    """Lanes that keep what they were told, or are away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away, self.calls = away, list[list[int]]()

    async def arrived_late(self, late) -> int:
        """Keep the microseconds of each call."""
        self.calls.append([each.late_us for each in late])
        if self.away:
            raise RedisUnavailable("away")
        return len(late)


async def told_of(answers_s, lanes, *, by_lanes=True) -> list[list[int]]:
    """Return what the gates were told of answers that took so long after their instants."""
    now = [100.0]
    lateness = Lateness(lanes, monotonic=lambda: now[0])
    for took_s in answers_s:
        now[0] += 1.0
        lateness.answered(structs.replace(MESSAGE, release_at=now[0] - took_s, by_lanes=by_lanes))
    await asyncio.sleep(0.05)
    return lanes.calls


async def test_what_came_later_than_the_fastest_by_more_than_the_play_is_told_at_once():
    """The way to the carrier is the same for all; only the difference disturbs a second."""
    [late_us] = await told_of([*IN_TIME, 0.009, 0.030, 0.105], Told())
    assert late_us == pytest.approx([20_000, 95_000], abs=2)


async def test_the_first_answers_count_whole():
    """They opened connections side by side, so the fastest of them is no measure for the others."""
    [late_us] = await told_of([0.2, 0.21], Told())
    assert late_us == pytest.approx([(0.2 - PLAY_S) * 1e6, (0.21 - PLAY_S) * 1e6], abs=2)


async def test_nothing_is_told_of_what_came_in_time_too_late_or_without_lanes():
    """Its second is over, or there is none."""
    assert await told_of([*IN_TIME, 0.008, 3.0], Told()) == []
    assert await told_of([0.2], Told(), by_lanes=False) == []


async def test_a_redis_that_is_away_stops_no_call():
    """It forgets its seconds anyway."""
    assert len(await told_of([0.2], Told(away=True))) == 1
