"""Queries on webhook deliveries, for the tenant that looks at them."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.models import Event
from gateway.messages.outbox import WAKE_CHANNEL
from gateway.webhooks.models import WebhookAttempt, WebhookDelivery
from tenants.endpoints.models import WebhookEndpoint
from tenants.ids import created_at, new_uuid
from tenants.scope import TenantScope

_SKEW: Final = timedelta(hours=1)
"""Ids are made by one clock and attempts by another."""
_WAKE: Final = text("SELECT pg_notify(:channel, '')")


async def page(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[tuple[WebhookDelivery, str | None]]:
    """Return up to `limit` deliveries to an endpoint with the type of their event, the newest first."""
    query = _with_types(scope, endpoint_id).order_by(WebhookDelivery.id.desc()).limit(limit)
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
    await _end_pause(scope, session, endpoint_id)
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
    await _end_pause(scope, session, endpoint_id)
    return delivery


async def one(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, delivery_id: UUID
) -> tuple[WebhookDelivery, str | None] | None:
    """Return a delivery to an endpoint with the type of its event, or None."""
    query = _with_types(scope, endpoint_id).where(WebhookDelivery.id == delivery_id)
    found = (await session.execute(query)).all()
    return next(((delivery, event_type) for delivery, event_type in found), None)


async def attempts(
    scope: TenantScope, session: AsyncSession, delivery_id: UUID, *, limit: int
) -> Sequence[WebhookAttempt]:
    """Return the last attempts at a delivery, the newest first."""
    query = select(WebhookAttempt).where(
        WebhookAttempt.tenant_id == scope.tenant_id, WebhookAttempt.delivery_id == delivery_id
    )
    return (await session.scalars(query.order_by(WebhookAttempt.at.desc()).limit(limit))).all()


async def last_attempts(
    scope: TenantScope, session: AsyncSession, delivery_ids: Collection[UUID]
) -> dict[UUID, WebhookAttempt]:
    """Return the last attempt at each delivery that was attempted."""
    if not delivery_ids:
        return {}
    query = (
        select(WebhookAttempt)
        .where(WebhookAttempt.tenant_id == scope.tenant_id, WebhookAttempt.delivery_id.in_(delivery_ids))
        .where(WebhookAttempt.at >= created_at(min(delivery_ids)) - _SKEW)
        .ext(distinct_on(WebhookAttempt.delivery_id))
        .order_by(WebhookAttempt.delivery_id, WebhookAttempt.at.desc())
    )
    return {row.delivery_id: row for row in await session.scalars(query)}


def _with_types(scope: TenantScope, endpoint_id: UUID) -> Select[WebhookDelivery, str]:
    belongs = (Event.tenant_id == WebhookDelivery.tenant_id) & (Event.id == WebhookDelivery.event_id)
    return (
        select(WebhookDelivery, Event.type)
        .outerjoin(Event, belongs)
        .where(WebhookDelivery.tenant_id == scope.tenant_id, WebhookDelivery.endpoint_id == endpoint_id)
    )


async def _end_pause(scope: TenantScope, session: AsyncSession, endpoint_id: UUID) -> None:
    """Who asks for a delivery now does not want to wait out a pause: it becomes the probe that ends it."""
    paused = (
        update(WebhookEndpoint)
        .where(WebhookEndpoint.tenant_id == scope.tenant_id, WebhookEndpoint.id == endpoint_id)
        .where(WebhookEndpoint.paused_until > func.now())
    )
    await session.execute(paused.values(paused_until=func.now()))
    await session.execute(_WAKE, {"channel": WAKE_CHANNEL})
