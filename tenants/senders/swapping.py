"""Putting senders out of use and others in their place; what is put away keeps its row and its history."""

from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import InvalidInput, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders.membership import check_successor, places_of
from tenants.senders.models import PoolSender, Sender


class Pair(Struct, frozen=True):
    """A sender and the one that is to take its place; after a swap, as they are then."""

    out: Sender
    standby: Sender


async def pair(scope: TenantScope, session: AsyncSession, sender_id: UUID, *, standby_id: UUID) -> Pair:
    """
    Return the two for a swap, locked; what the standby carries is the caller's to judge.

    Raises:
        NotFound: One of the two is absent or someone else's.
        InvalidInput: They are one, AWS has the sender back, or the standby is not ready.
    """
    out = await _locked(scope, session, sender_id)
    if standby_id == sender_id:
        raise InvalidInput("/standby", "same_sender", "a sender cannot take its own place")
    standby = await _locked(scope, session, standby_id)
    _check_at_aws(out)
    if standby.state not in {"standby", "active"}:
        raise InvalidInput(
            "/standby", "not_ready", f"the standby is {standby.state}; it must be standby or active"
        )
    return Pair(out, standby)


async def swap(scope: TenantScope, session: AsyncSession, pair: Pair, *, reason: str) -> Pair:
    """
    Disable a sender and let its standby take its place in every pool.

    Raises:
        Conflict: `pool_mismatch`, the standby does not fit one of the pools.
    """
    out, standby = pair.out, pair.standby
    await _take_places(scope, session, out, standby)
    out.state, standby.state = "disabled", "active"
    detail = {"standby": encode("idn", standby.id), "reason": reason}
    await audit.append(scope, session, action="sender.swapped", subject=encode("idn", out.id), detail=detail)
    await session.flush()
    return pair


async def disable(scope: TenantScope, session: AsyncSession, sender_id: UUID, *, reason: str) -> Sender:
    """Put a sender out of use; a released one stays released."""
    return await _set_state(scope, session, sender_id, "disabled", reason)


async def enable(scope: TenantScope, session: AsyncSession, sender_id: UUID, *, reason: str) -> Sender:
    """Let a disabled or standby sender send again."""
    return await _set_state(scope, session, sender_id, "active", reason)


async def _set_state(
    scope: TenantScope, session: AsyncSession, sender_id: UUID, state: str, reason: str
) -> Sender:
    row = await _locked(scope, session, sender_id)
    _check_at_aws(row)
    if row.state != state:
        row.state = state
        detail = {"state": state, "reason": reason}
        subject = encode("idn", row.id)
        await audit.append(scope, session, action="sender.state_changed", subject=subject, detail=detail)
    return row


async def _locked(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> Sender:
    owned = Sender.tenant_id == scope.tenant_id
    row = await session.scalar(select(Sender).where(owned, Sender.id == sender_id).with_for_update())
    if row is None:
        raise NotFound("sender")
    return row


def _check_at_aws(row: Sender) -> None:
    """Refuse one that AWS does not let us use: a number that was released may be somebody else's by now."""
    if row.state in {"released", "pending"}:
        raise InvalidInput(
            "/sender", "not_ready", f"the sender is {row.state} at AWS; provision the tenant again"
        )


async def _take_places(scope: TenantScope, session: AsyncSession, out: Sender, standby: Sender) -> None:
    """The standby gets the other's place in each pool; the other stays a member for the way back."""
    check_successor(await places_of(scope, session), out, standby)
    owned = PoolSender.tenant_id == scope.tenant_id
    places = await session.scalars(select(PoolSender).where(owned, PoolSender.sender_id == out.id))
    held = await session.scalars(select(PoolSender).where(owned, PoolSender.sender_id == standby.id))
    known = {row.pool_id: row for row in held}
    for place in places.all():
        if (row := known.get(place.pool_id)) is not None:
            row.position, place.position = place.position, row.position
        else:
            session.add(
                PoolSender(
                    tenant_id=scope.tenant_id,
                    pool_id=place.pool_id,
                    sender_id=standby.id,
                    position=place.position,
                )
            )
    await session.flush()
