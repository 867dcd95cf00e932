"""
The proof that a phone is in the tenant's hands: a code goes to it and comes back.

Live numbers are proven at AWS, which makes and checks the code and lets an account in its sandbox reach them;
those of test keys by a code of ours, of which only a keyed hash is stored. Either way guesses are counted
before they are judged, so that no number of parallel requests has more of them.
"""

import hmac
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.countries.numbers import Number, parse_number
from tenants.errors import Conflict, InvalidInput, NotFound, TooSoon
from tenants.ids import encode, new_uuid
from tenants.scope import TenantScope
from tenants.verification import store
from tenants.verification.models import VerifiedNumber
from tenants.verification.rules import (
    CODE_LIVES,
    CODES_DAY,
    MOST_ATTEMPTS,
    MOST_CODES,
    MOST_NUMBERS,
    closed_because,
    may_send_code_at,
    new_code,
)

PREFIX = "vdn"
_KIND = "verified number"
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('tollgate.verified ' || CAST(:tenant AS text), 0))"
)


class NumberView(Struct, frozen=True, kw_only=True):
    """One number, opened."""

    id: UUID
    number: str
    country: str
    test: bool
    state: Literal["pending", "verified"]
    code_expires_at: datetime | None
    attempts_left: int
    created_at: datetime
    verified_at: datetime | None


class CodeDue(Struct, frozen=True, kw_only=True):
    """A code is to be sent, after the commit."""

    number_id: UUID
    number: str
    account_id: UUID | None
    """The AWS account that sends it; None for test keys, whose code is `code`."""
    aws_id: str | None
    code: str | None = None


class Proven(Struct, frozen=True, tag="proven"):
    """The number is verified."""


class Wrong(Struct, frozen=True, kw_only=True, tag="wrong"):
    """The guess was counted and is not the code."""

    left: int


class Over(Struct, frozen=True, kw_only=True, tag="over"):
    """No guess counts any more."""

    detail: str


class AskAws(Struct, frozen=True, kw_only=True, tag="ask_aws"):
    """The guess was counted; AWS knows whether it is the code."""

    account_id: UUID
    aws_id: str
    left: int


Guess: TypeAlias = Proven | Wrong | Over | AskAws


async def begin(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    *,
    number: str,
    account_id: UUID | None,
    now: datetime,
) -> tuple[NumberView, CodeDue | None]:
    """
    Enter a number; a code is due unless it is verified already.

    Raises:
        InvalidInput: The number is malformed.
        Conflict: The tenant has `MOST_NUMBERS` already or is closed.
        TooSoon: The number has had the day's codes.
    """
    await accounts.check_open(scope, session)
    known = parse_number(number)
    if not isinstance(known, Number):
        raise InvalidInput("/number", "invalid_number", known.detail)
    test = not scope.live
    await session.execute(_LOCK, {"tenant": scope.tenant_id.hex})
    recipient_hash = data_key.recipient_hash(known.e164)
    row = await store.by_recipient(scope, session, recipient_hash, test=test)
    if row is not None and row.state == "verified":
        return view(row, data_key), None
    if (row is None or row.state == "removed") and await store.count(
        scope, session, test=test
    ) >= MOST_NUMBERS:
        raise Conflict("too_many_verified_numbers", f"there are {MOST_NUMBERS} numbers already; delete some")
    if row is None:
        row = VerifiedNumber(
            tenant_id=scope.tenant_id,
            id=new_uuid(),
            test=test,
            recipient_hash=recipient_hash,
            number_sealed=data_key.seal(known.e164.encode(), context=number_context(recipient_hash)),
            country=known.country,
            account_id=account_id,
            state="pending",
            attempts=0,
            codes_sent=0,
        )
        session.add(row)
    elif row.aws_id is None:
        row.account_id = account_id
    row.state = "pending"
    due = await _code_due(session, data_key, row, now)
    await _note(scope, session, "verified_number.entered", row)
    return view(row, data_key), due


async def another_code(
    scope: TenantScope, session: AsyncSession, data_key: DataKey, number_id: UUID, now: datetime
) -> tuple[NumberView, CodeDue | None]:
    """
    Have another code sent; the ones before it end. None is due where the number is verified.

    Raises:
        NotFound: The tenant has no such number in this mode.
        Conflict: The tenant is closed.
        TooSoon: The number has had the day's codes.
    """
    await accounts.check_open(scope, session)
    row = await _owned(scope, session, number_id, locked=True)
    due = None if row.state == "verified" else await _code_due(session, data_key, row, now)
    return view(row, data_key), due


async def guess(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    number_id: UUID,
    *,
    code: str,
    now: datetime,
) -> Guess:
    """
    Count a guess and judge it, as far as it can be judged here; the caller commits whatever comes of it.

    Raises:
        NotFound: The tenant has no such number in this mode.
    """
    row = await _owned(scope, session, number_id, locked=True)
    if row.state == "verified":
        return Proven()
    if (over := closed_because(row, now)) is not None:
        return Over(detail=over)
    row.attempts += 1
    left = MOST_ATTEMPTS - row.attempts
    if row.account_id is not None:
        if row.aws_id is None:
            return Over(detail="AWS has sent no code yet; ask for one")
        return AskAws(account_id=row.account_id, aws_id=row.aws_id, left=left)
    if row.code_hash is None or not hmac.compare_digest(row.code_hash, _code_hash(data_key, row.id, code)):
        return Wrong(left=left)
    await _prove(scope, session, row, now)
    return Proven()


async def prove(scope: TenantScope, session: AsyncSession, number_id: UUID, now: datetime) -> None:
    """
    Note that AWS has found the code right.

    Raises:
        NotFound: The number was deleted meanwhile.
    """
    await _prove(scope, session, await _owned(scope, session, number_id, locked=True), now)


async def remove(scope: TenantScope, session: AsyncSession, number_id: UUID) -> tuple[UUID, str] | None:
    """
    Let a number count no more; return account and entry at AWS that are still to be deleted.

    Raises:
        NotFound: The tenant has no such number in this mode.
    """
    row = await _owned(scope, session, number_id, locked=True)
    row.state, row.code_hash, row.code_expires_at = "removed", None, None
    await session.flush()
    await _note(scope, session, "verified_number.removed", row)
    if row.account_id is not None and row.aws_id is not None:
        return row.account_id, row.aws_id
    await store.drop(scope, session, number_id)
    return None


async def entered(scope: TenantScope, session: AsyncSession, number_id: UUID, aws_id: str) -> None:
    """Note AWS's id of the number; the database refuses an entry that is another tenant's."""
    await store.set_aws_id(scope, session, number_id, aws_id)


async def forget(scope: TenantScope, session: AsyncSession, number_id: UUID) -> None:
    """Drop a removed number that AWS keeps no longer."""
    await store.drop(scope, session, number_id)


async def get(scope: TenantScope, session: AsyncSession, data_key: DataKey, number_id: UUID) -> NumberView:
    """
    Return one number.

    Raises:
        NotFound: The tenant has no such number in this mode.
    """
    return view(await _owned(scope, session, number_id), data_key)


async def page(
    scope: TenantScope, session: AsyncSession, data_key: DataKey, *, limit: int, after: UUID | None = None
) -> list[NumberView]:
    """Return up to `limit` numbers of the key's mode, the newest first."""
    rows = await store.page(scope, session, test=not scope.live, limit=limit, after=after)
    return [view(row, data_key) for row in rows]


def view(row: VerifiedNumber, data_key: DataKey) -> NumberView:
    """Return a row as it may be shown."""
    verified = row.state == "verified"
    return NumberView(
        id=row.id,
        number=data_key.open(row.number_sealed, context=number_context(row.recipient_hash)).decode(),
        country=row.country,
        test=row.test,
        state="verified" if verified else "pending",
        code_expires_at=None if verified else row.code_expires_at,
        attempts_left=0 if verified else MOST_ATTEMPTS - row.attempts,
        created_at=row.created_at,
        verified_at=row.verified_at,
    )


async def _owned(
    scope: TenantScope, session: AsyncSession, number_id: UUID, *, locked: bool = False
) -> VerifiedNumber:
    row = await store.get(scope, session, number_id, test=not scope.live, locked=locked)
    if row is None:
        raise NotFound(_KIND)
    return row


async def _code_due(session: AsyncSession, data_key: DataKey, row: VerifiedNumber, now: datetime) -> CodeDue:
    until = may_send_code_at(row, now)
    if until is not None:
        raise TooSoon(
            "too_many_codes",
            f"the number has had {MOST_CODES} codes; the next may be sent at {until:%Y-%m-%dT%H:%M:%SZ}",
            wait=until - now,
        )
    if row.codes_since is None or now >= row.codes_since + CODES_DAY:
        row.codes_since, row.codes_sent = now, 0
    row.codes_sent += 1
    row.attempts, row.code_expires_at = 0, now + CODE_LIVES
    code = new_code() if row.test else None
    row.code_hash = None if code is None else _code_hash(data_key, row.id, code)
    await session.flush()
    await session.refresh(row)
    return CodeDue(
        number_id=row.id,
        number=data_key.open(row.number_sealed, context=number_context(row.recipient_hash)).decode(),
        account_id=row.account_id,
        aws_id=row.aws_id,
        code=code,
    )


async def _prove(scope: TenantScope, session: AsyncSession, row: VerifiedNumber, now: datetime) -> None:
    row.state, row.verified_at = "verified", now
    row.code_hash, row.code_expires_at = None, None
    await session.flush()
    await _note(scope, session, "verified_number.verified", row)


def number_context(recipient_hash: bytes) -> bytes:
    """Return what binds a sealed number to its recipient."""
    return b"verified:" + recipient_hash


def _code_hash(data_key: DataKey, number_id: UUID, code: str) -> bytes:
    return data_key.code_hash(code, context=b"verified:" + number_id.bytes)


async def _note(scope: TenantScope, session: AsyncSession, action: str, row: VerifiedNumber) -> None:
    await audit.append(scope, session, action=action, subject=encode(PREFIX, row.id))
