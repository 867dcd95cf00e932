"""`/v1/admin/webhook-endpoints`: where the operator itself is told of alarms and balances."""

from typing import Final, Literal

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.webhooks import endpoint_acts
from gateway.api.webhooks.endpoint_acts import EndpointState, changes_of, check_url, endpoint_id_of
from gateway.api.webhooks.endpoint_views import EndpointView, EndpointWithSecret, endpoint_view
from tenants.endpoints import service
from tenants.endpoints.subscription import NewEndpoint
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

OWN: Final = TenantScope(tenant_id=PLATFORM)
"""Whose endpoints, deliveries and events these are: nobody's who is a tenant."""
_DISABLED: Final = "disabled by the operator"

OperatorEvent = Literal["alarm.raised", "alarm.cleared", "credits.low", "credits.top_up_requested"]
"""Of alarms, only the platform-wide ones; of credits, every tenant's, with `tenant` in the data."""


class NewOperatorEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to tell the operator."""

    url: str
    events: list[OperatorEvent] = field(default_factory=list)
    """Empty for all."""
    description: str = ""


class OperatorEndpointPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    url: str | UnsetType = UNSET
    events: list[OperatorEvent] | UnsetType = UNSET
    """Empty for all."""
    description: str | UnsetType = UNSET
    state: EndpointState | UnsetType = UNSET


@get("/webhook-endpoints", responses=refusals(*OPERATOR), summary="List the operator's webhook endpoints")
async def list_operator_endpoints(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[EndpointView]:
    """Return a page of endpoints, the newest first."""
    async with desk.operator() as session:
        rows = await service.page(OWN, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=endpoint_view, place=lambda row: row.id)


@post(
    "/webhook-endpoints",
    status_code=201,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "webhook_url_refused", "too_many_webhook_endpoints"
    ),
    summary="Add a webhook endpoint of the operator's",
    description=(
        "Told of platform-wide alarms, and of every tenant's low balance and request for a top-up, with the "
        "`tenant` in the data; signed and tried again as tenants' endpoints are. The secret is shown once."
    ),
)
async def create_operator_endpoint(
    request: ApiRequest, data: JSONBody[NewOperatorEndpoint], desk: NamedDependency[Desk]
) -> Response[EndpointWithSecret]:
    """Add an endpoint."""
    await check_url(desk, data.url)
    key = await desk.services.data_keys.of(PLATFORM)
    new = NewEndpoint(url=data.url, events=[*data.events], description=data.description)

    async def work(session: AsyncSession) -> EndpointWithSecret:
        return await endpoint_acts.add(OWN, session, key, new)

    return await desk.operator_once(request, work, status=201)


@get(
    "/webhook-endpoints/{endpoint_id:str}",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a webhook endpoint of the operator's",
)
async def get_operator_endpoint(endpoint_id: FromPath[str], desk: NamedDependency[Desk]) -> EndpointView:
    """Return one endpoint."""
    async with desk.operator() as session:
        return endpoint_view(await service.get(OWN, session, endpoint_id_of(endpoint_id)))


@patch(
    "/webhook-endpoints/{endpoint_id:str}",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "webhook_url_refused"),
    summary="Change a webhook endpoint of the operator's",
    description="Enabling one that was disabled forgets its failures.",
)
async def update_operator_endpoint(
    endpoint_id: FromPath[str], data: JSONBody[OperatorEndpointPatch], desk: NamedDependency[Desk]
) -> EndpointView:
    """Change what the body names."""
    wanted = endpoint_id_of(endpoint_id)
    changes = changes_of(url=data.url, events=data.events, description=data.description)
    if data.url is not UNSET:
        await check_url(desk, data.url)
    async with desk.operator() as session:
        return await endpoint_acts.change(OWN, session, wanted, changes, data.state, reason=_DISABLED)


@delete(
    "/webhook-endpoints/{endpoint_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Remove a webhook endpoint of the operator's",
)
async def delete_operator_endpoint(endpoint_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Remove an endpoint and its secrets."""
    async with desk.operator() as session:
        await service.delete(OWN, session, endpoint_id_of(endpoint_id))


@post(
    "/webhook-endpoints/{endpoint_id:str}/rotate-secret",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, "not_found"),
    summary="Give a webhook endpoint of the operator's a new secret",
    description="The one before signs beside it for 24 hours. The new one is shown once.",
)
async def rotate_operator_secret(
    request: ApiRequest, endpoint_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[EndpointWithSecret]:
    """Rotate the signing secret."""
    wanted = endpoint_id_of(endpoint_id)
    key = await desk.services.data_keys.of(PLATFORM)

    async def work(session: AsyncSession) -> EndpointWithSecret:
        return await endpoint_acts.rotate(OWN, session, key, wanted, now=desk.services.clock.now())

    return await desk.operator_once(request, work, status=200)
