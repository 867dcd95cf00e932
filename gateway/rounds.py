"""What must happen again and again, on one process at a time or on any: rounds with their intervals."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from msgspec import Struct

from gateway.db.faults import DATABASE_FAULTS
from gateway.lanes.errors import RedisUnavailable

_log = structlog.get_logger(__name__)
_APART_S: Final = 0.02
"""Between the starts of two rounds: all at once would each take a connection, and keep meeting."""


class Round(Struct, frozen=True, kw_only=True):
    """One recurring task; it locks what it works on, so running twice at once is harmless."""

    name: str
    every_s: float
    work: Callable[[], Awaitable[object]]
    """Returns how much it did, where it rests."""
    at_rest_s: float | None = None
    """While there is nothing to do the interval doubles up to this; None keeps it as it is."""


async def run_rounds(rounds: list[Round]) -> None:
    """Run every round at its interval until cancelled; one that fails is logged and comes again."""
    async with asyncio.TaskGroup() as group:
        for each in rounds:
            group.create_task(_repeat(each))
            await asyncio.sleep(_APART_S)


async def _repeat(each: Round) -> None:
    pause_s = each.every_s
    while True:
        done: object = True
        try:
            done = await each.work()
        except (*DATABASE_FAULTS, RedisUnavailable) as error:
            _log.warning("round_failed", round=each.name, error=str(error))
        except Exception:  # noqa: BLE001 - one broken round must not stop the others; it is logged
            _log.exception("round_broken", round=each.name)
        pause_s = next_pause_s(each, pause_s, busy=bool(done))
        await asyncio.sleep(pause_s)


def next_pause_s(each: Round, last_s: float, *, busy: bool) -> float:
    """Return the seconds until a round comes again, `last_s` after the one before it."""
    if busy or each.at_rest_s is None:
        return each.every_s
    return min(each.at_rest_s, 2 * last_s)
