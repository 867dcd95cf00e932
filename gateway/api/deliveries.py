"""Queries on webhook deliveries, for the tenant that looks at them."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.models import Event
from gateway.messages.outbox import WAKE_CHANNEL
from gateway.webhooks.models import WebhookDelivery
from tenants.ids import created_at, new_uuid
from tenants.scope import TenantScope

_WAKE: Final = text("SELECT pg_notify(:channel, '')")


async def page(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[tuple[WebhookDelivery, str | None]]:
    """Return up to `limit` deliveries to an endpoint with the type of their event, the newest first."""
    query = (
        select(WebhookDelivery, Event.type)
        .outerjoin(
            Event, (Event.tenant_id == WebhookDelivery.tenant_id) & (Event.id == WebhookDelivery.event_id)
        )
        .where(WebhookDelivery.tenant_id == scope.tenant_id, WebhookDelivery.endpoint_id == endpoint_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(WebhookDelivery.id < after)
    return [(delivery, event_type) for delivery, event_type in await session.execute(query)]


async def add_test(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, event_id: UUID
) -> WebhookDelivery:
    """Owe the event to one endpoint, whatever it subscribed to."""
    delivery_id = new_uuid()
    delivery = WebhookDelivery(
        tenant_id=scope.tenant_id,
        id=delivery_id,
        created_at=created_at(delivery_id),
        endpoint_id=endpoint_id,
        event_id=event_id,
    )
    session.add(delivery)
    await session.flush()
    await session.refresh(delivery)
    await session.execute(_WAKE, {"channel": WAKE_CHANNEL})
    return delivery


async def make_due(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, delivery_id: UUID
) -> WebhookDelivery | None:
    """Have a delivery attempted once more at once; None if the tenant's endpoint has no such delivery."""
    query = select(WebhookDelivery).where(
        WebhookDelivery.tenant_id == scope.tenant_id,
        WebhookDelivery.id == delivery_id,
        WebhookDelivery.endpoint_id == endpoint_id,
    )
    delivery = await session.scalar(query.with_for_update())
    if delivery is None:
        return None
    delivery.state = "pending"
    delivery.next_attempt_at = await session.scalar(select(func.now())) or delivery.next_attempt_at
    await session.flush()
    await session.execute(_WAKE, {"channel": WAKE_CHANNEL})
    return delivery
