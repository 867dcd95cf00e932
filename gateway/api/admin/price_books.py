"""`/v1/admin/price-books`: what message parts and fees cost, by file."""

import re
from datetime import timedelta
from typing import Annotated, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.messages.view import timestamp
from tenants.credits import books, store
from tenants.credits.book_diff import Held, LineChange, difference
from tenants.credits.book_file import DatedLine
from tenants.credits.books import Drift
from tenants.credits.money import format_usd
from tenants.credits.pricing import PriceLine
from tenants.errors import InvalidInput, NotFound

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
SHOWN: Final = 1000
"""Changes that an answer names; the counts are of all."""

_NAME: Final = re.compile("[a-z0-9][a-z0-9-]{0,39}")


class PriceBookView(Struct, frozen=True, kw_only=True):
    """A named book."""

    name: str
    example: bool
    """Whether its prices are made up: they are nobody's price list, and nobody should be charged by them."""
    imported_at: str | None


class PriceLineView(Struct, frozen=True, kw_only=True):
    """A line: what a message part or a fee costs."""

    item: str
    """`part`, `carrier_fee`, `protect_fee`, `lease` or `registration`."""
    country: str
    sender_type: str
    channel: str
    sell_usd: str
    cost_usd: str
    credits: int


class DatedLineView(Struct, frozen=True, kw_only=True):
    """A line and when it holds."""

    line: PriceLineView
    valid_from: str | None
    valid_to: str | None


class BookLinesView(Struct, frozen=True, kw_only=True):
    """What holds in a book now or will."""

    data: list[DatedLineView]


class LineChangeView(Struct, frozen=True, kw_only=True):
    """A line that is added, changed or removed."""

    change: str
    before: PriceLineView | None
    after: list[DatedLineView]


class BookChangesView(Struct, frozen=True, kw_only=True):
    """How two states of a book differ."""

    added: int
    changed: int
    removed: int
    changes: list[LineChangeView]
    """The first 1,000."""


class ImportBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole book as CSV text."""

    csv: Annotated[str, Meta(min_length=1, max_length=MAX_BODY_BYTES)]
    """
    First line: `country,channel,sell_usd,cost_usd,credits`, and where wanted `item,sender_type,valid_from,
    valid_to`. Lines that begin with `#` are notes.
    """


class DriftView(Struct, frozen=True, kw_only=True):
    """A country's cost by the book and by AWS's receipts, over the messages whose price AWS reported."""

    country: str
    channel: str
    messages: int
    parts: int
    book_usd: str
    actual_usd: str
    drift_percent: float
    """Positive where AWS charges more than the book says."""


class DriftsView(Struct, frozen=True, kw_only=True):
    """Drift by country and channel."""

    data: list[DriftView]


@get("/price-books", responses=refusals(*OPERATOR), summary="List the price books")
async def list_price_books(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[PriceBookView]:
    """Return every named book; a tenant's plan names the one that holds for it."""
    async with desk.operator() as session:
        rows = await store.books(session)
    views = [
        PriceBookView(name=row.name, example=row.example, imported_at=timestamp(row.imported_at))
        for row in rows
    ]
    return part_of(request, views, limit, after)


@get("/price-books/{name:str}", responses=refusals(*OPERATOR, "not_found"), summary="Read a price book")
async def get_price_book(name: FromPath[str], desk: NamedDependency[Desk]) -> BookLinesView:
    """Return the lines that hold now or will."""
    async with desk.operator() as session:
        lines = await _known(session, name, desk)
    return BookLinesView(data=[_dated(each.line, each) for each in lines])


@post(
    "/price-books/{name:str}/import",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY),
    request_max_body_size=MAX_BODY_BYTES,
    summary="Import a price book",
    description=(
        "The file is the whole book from now on: what it does not name ends. With `dry_run` nothing is "
        "stored and the answer says what would change. A file with a fault is refused as a "
        "whole, each fault at its line. In force for sends within five seconds; what is held keeps its price."
    ),
)
async def import_price_book(
    request: ApiRequest,
    name: FromPath[str],
    data: JSONBody[ImportBody],
    desk: NamedDependency[Desk],
    *,
    dry_run: Annotated[bool, QueryParameter(description="Check and compare only.")] = False,
) -> Response[BookChangesView]:
    """Compare a file with the book, and store it; a dry run stores nothing, so it leaves the key alone."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput("/name", "invalid_name", "a book's name has up to 40 of a-z, 0-9 and -")
    now = desk.services.clock.now()
    if dry_run:
        async with desk.operator() as session:
            return Response(_changes(await books.compare(session, name, data.csv, now)))

    async def work(session: AsyncSession) -> BookChangesView:
        done = _changes(await books.import_book(session, name, data.csv, now))
        counts = {"added": done.added, "changed": done.changed, "removed": done.removed}
        await note(session, "price_book.imported", name, **counts)
        return done

    return await desk.operator_once(request, work, status=200)


@get(
    "/price-books/{name:str}/diff",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Compare two price books",
    description="What would change for a tenant of the book `against` if its plan named this one.",
)
async def diff_price_books(
    name: FromPath[str],
    desk: NamedDependency[Desk],
    against: Annotated[str, QueryParameter(description="Name of the book that holds now.")],
) -> BookChangesView:
    """Compare what holds now in two books."""
    now = desk.services.clock.now()
    async with desk.operator() as session:
        before = [each for each in await _known(session, against, desk) if each.valid_from <= now]
        after = [each for each in await _known(session, name, desk) if each.valid_from <= now]
    present = [Held(line=each.line, valid_from=now, valid_to=None) for each in before]
    wanted = [DatedLine(line=each.line, valid_from=None, valid_to=None, row=0) for each in after]
    return _changes(difference(present, wanted, now))


@get(
    "/price-books/{name:str}/drift",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Compare a price book with what AWS charged",
    description="Over the live messages of the tenants whose plan names the book, by country and channel.",
)
async def get_price_drift(
    name: FromPath[str],
    desk: NamedDependency[Desk],
    days: Annotated[int, QueryParameter(ge=1, le=92, description="How far back.")] = 30,
) -> DriftsView:
    """Return where the book's cost and AWS's receipts disagree."""
    since = desk.services.clock.now() - timedelta(days=days)
    async with desk.operator() as session:
        await _known(session, name, desk)
        rows = await books.drift(session, name, since)
    return DriftsView(data=[_drift(row) for row in rows])


async def _known(session: AsyncSession, name: str, desk: Desk) -> list[Held]:
    lines = await books.held(session, name, desk.services.clock.now())
    if not lines and name not in {row.name for row in await store.books(session)}:
        raise NotFound("price book")
    return lines


def _changes(changes: list[LineChange]) -> BookChangesView:
    kinds = [change.change for change in changes]
    return BookChangesView(
        added=kinds.count("added"),
        changed=kinds.count("changed"),
        removed=kinds.count("removed"),
        changes=[
            LineChangeView(
                change=change.change,
                before=_line(change.before) if change.before else None,
                after=[_dated(each.line, each) for each in change.after],
            )
            for change in changes[:SHOWN]
        ],
    )


def _dated(line: PriceLine, dates: Held | DatedLine) -> DatedLineView:
    return DatedLineView(
        line=_line(line), valid_from=timestamp(dates.valid_from), valid_to=timestamp(dates.valid_to)
    )


def _line(line: PriceLine) -> PriceLineView:
    return PriceLineView(
        item=line.item,
        country=line.country,
        sender_type=line.sender_type,
        channel=line.channel,
        sell_usd=format_usd(line.sell_micros),
        cost_usd=format_usd(line.cost_micros),
        credits=line.credits,
    )


def _drift(row: Drift) -> DriftView:
    return DriftView(
        country=row.country,
        channel=row.channel,
        messages=row.messages,
        parts=row.parts,
        book_usd=format_usd(row.book_micros),
        actual_usd=format_usd(row.actual_micros),
        drift_percent=row.percent,
    )
