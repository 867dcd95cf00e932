"""Queries of the operator's inbox."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.inbox.models import InboxItem


async def page(
    session: AsyncSession,
    *,
    resolved: bool | None,
    kind: str | None,
    tenant_id: UUID | None,
    limit: int,
    after: UUID | None,
) -> Sequence[InboxItem]:
    """Return up to `limit` items, the newest first; None narrows nothing. Needs the operator's session."""
    query = select(InboxItem).order_by(InboxItem.id.desc()).limit(limit)
    if resolved is not None:
        closed = InboxItem.resolved_at.is_not(None)
        query = query.where(closed if resolved else ~closed)
    if kind is not None:
        query = query.where(InboxItem.kind == kind)
    if tenant_id is not None:
        query = query.where(InboxItem.tenant_id == tenant_id)
    if after is not None:
        query = query.where(InboxItem.id < after)
    return (await session.scalars(query)).all()


async def locked(session: AsyncSession, item_id: UUID) -> InboxItem | None:
    """Return an item under this transaction's lock."""
    return await session.scalar(select(InboxItem).where(InboxItem.id == item_id).with_for_update())


async def resolve_one(session: AsyncSession, item: InboxItem, *, at: datetime, by: str, note: str) -> None:
    """Close an open item."""
    item.resolved_at, item.resolved_by, item.note = at, by, note
    await session.flush()
