"""T-Mobile's day ends at midnight in the Pacific, in summer and in winter."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.lanes.entry import IN_PACIFIC_TIME, DailyCap
from gateway.lanes.queues import Queues

PACIFIC = ZoneInfo("America/Los_Angeles")
CAP = DailyCap(f"{IN_PACIFIC_TIME}b:B1", 5)
INSTANTS = [
    "2026-01-01T07:59:59",
    "2026-01-01T08:00:00",
    "2026-03-08T07:59:59",
    "2026-03-08T09:59:59",
    "2026-03-08T10:00:00",
    "2026-03-09T06:59:59",
    "2026-07-04T06:59:59",
    "2026-07-04T07:00:00",
    "2026-11-01T07:00:00",
    "2026-11-01T08:59:59",
    "2026-11-01T09:00:00",
    "2026-11-02T07:59:59",
    "2026-12-31T23:59:59",
    "2028-02-29T12:00:00",
    "2032-11-07T08:30:00",
    "2099-03-08T12:00:00",
]


def midnight_after(at: datetime) -> datetime:
    """By the database of time zones."""
    tomorrow = at.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PACIFIC)


@pytest.mark.parametrize("instant", INSTANTS)
async def test_the_day_ends_when_it_does_in_the_pacific(world, instant):
    """Redis has no database of time zones."""
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    world.now_us = round(at.timestamp() * 1e6)
    today = await Queues(world.lanes).today(world.route, [CAP.name])
    assert today.ends_in_s[CAP.name] == (midnight_after(at) - at).total_seconds()


async def test_a_brand_does_not_send_twice_its_ceiling_around_midnight_utc(world):
    """What went at 23:59 UTC and what would at 0:01 are of one day of T-Mobile's."""
    world.now_us = round(datetime(2027, 1, 15, 23, 59, 59, tzinfo=UTC).timestamp() * 1e6)
    await world.push(*world.entries(8, identity_rate=100.0, daily_caps=(CAP,)))
    taken = await world.drain()
    assert [at < 1 for at, _ in taken].count(True) == 5
    eight_hours_and_a_second_s = 8 * 3600 + 1
    assert taken[5][0] == pytest.approx(eight_hours_and_a_second_s, abs=1)
