"""
The lock under which one process rebuilds a route's lanes, for as long as the work takes and no longer.

It runs out by itself where its holder died, so whoever lives prolongs it beside the work, however long a page
of the queue takes. Everything done under it is fenced by its epoch in Redis; work that has lost it is cut
off, since nothing of it would count. Work that fails gives it back: it can be begun again at once.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes

_BEATS = 5
"""How often the lock is prolonged in its life: it survives some beats that nobody answers."""


class LockLost(Exception):
    """Another process rebuilds the lanes, or may by now."""


def require(held: bool) -> None:
    """Cut the work off, by a LockLost, where the lock is not held any more."""
    if not held:
        raise LockLost


@asynccontextmanager
async def rebuilding(lanes: Lanes, route: str, epoch: str, *, lock_s: float) -> AsyncGenerator[None]:
    """
    Hold the emptied lanes for a block that fills them, and open them after it.

    Raises:
        LockLost: Another process has the lock: before the block, in its midst, or at its end.
        RedisUnavailable: Redis went away.
    """
    try:
        require(await lanes.begin_rebuild(route, epoch, lock_s=lock_s))
        async with _kept(lanes, route, epoch, lock_s):
            yield
        require(await lanes.finish_rebuild(route, epoch))
    except BaseException:
        await lanes.give_up_rebuild(route, epoch)
        raise


@asynccontextmanager
async def _kept(lanes: Lanes, route: str, epoch: str, lock_s: float) -> AsyncGenerator[None]:
    """Prolong the lock beside the block; the block ends when the lock is lost, or must have run out."""
    life = asyncio.timeout(lock_s)
    try:
        async with life:
            keeper = asyncio.create_task(_keep(lanes, route, epoch, lock_s, life))
            try:
                yield
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
    except TimeoutError:
        if life.expired():
            raise LockLost from None
        raise


async def _keep(lanes: Lanes, route: str, epoch: str, lock_s: float, life: asyncio.Timeout) -> None:
    now = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(lock_s / _BEATS)
        asked_at = now()
        with suppress(RedisUnavailable):
            held = await lanes.keep_rebuild(route, epoch, lock_s=lock_s)
            life.reschedule(asked_at + lock_s if held else now())
