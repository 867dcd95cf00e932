"""The price book in memory, read again every few seconds."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway.clock import Clock
from tenants.credits.pricing import PriceBook

_MAX_AGE_S = 5.0


class Prices:
    """Answers with the lines in force now; a price change is in force within five seconds."""

    def __init__(self, read: Callable[[datetime], Awaitable[PriceBook]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._book: PriceBook | None = None
        self._read_at: datetime | None = None

    async def current(self) -> PriceBook:
        """Return the book of this moment."""
        now = self._clock.now()
        if self._book is None or self._read_at is None or (now - self._read_at).total_seconds() > _MAX_AGE_S:
            self._book = await self._read(now)
            self._read_at = now
        return self._book
