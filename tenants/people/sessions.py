"""
Who a browser is.

A session's secret lives in one cookie and, hashed, in one row. Proving more of oneself makes a new session
and ends the old one, so a secret that was planted before a login is worth nothing after it.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.people import store
from tenants.people.hashing import keyed_hash, new_secret
from tenants.people.models import ConsoleSession, Person
from tenants.scope import TenantScope

Stage = Literal["enrolling", "second_factor", "open"]

IDLE: Final = timedelta(hours=1)
"""A form may take a while to fill in."""
ABSOLUTE: Final = timedelta(hours=12)
UNPROVEN: Final = timedelta(minutes=15)
"""For the second factor, or its set-up."""
_SEEN_EVERY: Final = timedelta(minutes=1)


class Visitor(Struct, frozen=True, kw_only=True):
    """Who is behind a browser, as far as proven."""

    tenant_id: UUID | None
    """None for the operator."""
    person_id: UUID | None
    stage: Stage

    def scope(self) -> TenantScope | None:
        """Return the tenant that a person speaks for; None for the operator and for the unproven."""
        if self.tenant_id is None or self.stage != "open":
            return None
        return TenantScope(tenant_id=self.tenant_id, person_id=self.person_id)

    @property
    def is_operator(self) -> bool:
        """Whether the operator's key opened this."""
        return self.tenant_id is None and self.stage == "open"


async def begin(
    session: AsyncSession,
    person: Person | None,
    stage: Stage,
    *,
    pepper: bytes,
    now: datetime,
    instead_of: str | None = None,
) -> str:
    """Return the secret of a new session; the one before it in the same browser ends."""
    await store.end_old_sessions(session, now, now - IDLE)
    if instead_of is not None:
        await end(session, instead_of, pepper=pepper)
    secret = new_secret()
    session.add(
        ConsoleSession(
            token_hash=keyed_hash(pepper, "session", secret),
            tenant_id=None if person is None else person.tenant_id,
            person_id=None if person is None else person.id,
            stage=stage,
            created_at=now,
            seen_at=now,
            expires_at=now + (ABSOLUTE if stage == "open" else UNPROVEN),
        )
    )
    await session.flush()
    return secret


async def visitor(session: AsyncSession, secret: str, *, pepper: bytes, now: datetime) -> Visitor | None:
    """Return who is behind a session's secret; None where it ended or never was."""
    row = await store.open_session(session, keyed_hash(pepper, "session", secret))
    if row is None or row.expires_at <= now or row.seen_at + IDLE <= now:
        return None
    if now - row.seen_at > _SEEN_EVERY:
        row.seen_at = now
    return Visitor(tenant_id=row.tenant_id, person_id=row.person_id, stage=cast("Stage", row.stage))


async def end(session: AsyncSession, secret: str, *, pepper: bytes) -> None:
    """Sign a browser out."""
    await store.end_session(session, keyed_hash(pepper, "session", secret))


async def end_all(scope: TenantScope, session: AsyncSession) -> None:
    """Sign all of a tenant's people out of every browser."""
    await store.end_all_sessions(scope, session)


async def end_everywhere(scope: TenantScope, session: AsyncSession) -> None:
    """Sign a person out of every browser."""
    if scope.person_id is not None:
        await store.end_sessions(scope, session, scope.person_id)
