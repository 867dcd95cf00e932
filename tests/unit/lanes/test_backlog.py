"""How long a message would wait, from figures that are at most a quarter of a second old."""

import asyncio
from uuid import UUID

import pytest

from gateway.lanes.backlog import BacklogView
from gateway.lanes.entry import Priority
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import LaneKey

IDENTITY = UUID(int=1)


class CountedLanes:
    """Lanes whose backlog is what the test says, and that count how often they were asked."""

    def __init__(self, parts: dict[Priority, int]) -> None:
        self.parts = parts
        self.asked = 0
        self.away = False

    async def backlog(self, route: str) -> dict[LaneKey, int]:
        """Return the figures, a turn of the loop later."""
        assert route == "main"
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise RedisUnavailable("away")
        return {LaneKey(IDENTITY, "US", priority): parts for priority, parts in self.parts.items()}


class Stopwatch:
    """Seconds that pass when told to."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def lanes() -> CountedLanes:
    return CountedLanes({Priority.OTP: 10, Priority.TRANSACTIONAL: 20, Priority.PROMOTIONAL: 300})


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def view(lanes, stopwatch) -> BacklogView:
    return BacklogView(lanes, monotonic=stopwatch)


@pytest.mark.parametrize(
    ("priority", "wait_ms"),
    [(Priority.OTP, 1_000), (Priority.TRANSACTIONAL, 3_000), (Priority.PROMOTIONAL, 33_000)],
)
async def test_only_the_same_and_more_urgent_messages_are_ahead(view, priority, wait_ms):
    """A campaign in the lane does not make a one-time password wait."""
    assert await view.estimated_wait_ms("main", IDENTITY, "US", priority, rate=10.0) == wait_ms


async def test_another_lane_does_not_count(view):
    """Another country has its own rate."""
    assert await view.estimated_wait_ms("main", IDENTITY, "CA", Priority.PROMOTIONAL, rate=10.0) == 0


async def test_what_was_admitted_since_counts_until_the_figures_are_read_again(view, lanes, stopwatch):
    """A burst inside a quarter of a second must see itself."""
    ask = {"rate": 10.0}
    await view.estimated_wait_ms("main", IDENTITY, "US", Priority.OTP, **ask)
    view.admitted("main", IDENTITY, "US", Priority.OTP, 5)
    assert await view.estimated_wait_ms("main", IDENTITY, "US", Priority.OTP, **ask) == 1_500
    lanes.parts[Priority.OTP] = 12
    stopwatch.seconds += 0.3
    assert await view.estimated_wait_ms("main", IDENTITY, "US", Priority.OTP, **ask) == 1_200


async def test_a_thousand_questions_at_once_read_the_backlog_once(view, lanes):
    """Single flight: the others wait for the same answer."""
    ask = [view.estimated_wait_ms("main", IDENTITY, "US", Priority.OTP, rate=10.0) for _ in range(1000)]
    assert set(await asyncio.gather(*ask)) == {1_000}
    assert lanes.asked == 1


async def test_without_redis_the_last_figures_stand(view, lanes, stopwatch):
    """Accepting goes on when Redis is away."""
    await view.estimated_wait_ms("main", IDENTITY, "US", Priority.OTP, rate=10.0)
    lanes.away = True
    stopwatch.seconds += 1
    view.admitted("main", IDENTITY, "US", Priority.OTP, 10)
    assert await view.estimated_wait_ms("main", IDENTITY, "US", Priority.OTP, rate=10.0) == 2_000
