"""`/v1/webhook-endpoints`: where the tenant is told of its messages."""

from typing import Final

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.refusals import Refusal
from gateway.api.webhooks import endpoint_acts
from gateway.api.webhooks.endpoint_acts import EndpointState, changes_of, check_url, endpoint_id_of
from gateway.api.webhooks.endpoint_views import EndpointView, EndpointWithSecret, endpoint_view
from gateway.webhooks.event_types import EVENT_TYPES, EventType
from tenants.endpoints import service
from tenants.endpoints.subscription import NewEndpoint

_WEBHOOKS: Final = {NEEDS: "webhooks"}
_DISABLED_BY_TENANT: Final = "disabled by the tenant"


class EndpointPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    url: str | UnsetType = UNSET
    events: list[EventType] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    state: EndpointState | UnsetType = UNSET


@get("/webhook-endpoints", opt=_WEBHOOKS, responses=refusals(*TENANT), summary="List webhook endpoints")
async def list_webhook_endpoints(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[EndpointView]:
    """Return a page of endpoints, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=endpoint_view, place=lambda row: row.id)


@post(
    "/webhook-endpoints",
    status_code=201,
    opt=_WEBHOOKS,
    responses=refusals(
        *TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "webhook_url_refused", "too_many_webhook_endpoints"
    ),
    summary="Add a webhook endpoint",
    description="The secret is shown this once. No events means all, also those invented later.",
)
async def create_webhook_endpoint(
    request: ApiRequest, data: JSONBody[NewEndpoint], desk: NamedDependency[Desk]
) -> Response[EndpointWithSecret]:
    """Add an endpoint."""
    _check_events(data.events)
    await check_url(desk, data.url)
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def work(session: AsyncSession) -> EndpointWithSecret:
        return await endpoint_acts.add(request.auth, session, key, data)

    return await desk.tenant_once(request, work, status=201)


@get(
    "/webhook-endpoints/{endpoint_id:str}",
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a webhook endpoint",
)
async def get_webhook_endpoint(
    request: ApiRequest, endpoint_id: FromPath[str], desk: NamedDependency[Desk]
) -> EndpointView:
    """Return one endpoint."""
    async with desk.tenant(request.auth) as session:
        return endpoint_view(await service.get(request.auth, session, endpoint_id_of(endpoint_id)))


@patch(
    "/webhook-endpoints/{endpoint_id:str}",
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_BODY, "not_found", "webhook_url_refused"),
    summary="Change a webhook endpoint",
    description="Enabling one that was disabled forgets its failures.",
)
async def update_webhook_endpoint(
    request: ApiRequest,
    endpoint_id: FromPath[str],
    data: JSONBody[EndpointPatch],
    desk: NamedDependency[Desk],
) -> EndpointView:
    """Change what the body names."""
    wanted = endpoint_id_of(endpoint_id)
    changes = changes_of(url=data.url, events=data.events, description=data.description)
    if data.url is not UNSET:
        await check_url(desk, data.url)
    async with desk.tenant(request.auth) as session:
        return await endpoint_acts.change(
            request.auth, session, wanted, changes, data.state, reason=_DISABLED_BY_TENANT
        )


@delete(
    "/webhook-endpoints/{endpoint_id:str}",
    status_code=204,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, "not_found"),
    summary="Remove a webhook endpoint",
)
async def delete_webhook_endpoint(
    request: ApiRequest, endpoint_id: FromPath[str], desk: NamedDependency[Desk]
) -> None:
    """Remove an endpoint and its secrets."""
    async with desk.tenant(request.auth) as session:
        await service.delete(request.auth, session, endpoint_id_of(endpoint_id))


@post(
    "/webhook-endpoints/{endpoint_id:str}/rotate-secret",
    status_code=200,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found"),
    summary="Give a webhook endpoint a new secret",
    description="The one before signs beside it for 24 hours.",
)
async def rotate_webhook_secret(
    request: ApiRequest, endpoint_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[EndpointWithSecret]:
    """Rotate the signing secret and show the new one this once."""
    wanted = endpoint_id_of(endpoint_id)
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def work(session: AsyncSession) -> EndpointWithSecret:
        return await endpoint_acts.rotate(request.auth, session, key, wanted, now=desk.services.clock.now())

    return await desk.tenant_once(request, work, status=200)


def _check_events(events: list[str]) -> None:
    for index, event in enumerate(events):
        if event not in EVENT_TYPES:
            raise Refusal.of_field(
                f"/events/{index}", "unknown_event", f"There is no event type {event[:80]!r}."
            )
