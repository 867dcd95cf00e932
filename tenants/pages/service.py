"""Settings of the pages, limits of their forms, and codes that prove a phone."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.ids import encode
from tenants.pages import store
from tenants.pages.settings import PageSettings, check
from tenants.scope import TenantScope

CODE_LIVES: Final = timedelta(minutes=10)
MOST_GUESSES: Final = 5
AN_HOUR: Final = timedelta(hours=1)
MOST_OF_AN_ADDRESS: Final = 30
"""Posts of one address to one tenant's forms in an hour; offices share addresses."""
MOST_TO_A_NUMBER: Final = 3
"""Texts that forms may send to one number in an hour."""


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


async def address_may(
    scope: TenantScope, session: AsyncSession, key: DataKey, address: str, now: datetime
) -> bool:
    """Count a post of an address and return whether it is within the limit."""
    bucket = key.code_hash(address, context=b"form-address")
    return await store.hit(scope, session, bucket, window=AN_HOUR, now=now) <= MOST_OF_AN_ADDRESS


async def number_may(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, now: datetime
) -> bool:
    """Count a text to a number and return whether it is within the limit."""
    bucket = key.code_hash(number, context=b"form-number")
    return await store.hit(scope, session, bucket, window=AN_HOUR, now=now) <= MOST_TO_A_NUMBER


async def new_code(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, now: datetime
) -> str:
    """Return a fresh code of six digits; kept as a keyed hash, it ends the code before it."""
    digits, person = f"{secrets.randbelow(1_000_000):06}", key.recipient_hash(number)
    await store.put_code(
        scope,
        session,
        recipient_hash=person,
        code_hash=_hash(key, person, digits),
        expires_at=now + CODE_LIVES,
    )
    return digits


async def code_is(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, *, guess: str, now: datetime
) -> bool:
    """Count a guess and return whether it is the code; a right one is used up."""
    person = key.recipient_hash(number)
    row = await store.code(scope, session, person)
    if row is None or now >= row.expires_at or row.attempts >= MOST_GUESSES:
        return False
    row.attempts += 1
    right = hmac.compare_digest(row.code_hash, _hash(key, person, guess))
    if right:
        row.expires_at = now
    await session.flush()
    return right


def _hash(key: DataKey, person: bytes, digits: str) -> bytes:
    return key.code_hash(digits, context=b"page-code:" + person)
