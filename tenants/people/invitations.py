"""
Invitations: made by the operator, shown once, used once.

One for an address that may sign in already sets its proofs anew: for a password that was forgotten, or a
phone that was lost with its codes. A link from before the address was let in opens nothing.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode, new_uuid
from tenants.people import second_factor, store
from tenants.people.hashing import email_hash, keyed_hash, new_secret
from tenants.people.models import Invitation, Person
from tenants.scope import TenantScope

_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_LONGEST_ADDRESS: Final = 254
_EMAIL: Final = b"console/email/"
_TOTP: Final = b"console/totp/"
_PROOFS: Final = (
    "email_sealed",
    "password_hash",
    "identity_hash",
    "totp_sealed",
    "totp_step",
    "recovery_hashes",
    "enrolled_at",
    "created_at",
)
"""What a person has of the invitation that was accepted last."""


class NewInvitation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite."""

    email: Annotated[str, Meta(min_length=3, max_length=254)]
    expires_in_hours: Annotated[int, Meta(ge=1, le=720)] = 72


class CreatedInvitation(Struct, frozen=True, kw_only=True):
    """An invitation at its birth; `token` is shown this once and stored nowhere."""

    invitation: Invitation
    token: str

    def __repr__(self) -> str:
        """Leave the token out, so that no log can hold it by accident."""
        return f"CreatedInvitation({self.invitation.id})"


async def invite(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    new: NewInvitation,
    *,
    pepper: bytes,
    now: datetime,
) -> CreatedInvitation:
    """
    Make a link for one address.

    Raises:
        InvalidInput: The address cannot be one.
        NotFound: There is no such tenant.
        Conflict: The tenant is closed, or somebody with this address signs in for another one.
    """
    email = new.email.strip()
    if not _ADDRESS.fullmatch(email) or len(email) > _LONGEST_ADDRESS or not email.isprintable():
        raise InvalidInput("/email", "invalid_email", "an e-mail address is name@domain")
    tenant = await accounts.get(scope, session)
    if tenant.state == "closed":
        raise Conflict("tenant_closed", "a closed tenant invites nobody")
    hashed = email_hash(pepper, email)
    known = await store.person_of(session, hashed)
    if known is not None and known.tenant_id != scope.tenant_id:
        raise Conflict("already_invited", "somebody with this address signs in for another tenant")
    token = new_secret()
    row = Invitation(
        tenant_id=scope.tenant_id,
        id=new_uuid(),
        email_sealed=key.seal(email.encode(), context=_EMAIL + scope.tenant_id.bytes),
        email_hash=hashed,
        token_hash=keyed_hash(pepper, "invitation", token),
        created_at=now,
        expires_at=now + timedelta(hours=new.expires_in_hours),
    )
    session.add(row)
    await session.flush()
    await audit.append(scope, session, action="invitation.created", subject=encode("inv", row.id))
    return CreatedInvitation(invitation=row, token=token)


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Invitation]:
    """Return up to `limit` invitations, newest first."""
    return await store.invitations(scope, session, limit=limit, after=after)


async def revoke(
    scope: TenantScope, session: AsyncSession, invitation_id: UUID, *, now: datetime
) -> Invitation:
    """
    End a link; one that was used stays as it is, since it ended with its use.

    Raises:
        NotFound: The tenant has no such invitation.
    """
    row = await store.invitation(scope, session, invitation_id)
    if row is None:
        raise NotFound("invitation")
    if row.revoked_at is None and row.accepted_at is None:
        row.revoked_at = now
        await audit.append(scope, session, action="invitation.revoked", subject=encode("inv", row.id))
    return row


async def usable(
    session: AsyncSession, token: str, *, pepper: bytes, now: datetime, lock: bool = False
) -> Invitation | None:
    """Return the invitation of a link that still opens; every other link is like one that never was."""
    row = await store.invitation_of(session, keyed_hash(pepper, "invitation", token), lock=lock)
    if row is None or row.accepted_at is not None or row.revoked_at is not None or row.expires_at <= now:
        return None
    return row


async def accept(
    session: AsyncSession, key: DataKey, token: str, *, password_hash: str, pepper: bytes, now: datetime
) -> Person | None:
    """
    Let in the person whom a link was for; None where the link does not open (any more).

    The second factor is drawn now and open to nothing but its set-up until its first code was right.
    """
    row = await usable(session, token, pepper=pepper, now=now, lock=True)
    if row is None:
        return None
    fresh = _person_of(row, key, now=now)
    fresh.password_hash = password_hash
    return await let_in(session, row, fresh, now=now)


async def accept_identity(
    session: AsyncSession, row: Invitation, key: DataKey, *, identity: bytes, now: datetime
) -> Person | None:
    """Let in the invited person by an account of a provider; None where either is somebody else's."""
    fresh = _person_of(row, key, now=now)
    fresh.identity_hash, fresh.enrolled_at = identity, now
    return await let_in(session, row, fresh, now=now)


async def let_in(session: AsyncSession, row: Invitation, fresh: Person, *, now: datetime) -> Person | None:
    """
    Add a person, or give one who was there before the link these proofs and sign it out everywhere.

    None where the address was let in since the link was made, or address or account are somebody else's.
    """
    person = fresh
    known = await store.person_of(session, row.email_hash, lock=True)
    try:
        async with session.begin_nested():
            if known is None:
                session.add(fresh)
            elif known.tenant_id != row.tenant_id or known.created_at >= row.created_at:
                return None
            else:
                person = _renewed(known, fresh)
    except IntegrityError:
        return None
    scope = TenantScope(tenant_id=row.tenant_id)
    await store.end_sessions(scope, session, person.id)
    row.accepted_at = now
    by = encode("psn", person.id)
    await audit.append(scope, session, action="invitation.accepted", subject=encode("inv", row.id), by=by)
    return person


def _renewed(known: Person, fresh: Person) -> Person:
    for name in _PROOFS:
        setattr(known, name, getattr(fresh, name))
    return known


def _person_of(row: Invitation, key: DataKey, *, now: datetime) -> Person:
    """Return the person whom an invitation is for, with no proof yet and nowhere stored."""
    return Person(
        tenant_id=row.tenant_id,
        id=new_uuid(),
        email_sealed=row.email_sealed,
        email_hash=row.email_hash,
        totp_sealed=key.seal(second_factor.new_secret().encode(), context=_TOTP + row.tenant_id.bytes),
        totp_step=0,
        recovery_hashes=[],
        created_at=now,
    )


def email_of(row: Invitation | Person, key: DataKey) -> str:
    """Return the address."""
    return key.open(row.email_sealed, context=_EMAIL + row.tenant_id.bytes).decode()


def totp_of(row: Person, key: DataKey) -> str:
    """Return the secret of the second factor, in base 32."""
    return key.open(row.totp_sealed, context=_TOTP + row.tenant_id.bytes).decode()
