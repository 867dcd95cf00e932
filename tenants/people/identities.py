"""
People whom an OpenID provider proves, in place of a password and a second factor.

An account of the provider becomes a person by an invitation only, and only where the provider vouches for the
invited address. From then on the provider's own name for the account counts: addresses move between people.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.ids import encode
from tenants.people import invitations
from tenants.people.hashing import email_hash, keyed_hash
from tenants.people.models import Person
from tenants.scope import TenantScope

NotLinked = Literal["gone", "no_email", "other_email", "unknown", "taken"]
"""Why an account leads nowhere."""
_SUBJECT: Final = "psn"


def identity_hash(pepper: bytes, issuer: str, subject: str) -> bytes:
    """Return the hash by which a provider's account is found."""
    return keyed_hash(pepper, "identity", f"{issuer}\0{subject}")


async def sign_in(session: AsyncSession, identity: bytes) -> Person | NotLinked:
    """Return who was linked with an account."""
    person = await session.scalar(select(Person).where(Person.identity_hash == identity))
    if person is None:
        return "unknown"
    scope = TenantScope(tenant_id=person.tenant_id, person_id=person.id)
    await audit.append(
        scope, session, action="person.signed_in_by_identity", subject=encode(_SUBJECT, person.id)
    )
    return person


async def accept(
    session: AsyncSession,
    token: str,
    *,
    identity: bytes,
    email: str,
    key_of: Callable[[UUID], Awaitable[DataKey]],
    pepper: bytes,
    now: datetime,
) -> Person | NotLinked:
    """
    Make the invited person of a provider's account.

    Args:
        email: What the provider vouches for; empty for nothing.
    """
    row = await invitations.usable(session, token, pepper=pepper, now=now, lock=True)
    if row is None:
        return "gone"
    if not email:
        return "no_email"
    if email_hash(pepper, email) != row.email_hash:
        return "other_email"
    person = await invitations.accept_identity(
        session, row, await key_of(row.tenant_id), identity=identity, now=now
    )
    return "taken" if person is None else person
