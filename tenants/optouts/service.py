"""
Who must not be texted: put on lists, taken off, shown.

Each change says whether it changed anything, so that the caller can bring admission's copy up to date after
the commit and tell the tenant only what is new. What changes is written into a ledger that nobody can alter:
who asked, by which way, when.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.errors import InvalidInput
from tenants.optouts import lists, store
from tenants.optouts.models import OptOut, OptOutChange
from tenants.scope import TenantScope

Source = Literal[
    "api", "csv", "keyword", "page", "call_centre", "aws_list", "carrier", "operator", "web"
]  # fmt: skip
"""
Which way a change came: a call of the API, a file, a text that a person sent, a preference page, a call
centre, AWS's own list, the carrier's network (toll-free numbers). `operator` and `web` are older names.
"""


class Origin(Struct, frozen=True, kw_only=True):
    """Whose doing a change is."""

    source: Source = "api"
    actor: str | None = None
    """`recipient`, `aws`, an agent's name; None for who makes the request."""
    inbound_id: UUID | None = None
    """The text that asked for it."""
    note: str | None = None


class Change(Struct, frozen=True, kw_only=True):
    """What a command did to one recipient and one list."""

    list_name: str
    recipient_hash: bytes
    listed: bool
    """Whether the recipient stands on the list now."""
    changed: bool
    """Whether that is news."""
    change_id: UUID | None = None
    """Its line in the ledger; None where nothing changed."""


class Wish(Struct, frozen=True, kw_only=True):
    """A number that shall stand on a list."""

    number: str
    list_name: str
    note: str | None = None


class ChangeView(Struct, frozen=True, kw_only=True):
    """A line of the ledger, with its number opened."""

    id: UUID
    list_name: str
    number: str
    change: str
    """`opted_out` or `opted_in`."""
    source: str
    actor: str
    inbound_id: UUID | None
    note: str | None
    at: datetime


class OptOutView(Struct, frozen=True, kw_only=True):
    """One recipient on one list, with its number opened."""

    list_name: str
    number: str
    source: str
    created_at: datetime
    cursor: str
    """Asks for the page after this one."""


async def put(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    list_name: str = lists.EVERYTHING,
    source: Source = "api",
    origin: Origin | None = None,
) -> Change:
    """
    Put a number on a list; it keeps its first date and source when it is there already.

    `origin` says more than `source` and stands before it.

    Raises:
        InvalidInput: The number, the list's name or the source breaks a rule.
    """
    came = _checked(origin or Origin(source=source))
    wish = Wish(number=number, list_name=list_name, note=came.note)
    news = await put_all(scope, session, data_key, [wish], origin=came)
    if news:
        return news[0]
    return Change(
        list_name=list_name, recipient_hash=data_key.recipient_hash(number), listed=True, changed=False
    )


async def put_all(
    scope: TenantScope, session: AsyncSession, data_key: DataKey, wishes: Sequence[Wish], *, origin: Origin
) -> list[Change]:
    """
    Put numbers on lists in a few statements, however many they are; return what is news, in their order.

    Postgres takes the rows in one order, so that no two who put several of the same wait for each other.

    Raises:
        InvalidInput: A number or a list's name breaks a rule.
    """
    wanted: dict[tuple[str, bytes], store.Line] = {}
    for wish in wishes:
        line = _line(data_key, wish.number, wish.list_name, wish.note)
        wanted.setdefault((line.list_name, line.recipient_hash), line)
    if not wanted:
        return []
    in_order = [line for _, line in sorted(wanted.items(), key=itemgetter(0))]
    new = await store.add(scope, session, in_order, source=origin.source)
    news = [line for key, line in wanted.items() if key in new]
    return await _noted(scope, session, news, origin, listed=True)


async def remove(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    list_name: str = lists.EVERYTHING,
    source: Source = "api",
    origin: Origin | None = None,
) -> Change:
    """
    Take a number off a list; no error if it was not there.

    Raises:
        InvalidInput: The number or the list's name breaks a rule.
    """
    came = _checked(origin or Origin(source=source))
    line = _line(data_key, number, list_name, came.note)
    if await store.remove(scope, session, list_name=list_name, recipient_hash=line.recipient_hash):
        return (await _noted(scope, session, [line], came, listed=False))[0]
    return Change(list_name=list_name, recipient_hash=line.recipient_hash, listed=False, changed=False)


async def history(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    limit: int,
    after: UUID | None = None,
    until: datetime | None = None,
    number: str | None = None,
) -> list[ChangeView]:
    """
    Return up to `limit` changes, the oldest first: of one number, or of all as a feed for another system.

    Args:
        until: None of a later instant; a feed ends where no earlier change can appear any more.

    Raises:
        InvalidInput: The number breaks a rule.
    """
    wanted = None if number is None else data_key.recipient_hash(lists.check_number(number))
    rows = await store.changes(scope, session, limit=limit, after=after, until=until, recipient_hash=wanted)
    return [_change_view(row, data_key) for row in rows]


async def lists_of(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> list[str]:
    """Return the names of the tenant's lists on which a recipient stands; `lists.stops` judges them."""
    return await store.lists_of(scope, session, recipient_hash)


async def page(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    limit: int,
    after: str | None = None,
    list_name: str | None = None,
) -> list[OptOutView]:
    """
    Return up to `limit` opt-outs of one list or of all, in an order that is stable and means nothing.

    Raises:
        InvalidInput: `after` is no cursor of this list.
    """
    place = None if after is None else _place(after)
    rows = await store.page(scope, session, limit=limit, after=place, list_name=list_name)
    return [_view(row, data_key) for row in rows]


def number_context(recipient_hash: bytes) -> bytes:
    """Return what binds a sealed number to its recipient."""
    return b"opt-out:" + recipient_hash


def _view(row: OptOut, data_key: DataKey) -> OptOutView:
    return OptOutView(
        list_name=row.list_name,
        number=data_key.open(row.number_sealed, context=number_context(row.recipient_hash)).decode(),
        source=row.source,
        created_at=row.created_at,
        cursor=_subject(row.list_name, row.recipient_hash),
    )


def _subject(list_name: str, recipient_hash: bytes) -> str:
    return f"{list_name}.{recipient_hash.hex()}"


def _place(cursor: str) -> tuple[str, bytes]:
    list_name, _, hexadecimal = cursor.partition(".")
    try:
        return list_name, bytes.fromhex(hexadecimal)
    except ValueError:
        raise InvalidInput(
            "?after", "invalid_cursor", "this is no cursor of an opt-out list; leave it out"
        ) from None


def number_of(row: OptOutChange, data_key: DataKey) -> str:
    """Return the number of a line of the ledger."""
    return data_key.open(row.number_sealed, context=number_context(row.recipient_hash)).decode()


def _checked(origin: Origin) -> Origin:
    if origin.source not in get_args(Source):
        raise InvalidInput("/source", "invalid_source", f"a source is one of {', '.join(get_args(Source))}")
    return origin


def _change_view(row: OptOutChange, data_key: DataKey) -> ChangeView:
    return ChangeView(
        id=row.id,
        list_name=row.list_name,
        number=number_of(row, data_key),
        change=row.change,
        source=row.source,
        actor=row.actor,
        inbound_id=row.inbound_id,
        note=row.note,
        at=row.at,
    )


def _line(data_key: DataKey, number: str, list_name: str, note: str | None) -> store.Line:
    recipient_hash = data_key.recipient_hash(lists.check_number(number))
    return store.Line(
        list_name=lists.check_list(list_name),
        recipient_hash=recipient_hash,
        number_sealed=data_key.seal(number.encode(), context=number_context(recipient_hash)),
        note=note,
    )


async def _noted(
    scope: TenantScope, session: AsyncSession, lines: Sequence[store.Line], origin: Origin, *, listed: bool
) -> list[Change]:
    """Write what changed into the ledger and the audit trail; what did not change leaves no line."""
    if not lines:
        return []
    ids = await store.note(
        scope,
        session,
        lines,
        change="opted_out" if listed else "opted_in",
        source=origin.source,
        actor=origin.actor or audit.actor(scope),
        inbound_id=origin.inbound_id,
    )
    await audit.append_all(
        scope,
        session,
        action="opt_out.created" if listed else "opt_out.removed",
        subjects=[_subject(line.list_name, line.recipient_hash) for line in lines],
        detail={"source": origin.source},
        by=origin.actor,
    )
    return [
        Change(
            list_name=line.list_name,
            recipient_hash=line.recipient_hash,
            listed=listed,
            changed=True,
            change_id=ids[line.list_name, line.recipient_hash],
        )
        for line in lines
    ]
