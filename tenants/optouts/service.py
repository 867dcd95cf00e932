"""
Who must not be texted: put on lists, taken off, shown.

Each change says whether it changed anything, so that the caller can bring admission's copy up to date after
the commit and tell the tenant only what is new.
"""

from datetime import datetime
from typing import Literal, get_args

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.errors import InvalidInput
from tenants.optouts import lists, store
from tenants.optouts.models import OptOut
from tenants.scope import TenantScope

Source = Literal["api", "csv", "keyword", "carrier", "operator", "web"]


class Change(Struct, frozen=True, kw_only=True):
    """What a command did to one recipient and one list."""

    list_name: str
    recipient_hash: bytes
    listed: bool
    """Whether the recipient stands on the list now."""
    changed: bool
    """Whether that is news."""


class OptOutView(Struct, frozen=True, kw_only=True):
    """One recipient on one list, with its number opened."""

    list_name: str
    number: str
    source: str
    created_at: datetime
    cursor: str
    """Asks for the page after this one."""


class Mark(Struct, frozen=True, kw_only=True):
    """What admission's copy holds of one opt-out: no number."""

    list_name: str
    recipient_hash: bytes


async def put(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    list_name: str = lists.EVERYTHING,
    source: Source = "api",
) -> Change:
    """
    Put a number on a list; it keeps its first date and source when it is there already.

    Raises:
        InvalidInput: The number, the list's name or the source breaks a rule.
    """
    if source not in get_args(Source):
        raise InvalidInput("/source", "invalid_source", f"a source is one of {', '.join(get_args(Source))}")
    recipient_hash = data_key.recipient_hash(lists.check_number(number))
    changed = await store.add(
        scope,
        session,
        list_name=lists.check_list(list_name),
        recipient_hash=recipient_hash,
        number_sealed=data_key.seal(number.encode(), context=_context(recipient_hash)),
        source=source,
    )
    change = Change(list_name=list_name, recipient_hash=recipient_hash, listed=True, changed=changed)
    await _note(scope, session, change, source)
    return change


async def remove(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    list_name: str = lists.EVERYTHING,
    source: Source = "api",
) -> Change:
    """
    Take a number off a list; no error if it was not there.

    Raises:
        InvalidInput: The number or the list's name breaks a rule.
    """
    recipient_hash = data_key.recipient_hash(lists.check_number(number))
    changed = await store.remove(
        scope, session, list_name=lists.check_list(list_name), recipient_hash=recipient_hash
    )
    change = Change(list_name=list_name, recipient_hash=recipient_hash, listed=False, changed=changed)
    await _note(scope, session, change, source)
    return change


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


async def marks(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: Mark | None = None
) -> list[Mark]:
    """Return up to `limit` opt-outs without their numbers, to make admission's copy anew."""
    place = None if after is None else (after.list_name, after.recipient_hash)
    rows = await store.page(scope, session, limit=limit, after=place)
    return [Mark(list_name=row.list_name, recipient_hash=row.recipient_hash) for row in rows]


def _context(recipient_hash: bytes) -> bytes:
    return b"opt-out:" + recipient_hash


def _view(row: OptOut, data_key: DataKey) -> OptOutView:
    return OptOutView(
        list_name=row.list_name,
        number=data_key.open(row.number_sealed, context=_context(row.recipient_hash)).decode(),
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
        raise InvalidInput("/after", "invalid_cursor", "this is no cursor of an opt-out list") from None


async def _note(scope: TenantScope, session: AsyncSession, change: Change, source: str) -> None:
    if change.changed:
        action = "opt_out.created" if change.listed else "opt_out.removed"
        subject = _subject(change.list_name, change.recipient_hash)
        await audit.append(scope, session, action=action, subject=subject, detail={"source": source})
