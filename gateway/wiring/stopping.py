"""
Ending a process's tasks in order, and in time.

A task that is told to stop finishes what it has begun, and may need Postgres for that. While Postgres is away
it would wait for minutes, and whoever runs the process kills it before: so the wait has an end, and what was
not finished is told. No message is lost by that: others take up what was marked or leased when the lease is
over, a mark as an unknown outcome.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog

_log = structlog.get_logger(__name__)

_LAST_S: Final = 1.0
"""For what is cut short to take note of it."""
_CLOSE_S: Final = 1.0
"""A store that is well lets go of a connection at once; one that stands still never does."""


async def end_all(tasks: Sequence[asyncio.Future[Any]], *, within_s: float) -> None:
    """Cancel tasks and wait for them to finish what they have begun, `within_s` seconds at most."""
    for each in tasks:
        each.cancel()
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=within_s)
    if late:
        _log.error("stop_cut_short", tasks=len(late), after_s=within_s)
        for each in late:
            each.cancel()
        await asyncio.wait(late, timeout=_LAST_S)


def closing(close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Return what closes a store's connections, and does not wait for a store that stands still."""

    async def closed() -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await close()
        except TimeoutError:
            _log.warning("store_not_closed", after_s=_CLOSE_S)

    return closed
