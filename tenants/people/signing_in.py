"""Proof of a person: the password, then the second factor. Failures count against `brakes`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.ids import encode
from tenants.people import second_factor, store
from tenants.people.brakes import (
    ADDRESS,
    FORGOTTEN_AFTER,
    NETWORK,
    PAIR,
    Limit,
    failures_now,
    wait_until,
)
from tenants.people.hashing import keyed_hash
from tenants.people.invitations import totp_of
from tenants.people.models import Person
from tenants.scope import TenantScope


class Attempt(Struct, frozen=True, kw_only=True):
    """Whose account is tried, from where."""

    account: str
    """An e-mail address, `operator`, or a person's id for the second factor."""
    network: str

    def counters(self, pepper: bytes) -> Mapping[bytes, Limit]:
        """Return what counts this attempt."""
        account = self.account.strip().casefold()
        return {
            keyed_hash(pepper, "brake", f"pair\0{account}\0{self.network}"): PAIR,
            keyed_hash(pepper, "brake", f"network\0{self.network}"): NETWORK,
            keyed_hash(pepper, "brake", f"account\0{account}"): ADDRESS,
        }


async def held_until(
    session: AsyncSession, attempt: Attempt, *, pepper: bytes, now: datetime
) -> datetime | None:
    """
    Return until when this attempt has to wait; None where it may be made now.

    Attempts that share a counter take turns from here to the end of their transactions: what is asked many
    times at once is counted like what is asked one by one, if its outcome is noted before the answer.
    """
    limits = attempt.counters(pepper)
    waits = [
        until
        for row in await store.brakes(session, list(limits))
        if (
            until := wait_until(
                limits[row.key],
                failures=failures_now(row.failures, row.failed_at, now),
                failed_at=row.failed_at,
            )
        )
    ]
    latest = max(waits, default=now)
    return latest if latest > now else None


async def failed(session: AsyncSession, attempt: Attempt, *, pepper: bytes, now: datetime) -> None:
    """Count a failure."""
    await store.count_failure(session, list(attempt.counters(pepper)), now, since=now - FORGOTTEN_AFTER)


async def succeeded(session: AsyncSession, attempt: Attempt, *, pepper: bytes) -> None:
    """Forget the failures of this account from this network; those of others stay counted."""
    own = [key for key, limit in attempt.counters(pepper).items() if limit is PAIR]
    await store.release(session, own)


async def prove(
    session: AsyncSession, person: Person, key: DataKey, code: str, *, pepper: bytes, now: datetime
) -> bool:
    """Return whether a code is right, and use it up; the person's row must be locked."""
    scope = TenantScope(tenant_id=person.tenant_id, person_id=person.id)
    step = second_factor.matching_step(totp_of(person, key), code, last_step=person.totp_step, now=now)
    if step is not None:
        person.totp_step = step
        await _note(scope, session, "signed_in")
        return True
    hashed = second_factor.recovery_hash(pepper, code)
    if person.enrolled_at is not None and hashed in person.recovery_hashes:
        person.recovery_hashes = [each for each in person.recovery_hashes if each != hashed]
        await _note(scope, session, "signed_in_by_recovery_code")
        return True
    return False


async def enrol(
    session: AsyncSession, person: Person, key: DataKey, code: str, *, pepper: bytes, now: datetime
) -> list[str] | None:
    """Return recovery codes to be shown this once, or None where the code is wrong."""
    step = second_factor.matching_step(totp_of(person, key), code, last_step=person.totp_step, now=now)
    if step is None or person.enrolled_at is not None:
        return None
    codes = second_factor.new_recovery_codes()
    person.totp_step, person.enrolled_at = step, now
    person.recovery_hashes = [second_factor.recovery_hash(pepper, each) for each in codes]
    await _note(TenantScope(tenant_id=person.tenant_id, person_id=person.id), session, "enrolled")
    return codes


_SUBJECT: Final = "psn"


async def _note(scope: TenantScope, session: AsyncSession, what: str) -> None:
    if scope.person_id is not None:
        await audit.append(scope, session, action=f"person.{what}", subject=encode(_SUBJECT, scope.person_id))
