"""`/v1/webhook-endpoints/{id}/deliveries` and `/test`: what an endpoint was told, and telling it again."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page
from gateway.api.webhooks import delivery_acts
from gateway.api.webhooks.delivery_acts import delivery_id_of
from gateway.api.webhooks.delivery_views import DeliveryView, DeliveryWithAttempts
from gateway.api.webhooks.endpoint_acts import endpoint_id_of

_WEBHOOKS: Final = {NEEDS: "webhooks"}


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
    wanted = endpoint_id_of(endpoint_id)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        return await delivery_acts.listed(
            request.auth, session, key, wanted, request=request, limit=limit, after=after
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
    endpoint, wanted = endpoint_id_of(endpoint_id), delivery_id_of(delivery_id)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        return await delivery_acts.read(request.auth, session, key, endpoint, wanted)


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
    wanted = endpoint_id_of(endpoint_id)

    async def work(session: AsyncSession) -> DeliveryView:
        return await delivery_acts.test(request.auth, session, wanted)

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
    endpoint, wanted = endpoint_id_of(endpoint_id), delivery_id_of(delivery_id)
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def work(session: AsyncSession) -> DeliveryView:
        return await delivery_acts.retry(request.auth, session, key, endpoint, wanted)

    return await desk.tenant_once(request, work, status=202)
