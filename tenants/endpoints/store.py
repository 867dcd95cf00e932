"""Queries on webhook endpoints."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.endpoints.models import WebhookEndpoint
from tenants.scope import TenantScope

_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('tollgate.webhook_endpoints ' || :tenant, 0))"
)


async def count(scope: TenantScope, session: AsyncSession) -> int:
    """Return how many endpoints the tenant has; whoever asks after it waits for this transaction's end."""
    await session.execute(_LOCK, {"tenant": scope.tenant_id.hex})
    query = (
        select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.tenant_id == scope.tenant_id)
    )
    return await session.scalar(query) or 0


async def get(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, *, lock: bool = False
) -> WebhookEndpoint | None:
    """Return the tenant's endpoint, or None if it is absent or someone else's."""
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.tenant_id == scope.tenant_id, WebhookEndpoint.id == endpoint_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[WebhookEndpoint]:
    """Return up to `limit` endpoints of the tenant, newest first."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(WebhookEndpoint.id < after)
    return (await session.scalars(query.order_by(WebhookEndpoint.id.desc()).limit(limit))).all()


async def enabled(scope: TenantScope, session: AsyncSession) -> Sequence[WebhookEndpoint]:
    """Return the tenant's endpoints that are to be told, the oldest first."""
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.tenant_id == scope.tenant_id, WebhookEndpoint.state == "enabled"
    )
    return (await session.scalars(query.order_by(WebhookEndpoint.id))).all()
