"""A message leaves at its instant or gets another; it never leaves in somebody else's second."""

import time
from uuid import UUID

from msgspec import structs

from gateway.lanes.entry import ClaimedMessage, Priority
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.release import LATE_S, LONGEST_WAIT_S, released


def claimed(release_at: float) -> ClaimedMessage:
    return ClaimedMessage(
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
        release_at=release_at,
    )


class Again:
    """Lanes that give another instant so many seconds from now, or are away."""

    def __init__(self, wait_s: float | None = 0.0, *, away: bool = False) -> None:
        self.wait_s, self.away, self.asked = wait_s, away, 0

    async def reserve_again(self, message: ClaimedMessage) -> ClaimedMessage | None:
        """Count the question and answer it."""
        self.asked += 1
        if self.away:
            raise RedisUnavailable("away")
        if self.wait_s is None:
            return None
        return structs.replace(message, release_at=time.monotonic() + self.wait_s)


async def test_a_message_waits_for_its_instant():
    """Early is as wrong as late."""
    due = time.monotonic() + 0.02
    lanes = Again()
    assert await released(lanes, claimed(due))
    assert time.monotonic() >= due - 0.001


async def test_a_message_that_is_a_little_late_goes_at_the_instant_it_was_counted_at():
    """Its gates are told how late it came; asking again would cost the lane more."""
    lanes = Again()
    late = claimed(time.monotonic() - LATE_S / 2)
    assert await released(lanes, late) is late
    assert lanes.asked == 0


async def test_a_message_whose_instant_passed_gets_another():
    """The process stood still."""
    lanes = Again(0.01)
    assert await released(lanes, claimed(time.monotonic() - LATE_S - 0.01))
    assert lanes.asked >= 1


async def test_a_message_with_no_instant_soon_is_given_back():
    """Its mark would grow old, and a worker's place would be taken for nothing."""
    late = claimed(time.monotonic() - 1)
    assert not await released(Again(LONGEST_WAIT_S + 1), late)
    assert not await released(Again(None), late)


async def test_without_redis_the_instant_that_was_granted_stands():
    """It was charged; only its second is disturbed."""
    assert await released(Again(away=True), claimed(time.monotonic() - 1))
