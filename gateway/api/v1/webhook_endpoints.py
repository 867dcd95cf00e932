"""`/v1/webhook-endpoints`: where the tenant is told of its messages."""

from typing import Final, Literal

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, id_cursor, page_of
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from gateway.webhooks.event_types import EVENT_TYPES, EventType
from gateway.webhooks.signing import new_secret
from tenants.endpoints import service
from tenants.endpoints.models import WebhookEndpoint
from tenants.endpoints.subscription import EndpointChanges, NewEndpoint
from tenants.ids import encode

_WEBHOOKS: Final = {NEEDS: "webhooks"}
KIND: Final = "webhook endpoint"
_DISABLED_BY_TENANT: Final = "disabled by the tenant"


class EndpointView(Struct, frozen=True, kw_only=True):
    """An endpoint without its secret."""

    id: str
    url: str
    description: str
    events: list[str]
    """Types it is told of; empty for all."""
    state: str
    """`enabled` or `disabled`."""
    disabled_reason: str | None
    failing_since: str | None
    """Since when every attempt failed; after five days it is disabled."""
    paused_until: str | None
    """Until then nothing is posted; then one delivery is tried, and the others follow if it arrives."""
    pause_reason: str | None
    """`asked` by your server (429 or 503 with Retry-After), or `failing` five times in a row."""
    old_secret_until: str | None
    """Until then the secret before the last rotation signs, too."""
    created_at: str | None


class EndpointWithSecret(EndpointView, frozen=True, kw_only=True):
    """An endpoint at the one moment its secret is shown."""

    secret: str
    """`whsec_…`, for any Standard Webhooks library."""


class EndpointPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    url: str | UnsetType = UNSET
    events: list[EventType] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    state: Literal["enabled", "disabled"] | UnsetType = UNSET


def endpoint_view(row: WebhookEndpoint) -> EndpointView:
    """Return an endpoint as lists show it."""
    return EndpointView(
        id=encode("wh", row.id),
        url=row.url,
        description=row.description,
        events=row.events,
        state=row.state,
        disabled_reason=row.disabled_reason,
        failing_since=timestamp(row.failing_since),
        paused_until=timestamp(row.paused_until),
        pause_reason=row.pause_reason,
        old_secret_until=timestamp(row.old_secret_until),
        created_at=timestamp(row.created_at),
    )


@get("/webhook-endpoints", opt=_WEBHOOKS, responses=refusals(*TENANT), summary="List webhook endpoints")
async def list_webhook_endpoints(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[EndpointView]:
    """Return a page of endpoints, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, limit=limit + 1, after=id_after(after))
    return page_of(rows, limit, view=endpoint_view, cursor=lambda row: id_cursor(row.id))


@post(
    "/webhook-endpoints",
    status_code=201,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "webhook_url_refused"),
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
        secret = new_secret()
        row = await service.create(request.auth, session, key, data, secret=secret)
        await session.refresh(row)
        return with_secret(row, secret)

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
        return endpoint_view(await service.get(request.auth, session, path_id("wh", endpoint_id, KIND)))


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
    wanted = path_id("wh", endpoint_id, KIND)
    if data.url is not UNSET:
        await check_url(desk, data.url)
    async with desk.tenant(request.auth) as session:
        row = await service.get(request.auth, session, wanted)
        changes = _changes(data)
        if changes is not None:
            row = await service.update(request.auth, session, wanted, changes)
        if data.state == "enabled":
            row = await service.enable(request.auth, session, wanted)
        if data.state == "disabled":
            row = await service.disable(request.auth, session, wanted, reason=_DISABLED_BY_TENANT)
        return endpoint_view(row)


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
        await service.delete(request.auth, session, path_id("wh", endpoint_id, KIND))


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
    wanted = path_id("wh", endpoint_id, KIND)
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def work(session: AsyncSession) -> EndpointWithSecret:
        secret, now = new_secret(), desk.services.clock.now()
        row = await service.rotate_secret(request.auth, session, key, wanted, secret=secret, now=now)
        return with_secret(row, secret)

    return await desk.tenant_once(request, work, status=200)


def with_secret(row: WebhookEndpoint, secret: str) -> EndpointWithSecret:
    """Return an endpoint with its secret, this once."""
    return EndpointWithSecret(**structs.asdict(endpoint_view(row)), secret=secret)


def _changes(data: EndpointPatch) -> EndpointChanges | None:
    if data.url is UNSET and data.events is UNSET and data.description is UNSET:
        return None
    events = UNSET if isinstance(data.events, UnsetType) else list[str](data.events)
    return EndpointChanges(url=data.url, events=events, description=data.description)


def _check_events(events: list[str]) -> None:
    for index, event in enumerate(events):
        if event not in EVENT_TYPES:
            raise Refusal.of_field(
                f"/events/{index}", "unknown_event", f"There is no event type {event[:80]!r}."
            )


async def check_url(desk: Desk, url: str) -> None:
    """
    Look at where a URL leads.

    Raises:
        Refusal: Webhooks are not sent there.
    """
    reason = await desk.services.webhook_url_check(url)
    if reason is not None:
        raise Refusal.of_field("/url", "webhook_url_refused", reason)
