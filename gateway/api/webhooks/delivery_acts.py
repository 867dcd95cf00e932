"""What an endpoint was told, and telling it once more: for a tenant or the operator, in its transaction."""

from typing import Final
from uuid import UUID

from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.lists.paging import Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.api.webhooks import deliveries
from gateway.api.webhooks.delivery_views import (
    DeliveryView,
    DeliveryWithAttempts,
    attempt_view,
    delivery_view,
    reply_to,
)
from gateway.webhooks.announcements import add_event
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.endpoints import service
from tenants.endpoints.models import WebhookEndpoint
from tenants.errors import Conflict, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope

_KIND: Final = "delivery"
_MOST_ATTEMPTS: Final = 100
TEST_EVENT: Final = "webhook_endpoint.test"
"""Sent only on request and never subscribed to, so it is none of the event types."""


class EndpointTest(Struct, frozen=True, kw_only=True):
    """What the test event says."""

    endpoint_id: str


def delivery_id_of(text: str) -> UUID:
    """
    Return the UUID behind a delivery's id in a path.

    Raises:
        NotFound: The text is no such id.
    """
    return path_id("del", text, _KIND)


async def listed(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    endpoint_id: UUID,
    *,
    request: ApiRequest,
    limit: int,
    after: str | None,
) -> Page[DeliveryView]:
    """
    Return a page of deliveries, the newest first.

    Raises:
        NotFound: The owner has no such endpoint.
        Refusal: `after` is no cursor of this list.
    """
    await service.get(scope, session, endpoint_id)
    rows = await deliveries.page(scope, session, endpoint_id, limit=limit + 1, after=id_after(request, after))
    last = await deliveries.last_attempts(scope, session, [row.id for row, _ in rows])
    return page_of(
        request,
        rows,
        limit,
        view=lambda row: delivery_view(*row, said=reply_to(last.get(row[0].id), key)),
        place=lambda row: row[0].id,
    )


async def read(
    scope: TenantScope, session: AsyncSession, key: DataKey, endpoint_id: UUID, delivery_id: UUID
) -> DeliveryWithAttempts:
    """
    Return one delivery with its attempts and what the receiver said to each.

    Raises:
        NotFound: The owner's endpoint has no such delivery.
    """
    found = await deliveries.one(scope, session, endpoint_id, delivery_id)
    if found is None:
        raise NotFound(_KIND)
    made = await deliveries.attempts(scope, session, delivery_id, limit=_MOST_ATTEMPTS)
    view = delivery_view(*found, said=reply_to(made[0], key) if made else None)
    return DeliveryWithAttempts(
        **structs.asdict(view), attempts_made=[attempt_view(each, key) for each in made]
    )


async def test(scope: TenantScope, session: AsyncSession, endpoint_id: UUID) -> DeliveryView:
    """
    Owe the endpoint one event of type `webhook_endpoint.test`.

    Raises:
        NotFound: The owner has no such endpoint.
        Conflict: It is disabled.
    """
    refuse_disabled(await service.get(scope, session, endpoint_id))
    subject = encode("wh", endpoint_id)
    event_id = await add_event(scope, session, TEST_EVENT, EndpointTest(endpoint_id=subject))
    if event_id is None:  # erased this moment; its endpoints follow
        raise NotFound("webhook endpoint")
    row = await deliveries.add_test(scope, session, endpoint_id, event_id)
    await audit.append(scope, session, action="webhook_endpoint.tested", subject=subject)
    return delivery_view(row, TEST_EVENT)


async def retry(
    scope: TenantScope, session: AsyncSession, key: DataKey, endpoint_id: UUID, delivery_id: UUID
) -> DeliveryView:
    """
    Make a delivery due at once, whatever became of it before.

    Raises:
        NotFound: The owner has no such endpoint, or that no such delivery.
        Conflict: The endpoint is disabled.
    """
    refuse_disabled(await service.get(scope, session, endpoint_id))
    due = await deliveries.make_due(scope, session, endpoint_id, delivery_id)
    found = await deliveries.one(scope, session, endpoint_id, delivery_id)
    if due is None or found is None:
        raise NotFound(_KIND)
    subject = encode("del", delivery_id)
    await audit.append(scope, session, action="webhook_delivery.retried", subject=subject)
    made = await deliveries.attempts(scope, session, delivery_id, limit=1)
    return delivery_view(*found, said=reply_to(made[0], key) if made else None)


def refuse_disabled(endpoint: WebhookEndpoint) -> None:
    """
    Let an endpoint pass that is told of events.

    Raises:
        Conflict: It is disabled.
    """
    if endpoint.state == "disabled":
        raise Conflict("webhook_endpoint_disabled", "The endpoint is disabled; enable it first.")
