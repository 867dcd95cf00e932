"""Queries on the console's people. Those without a scope come before there is one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.models import Tenant
from tenants.people.models import ConsoleSession, Invitation, LoginBrake, Person
from tenants.scope import TenantScope

_TAKE_TURNS: Final = text(
    "SELECT pg_advisory_xact_lock(each) FROM unnest(CAST(:numbers AS bigint[])) AS each"
)
"""In the order given, so that two attempts with counters in common do not wait for each other."""


async def invitations(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Invitation]:
    """Return up to `limit` invitations of the tenant, newest first."""
    query = select(Invitation).where(Invitation.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Invitation.id < after)
    return (await session.scalars(query.order_by(Invitation.id.desc()).limit(limit))).all()


async def invitation(scope: TenantScope, session: AsyncSession, invitation_id: UUID) -> Invitation | None:
    """Return the tenant's invitation, locked, or None."""
    owned = Invitation.tenant_id == scope.tenant_id
    return await session.scalar(
        select(Invitation).where(owned, Invitation.id == invitation_id).with_for_update()
    )


async def invitation_of(session: AsyncSession, token_hash: bytes, *, lock: bool = False) -> Invitation | None:
    """Return the invitation of a link, unless its tenant is closed."""
    closed = select(Tenant.id).where(Tenant.id == Invitation.tenant_id, Tenant.state == "closed")
    query = select(Invitation).where(Invitation.token_hash == token_hash, ~closed.exists())
    return await session.scalar(query.with_for_update() if lock else query)


async def person_of(session: AsyncSession, email_hash: bytes, *, lock: bool = False) -> Person | None:
    """Return who has an address."""
    query = select(Person).where(Person.email_hash == email_hash)
    return await session.scalar(query.with_for_update() if lock else query)


async def person(
    scope: TenantScope, session: AsyncSession, person_id: UUID, *, lock: bool = False
) -> Person | None:
    """Return one of the tenant's people."""
    query = select(Person).where(Person.tenant_id == scope.tenant_id, Person.id == person_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def people(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Person]:
    """Return up to `limit` of who may sign in for the tenant, the first first."""
    query = select(Person).where(Person.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Person.id > after)
    return (await session.scalars(query.order_by(Person.id).limit(limit))).all()


async def revoke_invitations(
    scope: TenantScope, session: AsyncSession, email_hash: bytes, now: datetime
) -> None:
    """End the links of an address that nobody has used."""
    owned = Invitation.tenant_id == scope.tenant_id
    is_open = Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None)
    ending = update(Invitation).where(owned, Invitation.email_hash == email_hash, is_open)
    await session.execute(ending.values(revoked_at=now))


async def open_session(session: AsyncSession, token_hash: bytes) -> ConsoleSession | None:
    """Return a browser's session, whether or not it has ended."""
    return await session.get(ConsoleSession, token_hash)


async def end_session(session: AsyncSession, token_hash: bytes) -> None:
    """Forget a browser."""
    await session.execute(delete(ConsoleSession).where(ConsoleSession.token_hash == token_hash))


async def end_sessions(scope: TenantScope, session: AsyncSession, person_id: UUID) -> None:
    """Forget every browser of a person."""
    owned = ConsoleSession.tenant_id == scope.tenant_id
    await session.execute(delete(ConsoleSession).where(owned, ConsoleSession.person_id == person_id))


async def end_all_sessions(scope: TenantScope, session: AsyncSession) -> None:
    """Forget every browser of every one of a tenant's people."""
    await session.execute(delete(ConsoleSession).where(ConsoleSession.tenant_id == scope.tenant_id))


async def end_old_sessions(session: AsyncSession, now: datetime, idle_before: datetime) -> None:
    """Delete what nobody can use any more."""
    ended = or_(ConsoleSession.expires_at <= now, ConsoleSession.seen_at <= idle_before)
    await session.execute(delete(ConsoleSession).where(ended))


async def brakes(session: AsyncSession, keys: Sequence[bytes]) -> Sequence[LoginBrake]:
    """Return the counters that stand under these keys; nobody else asks until the transaction ends."""
    numbers = sorted(int.from_bytes(key[:8], signed=True) for key in keys)
    await session.execute(_TAKE_TURNS, {"numbers": numbers})
    return (await session.scalars(select(LoginBrake).where(LoginBrake.key.in_(keys)))).all()


async def count_failure(
    session: AsyncSession, keys: Sequence[bytes], now: datetime, *, since: datetime
) -> None:
    """Count a failure under each key; a counter last moved before `since` begins anew."""
    await session.execute(delete(LoginBrake).where(LoginBrake.failed_at < since))
    for key in sorted(keys):
        new = insert(LoginBrake).values(key=key, failures=1, failed_at=now)
        grown = {"failures": LoginBrake.failures + 1, "failed_at": now}
        await session.execute(new.on_conflict_do_update(index_elements=[LoginBrake.key], set_=grown))


async def release(session: AsyncSession, keys: Sequence[bytes]) -> None:
    """Forget failures."""
    await session.execute(delete(LoginBrake).where(LoginBrake.key.in_(keys)))
