"""
The example price book: numbers to begin with, and to be replaced.

`example_prices.csv` holds made-up but plausible prices, so that a first start can send. It is nobody's price
list: an operator loads its own before it sells anything.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits import store
from tenants.credits.money import parse_usd
from tenants.credits.pricing import PriceBook, PriceLine, book_of

EXAMPLE_SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before every real price, so that the operator's own line always wins."""


def example_lines() -> Iterator[PriceLine]:
    """Yield the lines of the example; lines that begin with `#` are its warning."""
    text = files("tenants.credits").joinpath("example_prices.csv").read_text(encoding="utf-8")
    rows = (row for row in text.splitlines() if not row.startswith("#"))
    for row in csv.DictReader(rows):
        yield PriceLine(
            country=row["country"],
            channel=row["channel"],
            sell_micros=parse_usd(row["sell_usd"], field="sell_usd"),
            cost_micros=parse_usd(row["cost_usd"], field="cost_usd"),
            credits=int(row["credits"]),
        )


def example_book() -> PriceBook:
    """Return the example as a book, without a database."""
    return book_of(example_lines())


async def load_example_book(session: AsyncSession) -> int:
    """
    Fill an empty price book with the example and return how many lines were added; 0 if there were any.

    Any number of processes may do so at once: the lines have one fixed beginning, so they are added once.
    Needs a worker's session.
    """
    if await store.has_prices(session):
        return 0
    await store.note_import(session, store.DEFAULT_BOOK, example=True)
    return await store.add_prices(session, list(example_lines()), valid_from=EXAMPLE_SINCE)
