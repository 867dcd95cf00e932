"""Putting senders out of use and others in their place; what is put away keeps its row and its history."""

from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import InvalidInput, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders.models import PoolSender, Sender

_ALL: Final = frozenset({"otp", "transactional", "promotional"})


class Swapped(Struct, frozen=True):
    """The two after a swap."""

    out: Sender
    standby: Sender


async def swap(
    scope: TenantScope, session: AsyncSession, sender_id: UUID, *, standby_id: UUID, reason: str
) -> Swapped:
    """
    Disable a sender and let its standby take its place in every pool.

    Raises:
        NotFound: One of the two is absent or someone else's.
        InvalidInput: The standby is not ready, or could not carry what the other did.
    """
    out = await _locked(scope, session, sender_id)
    if standby_id == sender_id:
        raise InvalidInput("/standby", "same_sender", "a sender cannot take its own place")
    standby = await _locked(scope, session, standby_id)
    _check(out, standby)
    out.state, standby.state = "disabled", "active"
    await _take_places(scope, session, out.id, standby.id)
    detail = {"standby": encode("idn", standby.id), "reason": reason}
    await audit.append(scope, session, action="sender.swapped", subject=encode("idn", out.id), detail=detail)
    return Swapped(out, standby)


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
    if row.state in {"released", "pending"}:
        raise InvalidInput(
            "/sender", "not_ready", f"the sender is {row.state} at AWS; provision the tenant again"
        )
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


def _check(out: Sender, standby: Sender) -> None:
    if standby.state not in {"standby", "active"}:
        raise InvalidInput(
            "/standby", "not_ready", f"the standby is {standby.state}; it must be standby or active"
        )
    if standby.country != out.country:
        raise InvalidInput("/standby", "other_country", f"it serves {standby.country}, not {out.country}")
    carried = frozenset(out.message_types) or _ALL
    missing = carried - (frozenset(standby.message_types) or _ALL)
    if missing:
        raise InvalidInput("/standby", "carries_less", f"it carries no {', '.join(sorted(missing))} messages")


async def _take_places(scope: TenantScope, session: AsyncSession, out: UUID, standby: UUID) -> None:
    """The standby gets the other's place in each pool; the other stays a member for the way back."""
    owned = PoolSender.tenant_id == scope.tenant_id
    places = await session.scalars(select(PoolSender).where(owned, PoolSender.sender_id == out))
    held = await session.scalars(select(PoolSender).where(owned, PoolSender.sender_id == standby))
    known = {row.pool_id: row for row in held}
    for place in places.all():
        if (row := known.get(place.pool_id)) is not None:
            row.position, place.position = place.position, row.position
        else:
            session.add(
                PoolSender(
                    tenant_id=scope.tenant_id,
                    pool_id=place.pool_id,
                    sender_id=standby,
                    position=place.position,
                )
            )
    await session.flush()
