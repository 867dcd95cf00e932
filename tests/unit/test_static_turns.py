"""An instant without Redis lies in a turn of one's own, however long the mark before it takes."""

import asyncio
import time
from functools import partial
from uuid import UUID

from gateway.dispatch.roster import View
from gateway.dispatch.share import Place
from gateway.dispatch.turns import STATIC_LATE_S, StaticTurns
from tests.harness.entries import entry as plain

PERIOD_US = 1_020_000 / 20
CELLS = 4
entry = partial(plain, identity_rate=20.0)
"""A message of a line of 20 parts a second."""


class Settled:
    """A roster that has been the same for long."""

    def __init__(self, rank: int = 0, count: int = 1, *, all_static: bool = True) -> None:
        now = time.monotonic()
        self.mode = "static"
        self.view = View(
            place=Place(rank, count),
            all_static=all_static,
            clock_offset_us=0.0,
            seen_at=now + 60,
            steady_since=now - 60,
        )


def turns(roster) -> StaticTurns:
    """Turns without a quota of requests."""
    return StaticTurns(roster, lambda: 0.0)


def granted(mine, **fields):
    """Wait for a grant."""
    while (message := mine.grant(entry(**fields))) is None:
        pass
    return message


def late_by(message, seconds):
    """Wait until the instant of a message is over for so long."""
    time.sleep(max(message.release_at + seconds - time.monotonic(), 0))


def soon() -> float:
    """When a mark made now would be too old."""
    return time.monotonic() + 5


async def test_a_message_waits_for_its_instant():
    """It is granted ahead, so that its mark can be made before."""
    mine = turns(Settled())
    message = granted(mine)
    assert await mine.released(message, until=soon()) is message
    assert time.monotonic() >= message.release_at


async def test_a_message_that_lost_its_turn_gets_another_of_ours():
    """In somebody else's turn it would meet a message of theirs; given up, it would be as late again."""
    for rank in (0, 1):
        mine = turns(Settled(rank, 2))
        message = granted(mine, recipient_hash=b"somebody")
        late_by(message, STATIC_LATE_S + 0.01)
        again = await mine.released(message, until=soon())
        assert again is not None
        assert again.release_at > message.release_at
        assert (again.send_at_us // PERIOD_US) // CELLS % 2 == rank


async def test_after_slow_marks_instants_are_granted_further_ahead():
    """Otherwise each message would lose the turn it was granted for."""
    mine = turns(Settled())
    slow = granted(mine)
    late_by(slow, 0.3)
    await mine.released(slow, until=soon())
    now = time.monotonic()
    assert granted(mine).release_at >= now + 0.3


async def test_whoever_lost_a_turn_comes_before_what_is_new_in_its_line():
    """The new would take each turn, and lose it."""
    mine = turns(Settled())
    slow = granted(mine, recipient_hash=b"somebody")
    late_by(slow, 1.1)
    granted(mine, serial=2, recipient_hash=b"somebody")  # so that there is something to wait for
    going = asyncio.create_task(mine.released(slow, until=soon()))
    for _ in range(3):
        await asyncio.sleep(0)
    assert mine.grant(entry(3)) is None
    assert mine.grant(entry(4, identity=UUID(int=2))) is not None
    assert await going is not None
    assert granted(mine, serial=3)


async def test_a_message_without_a_turn_before_its_mark_is_old_is_given_up():
    """It comes back as a new one."""
    mine = turns(Settled())
    message = granted(mine)
    late_by(message, STATIC_LATE_S + 0.01)
    assert await mine.released(message, until=time.monotonic()) is None


async def test_nothing_leaves_by_a_share_that_is_nobody_s_any_more():
    """The others go by the lanes again, which use the whole rate."""
    roster = Settled()
    mine = turns(roster)
    message = granted(mine)
    roster.view = Settled(all_static=False).view
    roster.mode = "lanes"
    assert await mine.released(message, until=soon()) is None
