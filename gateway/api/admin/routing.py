"""Routes: a tenant's ordered list, their health, and taking one out of use."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.admin.senders import Because
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from gateway.routing import notices, operating
from gateway.routing.health import Tally
from gateway.routing.models import RouteNotice
from gateway.routing.operating import Standing
from gateway.routing.redundancy import gaps
from tenants.accounts import service as accounts
from tenants.errors import InvalidId, NotFound
from tenants.ids import decode, encode
from tenants.scope import TenantScope
from tenants.senders.routing import routes_of, set_routes

_log = structlog.get_logger(__name__)

_AccountId = Annotated[str, Meta(max_length=40)]


class TenantRouteView(Struct, frozen=True, kw_only=True):
    """One route of a tenant."""

    account: str
    """`acc_…`"""
    name: str
    region: str
    position: int
    """From 1; 0 for all where the operator has set no order."""
    shared_routes: bool
    """Whether messages may leave by AWS's shared routes; the tenant's plan must say so, too."""


class TenantRoutes(Struct, frozen=True, kw_only=True):
    """The AWS accounts and Regions by which a tenant's messages leave, the first choice first."""

    data: list[TenantRouteView]
    next_cursor: None = None


class RoutesBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole new list."""

    routes: Annotated[list[_AccountId], Meta(max_length=50)]
    """`acc_…` in order; empty for all of the operator's accounts and the tenant's own, in no order."""


class HealthView(Struct, frozen=True, kw_only=True):
    """How a route or a sender stands."""

    state: str
    """`healthy`, `unhealthy`, `probing` or `disabled`."""
    reason: str
    since: str | None
    calls: Tally
    """Of the last minute, by what became of them."""


class NoticeView(Struct, frozen=True, kw_only=True):
    """An event of AWS Health that is not over."""

    event: str
    status: str
    """`upcoming` or `open`."""
    effect: str
    """`degrade` or `disable`; in force while it is open and not overruled."""
    reason: str
    at: str | None
    """Of the newest word about it."""
    overruled: bool
    """Whether the route was enabled by hand in the middle of it."""


class RouteHealthView(Struct, frozen=True, kw_only=True):
    """One AWS account in one Region."""

    account: str
    name: str
    region: str
    health: HealthView
    notices: list[NoticeView]
    """Events of AWS Health that are not over, the oldest first."""


class SenderHealthView(Struct, frozen=True, kw_only=True):
    """A sender that is not healthy."""

    sender: str
    tenant: str
    account: str
    type: str
    country: str
    health: HealthView


class RoutesHealth(Struct, frozen=True, kw_only=True):
    """Every route, and every sender that is not healthy."""

    routes: list[RouteHealthView]
    senders: list[SenderHealthView]


class RedundancyRow(Struct, frozen=True, kw_only=True):
    """What one blocked sender could silence in a country of a tenant."""

    tenant: str
    slug: str
    country: str
    message_types: list[str]
    types: list[str]
    """Types of the senders that such a message would be given to now."""
    add: list[str]
    """What AWS has in the country beside them, the one with most throughput first."""


@get(
    "/tenants/{tenant_id:str}/routes",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a tenant's routes",
)
async def get_tenant_routes(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[TenantRouteView]:
    """Return the routes in order."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        routes = await _routes_of(scope, session)
    return part_of(request, routes, limit, after)


@put(
    "/tenants/{tenant_id:str}/routes",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Set a tenant's routes in order",
    description=(
        "Messages leave by the first account that has a sender for them; the others are for fail-over, in "
        "this order. A tenant's own account stands only in its own list. What waits goes by the new list, "
        "too: to a sender in an account on it, and where there is none it waits until its life ends."
    ),
)
async def put_tenant_routes(
    tenant_id: FromPath[str], data: JSONBody[RoutesBody], desk: NamedDependency[Desk]
) -> TenantRoutes:
    """Replace the list."""
    scope = named_tenant(tenant_id)
    wanted = [_account(text, f"/routes/{number}") for number, text in enumerate(data.routes)]
    async with desk.operator() as session:
        await accounts.get(scope, session)
        await set_routes(scope, session, wanted)
        await operating.follow_routes(scope, session)
        routes = await _routes_of(scope, session)
    await desk.services.policy_changed(scope.tenant_id)
    return TenantRoutes(data=routes)


@get("/routes/health", responses=refusals(*OPERATOR), summary="Read the health of routes and senders")
async def get_routes_health(desk: NamedDependency[Desk]) -> RoutesHealth:
    """Return every route, and the senders that are not healthy."""
    now = desk.services.clock.now()
    async with desk.operator() as session:
        routes = await _routes(session, now)
        senders = await operating.ill_senders(session, now)
    return RoutesHealth(
        routes=routes,
        senders=[
            SenderHealthView(
                sender=encode("idn", sender.id),
                tenant=encode("ten", sender.tenant_id),
                account=encode("acc", sender.account_id),
                type=sender.type,
                country=sender.country,
                health=_health_view(standing),
            )
            for sender, standing in senders
        ],
    )


@post(
    "/routes/{account_id:str}/disable",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Take a route out of use",
    description="For every tenant, within a second. Messages that wait for it go to other routes.",
)
async def disable_route(
    request: ApiRequest, account_id: FromPath[str], data: JSONBody[Because], desk: NamedDependency[Desk]
) -> Response[RouteHealthView]:
    """Stop sending by one account."""
    wanted, now = path_id("acc", account_id, "aws_account"), desk.services.clock.now()

    async def work(session: AsyncSession) -> RouteHealthView:
        await operating.leave_route(session, wanted, reason=data.reason, now=now)
        await note(session, "route.disabled", account_id, reason=data.reason)
        _log.warning("route_disabled", account=account_id, reason=data.reason)
        return await one_route(desk, session, wanted)

    return await desk.operator_once(request, work, status=200)


@post(
    "/routes/{account_id:str}/enable",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Use a route again",
    description="Forgets what its health was, and overrules AWS Health's events that are open.",
)
async def enable_route(
    request: ApiRequest, account_id: FromPath[str], data: JSONBody[Because], desk: NamedDependency[Desk]
) -> Response[RouteHealthView]:
    """Send by an account again."""
    wanted = path_id("acc", account_id, "aws_account")

    async def work(session: AsyncSession) -> RouteHealthView:
        await notices.overrule(session, wanted)
        await operating.return_to_route(session, wanted)
        await note(session, "route.enabled", account_id, reason=data.reason)
        _log.warning("route_enabled", account=account_id, reason=data.reason)
        return await one_route(desk, session, wanted)

    return await desk.operator_once(request, work, status=200)


@get(
    "/reports/redundancy",
    responses=refusals(*OPERATOR),
    summary="List what one blocked sender could silence",
)
async def get_redundancy(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[RedundancyRow]:
    """Return where tenants have fewer than two types of sender for a type of message, and what to add."""
    async with desk.operator() as session:
        found = await gaps(session)
    rows = [
        RedundancyRow(
            tenant=encode("ten", gap.tenant_id),
            slug=gap.tenant,
            country=gap.country,
            message_types=list(gap.thin.message_types),
            types=list(gap.thin.types),
            add=list(gap.add),
        )
        for gap in found
    ]
    return part_of(request, rows, limit, after)


async def one_route(desk: Desk, session: AsyncSession, account_id: UUID) -> RouteHealthView:
    """
    Return how one account stands.

    Raises:
        NotFound: There is no such account.
    """
    wanted = encode("acc", account_id)
    for route in await _routes(session, desk.services.clock.now()):
        if route.account == wanted:
            return route
    raise NotFound("aws_account")


async def _routes(session: AsyncSession, now: datetime) -> list[RouteHealthView]:
    found = await operating.routes(session, now)
    open_ones = await notices.open_notices(session, [account.id for account, _ in found])
    return [
        RouteHealthView(
            account=encode("acc", account.id),
            name=account.name,
            region=account.region,
            health=_health_view(standing),
            notices=[_notice_view(row) for row in open_ones.get(account.id, ())],
        )
        for account, standing in found
    ]


def _notice_view(row: RouteNotice) -> NoticeView:
    return NoticeView(
        event=row.event,
        status=row.status,
        effect=row.effect,
        reason=row.reason,
        at=timestamp(row.said_at),
        overruled=row.overruled,
    )


async def _routes_of(scope: TenantScope, session: AsyncSession) -> list[TenantRouteView]:
    return [
        TenantRouteView(
            account=encode("acc", route.account_id),
            name=route.name,
            region=route.region,
            position=route.position,
            shared_routes=route.shared_routes,
        )
        for route in await routes_of(scope, session)
    ]


def _health_view(standing: Standing) -> HealthView:
    return HealthView(
        state=standing.state,
        reason=standing.reason,
        since=timestamp(standing.since),
        calls=standing.calls,
    )


def _account(text: str, field: str) -> UUID:
    try:
        return decode("acc", text)
    except InvalidId as error:
        raise Refusal.of_field(field, "invalid_id", str(error)) from error
