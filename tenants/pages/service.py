"""Settings of the pages, limits of their forms, and codes that prove a phone."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.ids import encode
from tenants.pages import store
from tenants.pages.models import PageCode
from tenants.pages.settings import PageSettings, check
from tenants.scope import TenantScope

CODE_LIVES: Final = timedelta(minutes=10)
MOST_GUESSES: Final = 5
"""Guesses at one code of six digits."""
MOST_LONG_GUESSES: Final = 50
"""Guesses at one long code: more, or a stranger could use them up before the owner has typed it."""
MOST_WRONG: Final = 20
"""Wrong guesses at the codes of one number, whoever made them, after which its codes are long."""
WRONG_REMEMBERED: Final = timedelta(days=30)
"""Counted from the first: 20 guesses at six digits hit once in 50,000 months, however slowly they come."""
AN_HOUR: Final = timedelta(hours=1)
MOST_OF_AN_ADDRESS: Final = 30
"""Posts of one address to one tenant's forms in an hour; offices share addresses."""
MOST_TO_A_NUMBER: Final = 3
"""Texts that forms may send to one number in an hour."""
FREE_A_DAY: Final = 6
"""Texts to one number in a day, after which one is sent in `SPACED`: nobody is pestered all day."""
SPACED: Final = timedelta(hours=3)
MOST_ASKS_A_DAY: Final = 3
"""Of these, texts that ask to confirm: a stranger must not use up the codes, which let the owner in."""
A_DAY: Final = timedelta(days=1)
MOST_WRONG_OF_AN_ADDRESS: Final = 40
"""Wrong codes of one address in a day, at whatever numbers; offices and mobile networks share addresses."""
_DIGITS: Final = 6
_LONG: Final = 10
"""Digits of a code where many were guessed wrongly: 50 guesses hit once in 200 million codes."""


async def read(scope: TenantScope, session: AsyncSession) -> PageSettings | None:
    """Return what the tenant's pages are written from; None where it has none."""
    row = await store.get(scope, session)
    return None if row is None else msgspec.convert(row.settings, type=PageSettings)


async def write(scope: TenantScope, session: AsyncSession, settings: PageSettings) -> None:
    """
    Replace what the pages are written from.

    Raises:
        InvalidInput: Two programmes share a use case.
    """
    await store.put(scope, session, msgspec.to_builtins(check(settings)))
    subject = encode("ten", scope.tenant_id)
    await audit.append(scope, session, action="hosted_pages.changed", subject=subject)


class _Limit(Struct, frozen=True):
    """How much may be done in a window of time."""

    name: bytes
    """Keeps the counts of one limit apart from those of the others."""
    most: int
    window: timedelta

    async def closed_until(
        self, scope: TenantScope, session: AsyncSession, key: DataKey, whose: str, now: datetime
    ) -> datetime | None:
        """Count one more of an address or a number; beyond the limit, return when its window ends."""
        bucket = key.code_hash(whose, context=self.name)
        uses = await store.hit(scope, session, bucket, window=self.window, now=now)
        return None if uses.hits <= self.most else uses.began_at + self.window


_POSTS: Final = _Limit(b"form-address", MOST_OF_AN_ADDRESS, AN_HOUR)
_TEXTS_IN_AN_HOUR: Final = _Limit(b"form-number", MOST_TO_A_NUMBER, AN_HOUR)
_TEXTS_IN_A_DAY: Final = _Limit(b"form-number-day", FREE_A_DAY, A_DAY)
_SPACED_TEXTS: Final = _Limit(b"form-number-spaced", 1, SPACED)
_ASKS: Final = _Limit(b"form-number-asks", MOST_ASKS_A_DAY, A_DAY)


async def posts_closed_until(
    scope: TenantScope, session: AsyncSession, key: DataKey, address: str, now: datetime
) -> datetime | None:
    """Count a post of an address; beyond the limit, return when it may post again."""
    return await _POSTS.closed_until(scope, session, key, address, now)


async def texts_closed_until(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, now: datetime
) -> datetime | None:
    """Count a text to a number; beyond the limits of the hour and of the day, return when the next may go."""
    if hour := await _TEXTS_IN_AN_HOUR.closed_until(scope, session, key, number, now):
        return hour
    day = await _TEXTS_IN_A_DAY.closed_until(scope, session, key, number, now)
    spaced = day and await _SPACED_TEXTS.closed_until(scope, session, key, number, now)
    return min(day, spaced) if day and spaced else None


async def asks_closed_until(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, now: datetime
) -> datetime | None:
    """Count a text that asks a number to confirm; beyond the limit, return when it may be asked again."""
    return await _ASKS.closed_until(scope, session, key, number, now)


async def guesses_closed_until(
    scope: TenantScope, session: AsyncSession, key: DataKey, address: str, now: datetime
) -> datetime | None:
    """Return when an address that entered many wrong codes may enter another; None for at once."""
    wrong = await store.hits(scope, session, _wrong_of(key, address), window=A_DAY, now=now)
    return None if wrong is None or wrong.hits < MOST_WRONG_OF_AN_ADDRESS else wrong.began_at + A_DAY


async def guessed_wrong(
    scope: TenantScope, session: AsyncSession, key: DataKey, address: str, now: datetime
) -> None:
    """Count a wrong code of an address."""
    await store.hit(scope, session, _wrong_of(key, address), window=A_DAY, now=now)


async def new_code(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, now: datetime
) -> str:
    """
    Return a fresh code; kept as a keyed hash, it ends the code before it.

    It has six digits, and ten where many codes of the number were guessed wrongly: so whoever guesses gets
    nowhere, and the owner is not locked out.
    """
    person = key.recipient_hash(number)
    before = await store.code(scope, session, person)
    length = _LONG if before is not None and _wrong_now(before, now) >= MOST_WRONG else _DIGITS
    digits = f"{secrets.randbelow(10**length):0{length}}"
    await store.put_code(
        scope,
        session,
        recipient_hash=person,
        code_hash=_hash(key, person, digits),
        digits=length,
        expires_at=now + CODE_LIVES,
    )
    return digits


async def code_is(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, *, guess: str, now: datetime
) -> bool:
    """Count a guess and return whether it is the code; a right one is used up."""
    person = key.recipient_hash(number)
    row = await store.code(scope, session, person)
    if row is None or now >= row.expires_at or _is_used_up(row, now):
        return False
    row.attempts += 1
    right = hmac.compare_digest(row.code_hash, _hash(key, person, guess))
    if right:
        row.expires_at = now
    else:
        wrong = _wrong_now(row, now)
        row.wrong, row.wrong_since = wrong + 1, row.wrong_since if wrong else now
    await session.flush()
    return right


def _is_used_up(row: PageCode, now: datetime) -> bool:
    """Whether nobody may guess at a code any more; a short one ends where the next would be long."""
    if row.digits > _DIGITS:
        return row.attempts >= MOST_LONG_GUESSES
    return row.attempts >= MOST_GUESSES or _wrong_now(row, now) >= MOST_WRONG


def _wrong_now(row: PageCode, now: datetime) -> int:
    """Return how many wrong guesses at a number's codes still count."""
    return 0 if row.wrong_since is None or now - row.wrong_since > WRONG_REMEMBERED else row.wrong


def _wrong_of(key: DataKey, address: str) -> bytes:
    return key.code_hash(address, context=b"form-wrong-codes")


def _hash(key: DataKey, person: bytes, digits: str) -> bytes:
    return key.code_hash(digits, context=b"page-code:" + person)
