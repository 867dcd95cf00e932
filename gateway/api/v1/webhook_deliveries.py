"""`/v1/webhook-endpoints/{id}/deliveries` and `/test`: what an endpoint was told, and telling it again."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api import deliveries
from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_IDEMPOTENCY, refusals
from gateway.api.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, id_cursor, page_of
from gateway.api.path_ids import path_id
from gateway.api.v1.webhook_endpoints import KIND
from gateway.messages.view import timestamp
from gateway.webhooks.announcements import add_event
from gateway.webhooks.models import WebhookAttempt, WebhookDelivery
from gateway.webhooks.payload import reply_context
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.endpoints import service
from tenants.endpoints.models import WebhookEndpoint
from tenants.errors import Conflict, NotFound
from tenants.ids import encode

_WEBHOOKS: Final = {NEEDS: "webhooks"}
_EXCERPT: Final = 500
_MOST_ATTEMPTS: Final = 100
TEST_EVENT: Final = "webhook_endpoint.test"
"""Sent only on request and never subscribed to, so it is none of the event types."""


class DeliveryView(Struct, frozen=True, kw_only=True):
    """One event for one endpoint."""

    id: str
    """`del_…`"""
    event_id: str
    """As in the `webhook-id` header."""
    event_type: str | None
    state: str
    """`pending`, `delivered` or `failed`."""
    attempts: int
    next_attempt_at: str | None
    """None unless it is pending; then None means that it waits for its endpoint, which is paused or busy."""
    response_status: int | None
    """Of the last attempt."""
    response_excerpt: str | None
    """The start of what the receiver said to the last attempt, at most 500 characters."""
    error: str | None
    created_at: str | None
    delivered_at: str | None


class AttemptView(Struct, frozen=True, kw_only=True):
    """One post and its answer."""

    number: int
    at: str | None
    duration_ms: int
    response_status: int | None
    """None where no status came."""
    error: str | None
    """None for a success; else `dns`, `connect`, `tls`, `timeout`, `redirect`, `status`, …"""
    response_body: str | None
    """The first 16 KB of the reply."""


class DeliveryWithAttempts(DeliveryView, frozen=True, kw_only=True):
    """One event for one endpoint, with every attempt."""

    attempts_made: list[AttemptView]
    """The newest first, at most 100."""


class EndpointTest(Struct, frozen=True, kw_only=True):
    """What the test event says."""

    endpoint_id: str


def delivery_view(row: WebhookDelivery, event_type: str | None, *, said: str | None = None) -> DeliveryView:
    """Return a delivery as lists show it; `said` is the last reply, opened."""
    is_timed = row.state == "pending" and row.next_attempt_at is not None
    return DeliveryView(
        id=encode("del", row.id),
        event_id=encode("evt", row.event_id),
        event_type=event_type,
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=timestamp(row.next_attempt_at) if is_timed else None,
        response_status=row.response_status,
        response_excerpt=None if said is None else said[:_EXCERPT],
        error=row.error,
        created_at=timestamp(row.created_at),
        delivered_at=timestamp(row.delivered_at),
    )


def _attempt_view(row: WebhookAttempt, key: DataKey) -> AttemptView:
    return AttemptView(
        number=row.number,
        at=timestamp(row.at),
        duration_ms=row.duration_ms,
        response_status=row.response_status,
        error=row.error,
        response_body=_said(row, key),
    )


def _said(row: WebhookAttempt | None, key: DataKey) -> str | None:
    if row is None or row.response_sealed is None:
        return None
    return key.open(row.response_sealed, context=reply_context(row.delivery_id)).decode()


@get(
    "/webhook-endpoints/{endpoint_id:str}/deliveries",
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, "not_found"),
    summary="List the deliveries to an endpoint",
)
async def list_deliveries(
    request: ApiRequest,
    endpoint_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[DeliveryView]:
    """Return a page of deliveries, the newest first."""
    wanted = path_id("wh", endpoint_id, KIND)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        await service.get(request.auth, session, wanted)
        rows = await deliveries.page(request.auth, session, wanted, limit=limit + 1, after=id_after(after))
        last = await deliveries.last_attempts(request.auth, session, [row.id for row, _ in rows])
    return page_of(
        rows,
        limit,
        view=lambda row: delivery_view(*row, said=_said(last.get(row[0].id), key)),
        cursor=lambda row: id_cursor(row[0].id),
    )


@get(
    "/webhook-endpoints/{endpoint_id:str}/deliveries/{delivery_id:str}",
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a delivery and every attempt at it",
)
async def get_delivery(
    request: ApiRequest, endpoint_id: FromPath[str], delivery_id: FromPath[str], desk: NamedDependency[Desk]
) -> DeliveryWithAttempts:
    """Return one delivery with its attempts and what the receiver said to each."""
    endpoint = path_id("wh", endpoint_id, KIND)
    wanted = path_id("del", delivery_id, "delivery")
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        found = await deliveries.one(request.auth, session, endpoint, wanted)
        if found is None:
            raise NotFound("delivery")
        made = await deliveries.attempts(request.auth, session, wanted, limit=_MOST_ATTEMPTS)
    view = delivery_view(*found, said=_said(made[0], key) if made else None)
    return DeliveryWithAttempts(
        **structs.asdict(view), attempts_made=[_attempt_view(each, key) for each in made]
    )


@post(
    "/webhook-endpoints/{endpoint_id:str}/test",
    status_code=202,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "webhook_endpoint_disabled"),
    summary="Send a test event to an endpoint",
)
async def test_webhook_endpoint(
    request: ApiRequest, endpoint_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[DeliveryView]:
    """Owe the endpoint one event of type `webhook_endpoint.test`."""
    wanted = path_id("wh", endpoint_id, KIND)

    async def work(session: AsyncSession) -> DeliveryView:
        refuse_disabled(await service.get(request.auth, session, wanted))
        event_id = await add_event(
            request.auth, session, TEST_EVENT, EndpointTest(endpoint_id=encode("wh", wanted))
        )
        row = await deliveries.add_test(request.auth, session, wanted, event_id)
        await audit.append(
            request.auth, session, action="webhook_endpoint.tested", subject=encode("wh", wanted)
        )
        return delivery_view(row, TEST_EVENT)

    return await desk.tenant_once(request, work, status=202)


@post(
    "/webhook-endpoints/{endpoint_id:str}/deliveries/{delivery_id:str}/retry",
    status_code=202,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "webhook_endpoint_disabled"),
    summary="Attempt a delivery once more, now",
)
async def retry_delivery(
    request: ApiRequest, endpoint_id: FromPath[str], delivery_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[DeliveryView]:
    """Make a delivery due at once, whatever became of it before."""
    endpoint = path_id("wh", endpoint_id, KIND)
    wanted = path_id("del", delivery_id, "delivery")

    async def work(session: AsyncSession) -> DeliveryView:
        refuse_disabled(await service.get(request.auth, session, endpoint))
        row = await deliveries.make_due(request.auth, session, endpoint, wanted)
        if row is None:
            raise NotFound("delivery")
        subject = encode("del", wanted)
        await audit.append(request.auth, session, action="webhook_delivery.retried", subject=subject)
        return delivery_view(row, None)

    return await desk.tenant_once(request, work, status=202)


def refuse_disabled(endpoint: WebhookEndpoint) -> None:
    """
    Let an endpoint pass that is told of events.

    Raises:
        Conflict: It is disabled.
    """
    if endpoint.state == "disabled":
        raise Conflict("webhook_endpoint_disabled", "The endpoint is disabled; enable it first.")
