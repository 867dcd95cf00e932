"""Prices in memory: read once for many, and again for a book that they do not know."""

import asyncio
from datetime import UTC, datetime

from gateway.clock import FixedClock
from gateway.intake.prices import Prices, Tariff
from tenants.accounts.plan import Plan
from tenants.credits.pricing import PriceBook

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_book_that_is_not_known_is_read_and_one_without_a_line_asked_for_once() -> None:
    """Each of its sends would read every price of every book."""
    reads: list[datetime] = []
    stored = {"default": PriceBook({})}

    async def read(at: datetime) -> Tariff:
        reads.append(at)
        await asyncio.sleep(0)
        return Tariff(books=dict(stored))

    prices = Prices(read, FixedClock(NOW))
    await prices.current(Plan())
    stored["vip"] = PriceBook({})
    found = await asyncio.gather(*(prices.current(Plan(price_book="vip")) for _ in range(9)))
    assert {"vip" in tariff.books for tariff in found} == {True}
    assert len(reads) == 2
    for _ in range(9):
        await prices.current(Plan(price_book="ended"))
        await prices.current(Plan(price_book="vip"))
    assert len(reads) == 3
