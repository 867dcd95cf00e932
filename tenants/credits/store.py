"""Queries on balances, the ledger and the price book."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits.filters import LedgerFilter
from tenants.credits.models import Balance, Price, Transfer
from tenants.credits.pricing import PriceBook, PriceLine
from tenants.ids import created_at
from tenants.scope import TenantScope

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


async def price_book(session: AsyncSession, at: datetime) -> PriceBook:
    """Return every line in force at `at`; of two that overlap the later one wins. The operator's, for all."""
    ended = or_(Price.valid_to.is_(None), Price.valid_to > at)
    query = select(Price).where(Price.valid_from <= at, ended).order_by(Price.valid_from)
    rows = await session.scalars(query)
    return PriceBook({(row.country, row.channel): _line(row) for row in rows})


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


def _line(row: Price) -> PriceLine:
    return PriceLine(
        country=row.country,
        channel=row.channel,
        sell_micros=row.sell_micros,
        cost_micros=row.cost_micros,
        credits=row.credits,
    )
