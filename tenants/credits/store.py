"""Queries on balances, the ledger and the price book."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits.filters import LedgerFilter
from tenants.credits.models import Balance, Price, PriceBookRow, Transfer
from tenants.credits.pricing import PriceBook, PriceLine, book_of
from tenants.ids import created_at
from tenants.scope import TenantScope

DEFAULT_BOOK: Final = "default"

_EVERY = LedgerFilter()


async def balance(scope: TenantScope, session: AsyncSession) -> Balance | None:
    """Return the tenant's balance, or None if there is no such tenant."""
    return await session.scalar(select(Balance).where(Balance.tenant_id == scope.tenant_id))


async def lock_balance(scope: TenantScope, session: AsyncSession) -> Balance | None:
    """Return the balance as it stands now; nobody else moves it until the transaction ends."""
    query = select(Balance).where(Balance.tenant_id == scope.tenant_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def ledger_page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: tuple[UUID, str, int] | None = None,
    wanted: LedgerFilter = _EVERY,
) -> Sequence[Transfer]:
    """
    Return up to `limit` transfers, those of the newest message or top-up first.

    A message's transfers stand together: the order is that of the primary key, so a page costs the same at
    the end of a long ledger as at its beginning. The page begins after the transfer named by its subject,
    kind and revision. What AWS charged the platform is not the tenant's and not among them.
    """
    place = tuple_(Transfer.subject_id, Transfer.kind, Transfer.revision)
    query = select(Transfer).where(
        Transfer.tenant_id == scope.tenant_id, Transfer.cogs == 0, *_filters(wanted)
    )
    if after is not None:
        query = query.where(place < after)
    newest_first = (Transfer.subject_id.desc(), Transfer.kind.desc(), Transfer.revision.desc())
    return (await session.scalars(query.order_by(*newest_first).limit(limit))).all()


def _filters(wanted: LedgerFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kinds:
        found.append(Transfer.kind.in_(wanted.kinds))
    if wanted.message_id is not None:
        of_its_own = Transfer.subject_id == wanted.message_id
        about_it = and_(Transfer.subject_id == Transfer.id, Transfer.about_id == wanted.message_id)
        found.append(or_(of_its_own, about_it))
    if wanted.since is not None:
        found.append(Transfer.at >= wanted.since)
    if wanted.until is not None:
        found.append(Transfer.at < wanted.until)
    return found


async def charged_for(scope: TenantScope, session: AsyncSession, message_id: UUID) -> tuple[str | None, int]:
    """Return the unit and what a message was charged, less what corrections gave back; None if it is none."""
    own = Transfer.tenant_id == scope.tenant_id
    its = and_(Transfer.subject_id == message_id, Transfer.subject_at == created_at(message_id))
    about = and_(Transfer.subject_id == Transfer.id, Transfer.about_id == message_id)
    paid = func.coalesce(func.sum(Transfer.revenue + Transfer.adjustment), 0)
    query = select(func.max(Transfer.unit), paid).where(own, or_(its, about), Transfer.cogs == 0)
    row = (await session.execute(query)).one()
    return row[0], int(row[1])


async def price_book(session: AsyncSession, at: datetime, name: str = DEFAULT_BOOK) -> PriceBook:
    """Return a book's lines in force at `at`; one that does not exist is empty."""
    books = await price_books(session, at)
    return books.get(name, PriceBook({}))


async def price_books(session: AsyncSession, at: datetime) -> dict[str, PriceBook]:
    """Return every book by name, with the lines in force at `at`; of two that overlap the later one wins."""
    going_on = or_(Price.valid_to.is_(None), Price.valid_to > at)
    query = select(Price).where(Price.valid_from <= at, going_on).order_by(Price.valid_from)
    lines: dict[str, list[PriceLine]] = {}
    for row in await session.scalars(query):
        lines.setdefault(row.book, []).append(line_of(row))
    return {name: book_of(own) for name, own in lines.items()}


async def note_import(session: AsyncSession, name: str, *, example: bool = False) -> None:
    """Note that a book was filled just now, and whether its prices are made up."""
    values = {"example": example, "imported_at": func.now()}
    statement = insert(PriceBookRow).values(name=name, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def books(session: AsyncSession) -> Sequence[PriceBookRow]:
    """Return every named book."""
    return (await session.scalars(select(PriceBookRow).order_by(PriceBookRow.name))).all()


async def dated_lines(session: AsyncSession, name: str, at: datetime) -> Sequence[Price]:
    """Return a book's lines that are in force at `at` or will be."""
    going_on = or_(Price.valid_to.is_(None), Price.valid_to > at)
    begins_before_it_ends = or_(Price.valid_to.is_(None), Price.valid_to > Price.valid_from)
    query = select(Price).where(Price.book == name, going_on, begins_before_it_ends)
    order = (Price.item, Price.country, Price.sender_type, Price.channel, Price.valid_from)
    return (await session.scalars(query.order_by(*order))).all()


async def has_prices(session: AsyncSession) -> bool:
    """Return whether the price book has any line, of whatever time."""
    return await session.scalar(select(Price.country).limit(1)) is not None


async def add_prices(session: AsyncSession, lines: Sequence[PriceLine], *, valid_from: datetime) -> int:
    """
    Add lines that hold from an instant on, and return how many were new; the same line twice is added once.

    An older line needs no end: the latest one that has begun is the one in force.
    """
    rows = [
        {
            "country": line.country,
            "channel": line.channel,
            "valid_from": valid_from,
            "sell_micros": line.sell_micros,
            "cost_micros": line.cost_micros,
            "credits": line.credits,
        }
        for line in lines
    ]
    if not rows:
        return 0
    statement = insert(Price).values(rows).on_conflict_do_nothing().returning(Price.country)
    return len((await session.scalars(statement)).all())


def line_of(row: Price) -> PriceLine:
    """Return a stored line."""
    return PriceLine(
        country=row.country,
        channel=row.channel,
        sell_micros=row.sell_micros,
        cost_micros=row.cost_micros,
        credits=row.credits,
        item=row.item,  # type: ignore[arg-type]  # the table's CHECK holds it to the Literal
        sender_type=row.sender_type,
    )
