"""The price book in memory, read again every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from gateway.clock import Clock
from tenants.credits.pricing import PriceBook

_MAX_AGE = timedelta(seconds=5)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Prices:
    """Answers with the lines in force now; a price change is in force within five seconds."""

    def __init__(self, read: Callable[[datetime], Awaitable[PriceBook]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._book: PriceBook | None = None
        self._good_until = _LONG_AGO
        self._reading: asyncio.Task[PriceBook] | None = None

    async def current(self) -> PriceBook:
        """Return the book of this moment; those who find it old share one read of the new one."""
        now = self._clock.now()
        if self._book is not None and now <= self._good_until:
            return self._book
        if self._reading is None:
            self._reading = asyncio.create_task(self._renew(now))
            self._reading.add_done_callback(self._read_done)
        return await asyncio.shield(self._reading)

    async def _renew(self, now: datetime) -> PriceBook:
        self._book = await self._read(now)
        self._good_until = now + _MAX_AGE
        return self._book

    def _read_done(self, task: asyncio.Task[PriceBook]) -> None:
        """Mark a failure as seen: those who wait get it, and where nobody waits it is no news."""
        self._reading = None
        if not task.cancelled():
            task.exception()
