"""The operator's prices and budgets in memory, read again every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from gateway.clock import Clock
from tenants.accounts.plan import Plan
from tenants.budgets.budget import Budget
from tenants.credits.pricing import PriceBook

_NO_BOOK = PriceBook({})
_MAX_AGE = timedelta(seconds=5)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Tariff(Struct, frozen=True, kw_only=True):
    """What the operator asks and allows at one moment."""

    books: Mapping[str, PriceBook]
    platform_budgets: tuple[Budget, ...] = ()
    """Caps on what AWS may charge in a month, over all tenants."""

    def book_of(self, plan: Plan) -> PriceBook:
        """Return the book that holds for a plan; empty where there is none of its name."""
        return self.books.get(plan.price_book, _NO_BOOK)


class Prices:
    """
    Answers with what is in force now.

    A change of prices is followed within five seconds. A book that is newer than what is in memory is read
    when the first plan names it: its tenant would else be told that nothing has a price.
    """

    def __init__(self, read: Callable[[datetime], Awaitable[Tariff]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._tariff: Tariff | None = None
        self._good_until = _LONG_AGO
        self._reading: asyncio.Task[Tariff] | None = None
        self._absent: set[str] = set()
        """Books without a line, as what is in memory was read: asked for once."""

    async def current(self, plan: Plan) -> Tariff:
        """Return the tariff of this moment; those who find it old, or their book missing, share one read."""
        now, name, known = self._clock.now(), plan.price_book, self._tariff
        if known is not None and now <= self._good_until and (name in known.books or name in self._absent):
            return known
        if self._reading is None:
            self._reading = asyncio.create_task(self._renew(now))
            self._reading.add_done_callback(self._read_done)
        tariff = await asyncio.shield(self._reading)
        if name not in tariff.books:
            self._absent.add(name)
        return tariff

    async def _renew(self, now: datetime) -> Tariff:
        self._tariff = await self._read(now)
        self._absent.clear()
        self._good_until = now + _MAX_AGE
        return self._tariff

    def _read_done(self, task: asyncio.Task[Tariff]) -> None:
        """Mark a failure as seen: those who wait get it, and where nobody waits it is no news."""
        self._reading = None
        if not task.cancelled():
            task.exception()
