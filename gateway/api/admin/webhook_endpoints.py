"""`/v1/admin/webhook-endpoints`: where the operator itself is told of alarms and balances."""

from typing import Final, Literal

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, id_cursor, page_of
from gateway.api.path_ids import path_id
from gateway.api.v1.webhook_endpoints import (
    KIND,
    EndpointView,
    EndpointWithSecret,
    check_url,
    endpoint_view,
    with_secret,
)
from gateway.webhooks.signing import new_secret
from tenants.endpoints import service
from tenants.endpoints.subscription import NewEndpoint
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

_OWN: Final = TenantScope(tenant_id=PLATFORM)
_DISABLED: Final = "disabled by the operator"


OperatorEvent = Literal["alarm.raised", "alarm.cleared", "credits.low", "credits.top_up_requested"]
"""Of alarms, only the platform-wide ones; of credits, every tenant's, with `tenant` in the data."""


class NewOperatorEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to tell the operator."""

    url: str
    events: list[OperatorEvent] = field(default_factory=list)
    """Empty for all."""
    description: str = ""


class EndpointSwitch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the endpoint is told."""

    state: Literal["enabled", "disabled"]


@get("/webhook-endpoints", responses=refusals(*OPERATOR), summary="List the operator's webhook endpoints")
async def list_operator_endpoints(
    desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[EndpointView]:
    """Return a page of endpoints, the newest first."""
    async with desk.operator() as session:
        rows = await service.page(_OWN, session, limit=limit + 1, after=id_after(after))
    return page_of(rows, limit, view=endpoint_view, cursor=lambda row: id_cursor(row.id))


@post(
    "/webhook-endpoints",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "webhook_url_refused"),
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
        secret = new_secret()
        row = await service.create(_OWN, session, key, new, secret=secret)
        await session.refresh(row)
        return with_secret(row, secret)

    return await desk.operator_once(request, work, status=201)


@patch(
    "/webhook-endpoints/{endpoint_id:str}",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Switch a webhook endpoint of the operator's off or on",
    description="Enabling one that was disabled forgets its failures.",
)
async def switch_operator_endpoint(
    endpoint_id: FromPath[str], data: JSONBody[EndpointSwitch], desk: NamedDependency[Desk]
) -> EndpointView:
    """Stop telling an endpoint, or tell it again."""
    wanted = path_id("wh", endpoint_id, KIND)
    async with desk.operator() as session:
        if data.state == "enabled":
            return endpoint_view(await service.enable(_OWN, session, wanted))
        return endpoint_view(await service.disable(_OWN, session, wanted, reason=_DISABLED))


@delete(
    "/webhook-endpoints/{endpoint_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Remove a webhook endpoint of the operator's",
)
async def delete_operator_endpoint(endpoint_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Remove an endpoint and its secrets."""
    async with desk.operator() as session:
        await service.delete(_OWN, session, path_id("wh", endpoint_id, KIND))
