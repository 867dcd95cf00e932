"""
Numbers that a configuration treats otherwise than their country.

Taking one away ends it now and keeps the row a day: whoever missed the notice finds it by its date.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.countries.numbers import Number, parse_number
from tenants.errors import Conflict, InvalidInput
from tenants.ids import encode
from tenants.protection import service, store
from tenants.protection.models import ProtectOverride
from tenants.protection.precedence import MAX_NUMBERS, Override, OverrideAction, check_expiry
from tenants.scope import TenantScope

KEPT: Final = timedelta(days=1)
"""How long an override that is over stays a row."""


class OverrideChange(Struct, frozen=True, kw_only=True):
    """What admission's copy must be told after the commit."""

    configuration_id: UUID
    recipient_hash: bytes
    override: Override


class OverrideView(Struct, frozen=True, kw_only=True):
    """One override with its number opened."""

    configuration_id: UUID
    number: str
    country: str
    action: str
    expires_at: datetime | None
    created_at: datetime
    cursor: str


def mark(override: Override) -> bytes:
    """Return an override as Redis keeps it: `A` or `B`, then its expiry in ms since 1970, 0 for none."""
    letter = "A" if override.action == "ALWAYS_ALLOW" else "B"
    until = 0 if override.expires_at is None else int(override.expires_at.timestamp() * 1000)
    return f"{letter}{until}".encode()


def plain(row: ProtectOverride) -> Override:
    """Return what a row says."""
    return Override(
        action="ALWAYS_ALLOW" if row.action == "ALWAYS_ALLOW" else "ALWAYS_BLOCK", expires_at=row.expires_at
    )


def seal_context(configuration_id: UUID, recipient_hash: bytes) -> bytes:
    """Return what binds a sealed number to its row."""
    return b"protect:" + configuration_id.bytes + recipient_hash


async def put(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    action: OverrideAction,
    now: datetime,
    expires_at: datetime | None = None,
    configuration_id: UUID | None = None,
    operator: bool = False,
) -> tuple[OverrideView, OverrideChange]:
    """
    Treat a number otherwise than its country, in one configuration.

    Raises:
        InvalidInput: The number is malformed, or the expiry is past.
        NotFound: There is no such configuration.
        Conflict: The configuration is locked, or the tenant has `MAX_NUMBERS` overrides already.
    """
    known = _number(number)
    check_expiry(expires_at, now)
    await store.lock(scope, session)
    configuration = await service.changeable(scope, session, configuration_id, operator=operator)
    recipient_hash = data_key.recipient_hash(known.e164)
    present = await store.override(scope, session, configuration.id, recipient_hash)
    is_new = present is None or (present.expires_at is not None and present.expires_at <= now)
    if is_new and await store.count_overrides(scope, session, now) >= MAX_NUMBERS:
        raise Conflict("too_many_overrides", f"a tenant has at most {MAX_NUMBERS} number overrides")
    context = seal_context(configuration.id, recipient_hash)
    values = {
        "configuration_id": configuration.id,
        "recipient_hash": recipient_hash,
        "number_sealed": data_key.seal(known.e164.encode(), context=context),
        "country": known.country,
        "action": action,
        "expires_at": expires_at,
    }
    row = await store.put_override(scope, session, values, now)
    await store.touch(scope, session, configuration.id)
    await _note(scope, session, "protect.override_set", row, action)
    return _view(row, data_key), _change(row)


async def remove(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    now: datetime,
    configuration_id: UUID | None = None,
    operator: bool = False,
) -> OverrideChange | None:
    """
    Treat a number like its country again; None if there was no override that held.

    Raises:
        InvalidInput: The number is malformed.
        NotFound: There is no such configuration.
        Conflict: The configuration is locked.
    """
    recipient_hash = data_key.recipient_hash(_number(number).e164)
    await store.lock(scope, session)
    configuration = await service.changeable(scope, session, configuration_id, operator=operator)
    row = await store.override(scope, session, configuration.id, recipient_hash)
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    row.expires_at, row.updated_at = now, now
    await session.flush()
    await store.touch(scope, session, configuration.id)
    await _note(scope, session, "protect.override_removed", row, row.action)
    return _change(row)


async def page(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    now: datetime,
    limit: int,
    configuration_id: UUID | None = None,
    after: str | None = None,
) -> list[OverrideView]:
    """
    Return up to `limit` overrides that hold, in an order that is stable and means nothing.

    Raises:
        InvalidInput: `after` is no cursor of this list.
    """
    place = None if after is None else _place(after)
    rows = await store.overrides(
        scope, session, now=now, limit=limit, configuration_id=configuration_id, after=place
    )
    return [_view(row, data_key) for row in rows]


def _number(text: str) -> Number:
    number = parse_number(text)
    if isinstance(number, Number):
        return number
    raise InvalidInput("/number", "invalid_number", number.detail)


def _view(row: ProtectOverride, data_key: DataKey) -> OverrideView:
    context = seal_context(row.configuration_id, row.recipient_hash)
    return OverrideView(
        configuration_id=row.configuration_id,
        number=data_key.open(row.number_sealed, context=context).decode(),
        country=row.country,
        action=row.action,
        expires_at=row.expires_at,
        created_at=row.created_at,
        cursor=f"{row.configuration_id.hex}.{row.recipient_hash.hex()}",
    )


def _change(row: ProtectOverride) -> OverrideChange:
    return OverrideChange(
        configuration_id=row.configuration_id, recipient_hash=row.recipient_hash, override=plain(row)
    )


def _place(cursor: str) -> tuple[UUID, bytes]:
    configuration, _, digest = cursor.partition(".")
    try:
        return UUID(hex=configuration), bytes.fromhex(digest)
    except ValueError:
        raise InvalidInput(
            "?after", "invalid_cursor", "this is no cursor of a list of overrides; leave it out"
        ) from None


async def _note(
    scope: TenantScope, session: AsyncSession, action: str, row: ProtectOverride, said: str
) -> None:
    subject = f"{encode('prc', row.configuration_id)}.{row.recipient_hash.hex()}"
    await audit.append(scope, session, action=action, subject=subject, detail={"action": said})
