"""Named price books: imported from files, compared, and held against what AWS really charged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import func, or_, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits import store
from tenants.credits.book_diff import Held, LineChange, difference, holes, planned
from tenants.credits.book_file import MOST_FAULTS, read_book
from tenants.credits.models import Price
from tenants.errors import InvalidInput, InvalidInputs

_CHUNK: Final = 1000
_DRIFT: Final = text(
    """
    SELECT m.country, m.channel, count(*) AS messages, sum(m.parts)::bigint AS parts,
        sum(m.cost_estimated)::bigint AS book_micros,
        sum(m.provider_price_micros + coalesce(m.provider_fee_micros, 0))::bigint AS actual_micros
    FROM messages m JOIN tenants t ON t.id = m.tenant_id
    WHERE m.created_at >= :since AND NOT m.test AND m.cost_estimated > 0
        AND m.provider_price_micros IS NOT NULL AND coalesce(t.plan ->> 'price_book', 'default') = :book
    GROUP BY m.country, m.channel ORDER BY m.country, m.channel
    """
)


class Drift(Struct, frozen=True, kw_only=True):
    """What a country cost by the book and by AWS's receipts, over the messages whose price AWS reported."""

    country: str
    channel: str
    messages: int
    parts: int
    book_micros: int
    actual_micros: int

    @property
    def percent(self) -> float:
        """By how much AWS's charge is above the book's, in percent of the book's; negative below."""
        return round((self.actual_micros - self.book_micros) * 100 / self.book_micros, 2)


async def compare(session: AsyncSession, name: str, csv: str, now: datetime) -> list[LineChange]:
    """
    Return what a file would change in a book, which need not exist.

    Raises:
        InvalidInputs: The file breaks a rule of `book_file`, or would end what holds before the next begins.
    """
    changes = difference(await held(session, name, now), read_book(csv), now)
    _refuse_holes(changes, now)
    return changes


async def import_book(session: AsyncSession, name: str, csv: str, now: datetime) -> list[LineChange]:
    """
    Make a file the book from `now` on, and return what it changed; the same file again changes nothing.

    Two imports of one book wait for each other. Raises as `compare` does.
    """
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"price_book {name}"}
    )
    changes = await compare(session, name, csv, now)
    keys = [change.key for change in changes]
    for start in range(0, len(keys), _CHUNK):
        await _end(session, name, keys[start : start + _CHUNK], now)
    lines = [line for change in changes for line in planned(change, now)]
    for start in range(0, len(lines), _CHUNK):
        await _store(session, name, lines[start : start + _CHUNK])
    await store.note_import(session, name)
    return changes


async def held(session: AsyncSession, name: str, now: datetime) -> list[Held]:
    """Return what holds in a book at `now` or will."""
    return [
        Held(line=store.line_of(row), valid_from=row.valid_from, valid_to=row.valid_to)
        for row in await store.dated_lines(session, name, now)
    ]


async def drift(session: AsyncSession, name: str, since: datetime) -> list[Drift]:
    """Return, for the tenants whose plan names the book, its cost beside what AWS charged, by country."""
    rows = await session.execute(_DRIFT, {"since": since, "book": name})
    return [Drift(**row) for row in rows.mappings()]


def _refuse_holes(changes: Sequence[LineChange], now: datetime) -> None:
    """Else a country would be sold by the line for all in between, and a channel not at all."""
    detail = "what holds now would end before this begins: name the present line, too"
    faults = tuple(
        InvalidInput(f"/csv/line/{line.row}/valid_from", "gap", detail) for line in holes(changes, now)
    )
    if faults:
        raise InvalidInputs("validation_failed", detail, faults[:MOST_FAULTS])


async def _end(session: AsyncSession, name: str, keys: Sequence[tuple[str, ...]], now: datetime) -> None:
    place = tuple_(Price.item, Price.country, Price.sender_type, Price.channel)
    open_ = or_(Price.valid_to.is_(None), Price.valid_to > now)
    ends = func.greatest(Price.valid_from, now)
    await session.execute(
        update(Price).where(Price.book == name, open_, place.in_(keys)).values(valid_to=ends)
    )


async def _store(session: AsyncSession, name: str, lines: Sequence[Held]) -> None:
    rows = [
        {
            "book": name,
            "item": each.line.item,
            "country": each.line.country,
            "sender_type": each.line.sender_type,
            "channel": each.line.channel,
            "valid_from": each.valid_from,
            "valid_to": each.valid_to,
            "sell_micros": each.line.sell_micros,
            "cost_micros": each.line.cost_micros,
            "credits": each.line.credits,
        }
        for each in lines
    ]
    statement = insert(Price).values(rows)
    changed = ("valid_to", "sell_micros", "cost_micros", "credits")
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_prices", set_={column: getattr(statement.excluded, column) for column in changed}
        )
    )
