"""Queries on texts that came in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.inbound import InboundMessage
from tenants.scope import TenantScope


async def get(scope: TenantScope, session: AsyncSession, inbound_id: UUID) -> InboundMessage | None:
    """Return the tenant's text, or None if it is absent or someone else's."""
    owned = InboundMessage.tenant_id == scope.tenant_id
    return await session.scalar(select(InboundMessage).where(owned, InboundMessage.id == inbound_id))


async def page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: UUID | None = None,
    person: bytes | None = None,
    sender_id: UUID | None = None,
    action: str | None = None,
) -> Sequence[InboundMessage]:
    """Return up to `limit` texts, the newest first, of one person, to one number or with one meaning."""
    query = select(InboundMessage).where(InboundMessage.tenant_id == scope.tenant_id)
    if person is not None:
        query = query.where(InboundMessage.recipient_hash == person)
    if sender_id is not None:
        query = query.where(InboundMessage.sender_id == sender_id)
    if action is not None:
        query = query.where(InboundMessage.action == action)
    if after is not None:
        query = query.where(InboundMessage.id < after)
    return (await session.scalars(query.order_by(InboundMessage.id.desc()).limit(limit))).all()
