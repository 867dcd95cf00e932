"""`/v1/admin/tenants`: the operator's customers."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.named_book import check_price_book
from gateway.api.admin.named_sender import check_default_from
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant
from gateway.messages.held import let_go
from gateway.messages.view import timestamp
from gateway.routing import operating
from tenants.accounts import service
from tenants.accounts.enrolment import NewTenant
from tenants.accounts.models import Tenant
from tenants.accounts.plan import Plan
from tenants.errors import InvalidInput
from tenants.ids import encode
from tenants.scope import TenantScope

_MOVES: Final = refusals(*OPERATOR, *WITH_IDEMPOTENCY, "not_found", "tenant_closed")


class TenantView(Struct, frozen=True, kw_only=True):
    """A customer as the operator sees it."""

    id: str
    slug: str
    name: str
    model: int
    state: str
    """`active`, `suspended` or `closed`."""
    live: bool
    """Whether live keys may send."""
    countries: list[str]
    plan: Plan
    policy_version: int
    created_at: str | None


class NewTenantBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer to be."""

    name: str
    slug: str
    """2 to 40 of `a-z`, `0-9` and `-`; unique, and part of the names made for the tenant on AWS."""
    model: int
    """1 to 6: from a tenant that only brings its own AWS account to one that is fully managed."""
    countries: list[str]
    """ISO 3166-1 alpha-2; no message goes anywhere else."""
    plan: Plan = field(default_factory=Plan)


class TenantPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    plan: dict[str, Any] | UnsetType = UNSET
    """
    A JSON merge patch (RFC 7396) of the plan: members and, in a map, entries that are not named stay. Null
    takes an entry out of a map (`{"country_mps": {"FR": null}}`) and an optional member back to none; a list
    is replaced.
    """
    countries: list[str] | UnsetType = UNSET
    """The whole new list."""
    model: int | UnsetType = UNSET
    live: bool | UnsetType = UNSET


def tenant_view(row: Tenant) -> TenantView:
    """Return a tenant as the wire shows it."""
    return TenantView(
        id=encode("ten", row.id),
        slug=row.slug,
        name=row.name,
        model=row.model,
        state=row.state,
        live=row.live,
        countries=row.countries,
        plan=service.plan_of(row),
        policy_version=row.policy_version,
        created_at=timestamp(row.created_at),
    )


@post(
    "/tenants",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "slug_taken"),
    summary="Create a tenant",
    description="Active, and not live until it is set so. Provision it next.",
)
async def create_tenant(
    request: ApiRequest, data: JSONBody[NewTenantBody], desk: NamedDependency[Desk]
) -> Response[TenantView]:
    """Add a customer."""
    new = NewTenant(
        name=data.name, slug=data.slug, model=data.model, countries=data.countries, plan=data.plan
    )

    async def work(session: AsyncSession) -> TenantView:
        await check_price_book(session, data.plan.price_book)
        tenant = await service.create_tenant(session, desk.services.settings.secret_key, new)
        await session.refresh(tenant)
        return tenant_view(tenant)

    return await desk.operator_once(request, work, status=201)


@get("/tenants", responses=refusals(*OPERATOR), summary="List tenants")
async def list_tenants(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[TenantView]:
    """Return a page of tenants, the oldest first."""
    async with desk.operator() as session:
        rows = await service.page(session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=tenant_view, place=lambda row: row.id)


@get("/tenants/{tenant_id:str}", responses=refusals(*OPERATOR, "not_found"), summary="Read a tenant")
async def get_tenant(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> TenantView:
    """Return one tenant."""
    async with desk.operator() as session:
        return tenant_view(await service.get(named_tenant(tenant_id), session))


@patch(
    "/tenants/{tenant_id:str}",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "tenant_closed", "balance_not_zero"),
    summary="Change a tenant",
    description=(
        "In force for sends within a second. The pricing changes only while the balance is zero. `plan` is a "
        "JSON merge patch (RFC 7396), down to the entries of `country_mps`, `rollout` and every other map: "
        "those that are not named stay, null removes one."
    ),
)
async def update_tenant(
    tenant_id: FromPath[str], data: JSONBody[TenantPatch], desk: NamedDependency[Desk]
) -> TenantView:
    """Change what the body names, all or nothing."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        tenant = tenant_view(await _apply(scope, session, data))
    await desk.services.policy_changed(scope.tenant_id)
    return tenant


@get("/tenants/{tenant_id:str}/plan", responses=refusals(*OPERATOR, "not_found"), summary="Read a plan")
async def get_tenant_plan(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> Plan:
    """Return the plan by itself."""
    async with desk.operator() as session:
        return service.plan_of(await service.get(named_tenant(tenant_id), session))


@patch(
    "/tenants/{tenant_id:str}/plan",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "tenant_closed", "balance_not_zero"),
    summary="Change a plan",
    description="The same as `plan` in `PATCH /v1/admin/tenants/{tenant_id}`; what is not named stays.",
)
async def update_tenant_plan(
    tenant_id: FromPath[str], data: JSONBody[dict[str, Any]], desk: NamedDependency[Desk]
) -> Plan:
    """Change what the body names, all or nothing."""
    scope = named_tenant(tenant_id)
    try:
        async with desk.operator() as session:
            plan = service.plan_of(await _apply(scope, session, TenantPatch(plan=data)))
    except InvalidInput as error:  # the plan is the whole body here
        raise InvalidInput(error.field.removeprefix("/plan") or "/", error.code, error.detail) from error
    await desk.services.policy_changed(scope.tenant_id)
    return plan


@post("/tenants/{tenant_id:str}/suspend", status_code=200, responses=_MOVES, summary="Suspend a tenant")
async def suspend_tenant(
    request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TenantView]:
    """
    Refuse its sends, and let nothing leave that was accepted before; reading still works.

    What waits goes on when the tenant is resumed, or expires by its own life and costs nothing.
    """
    return await _move(request, desk, tenant_id, service.suspend)


@post("/tenants/{tenant_id:str}/resume", status_code=200, responses=_MOVES, summary="Resume a tenant")
async def resume_tenant(
    request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TenantView]:
    """Let a suspended tenant send again; what waited meanwhile leaves at once."""

    async def resume(scope: TenantScope, session: AsyncSession) -> Tenant:
        tenant = await service.resume(scope, session)
        await let_go(scope, session)
        return tenant

    return await _move(request, desk, tenant_id, resume)


@post(
    "/tenants/{tenant_id:str}/close",
    status_code=200,
    responses=_MOVES,
    summary="Close a tenant",
    description="For good. Nothing is begun for it any more: no send, registration, lease, verification or "
    "approval, and no invitation opens. Its keys and people go on reading until they are revoked, removed or "
    "erased with it; what was accepted is still delivered, and told by webhooks and the feed. What a "
    "suspension holds back does not leave any more, and expires.",
)
async def close_tenant(
    request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TenantView]:
    """End a tenant for good; its rows and its ledger stay."""
    return await _move(request, desk, tenant_id, service.close)


async def _apply(scope: TenantScope, session: AsyncSession, data: TenantPatch) -> Tenant:
    tenant = await service.get(scope, session)
    if data.model is not UNSET:
        tenant = await service.update_model(scope, session, data.model)
    if data.countries is not UNSET:
        tenant = await service.update_countries(scope, session, data.countries)
    if data.plan is not UNSET:
        tenant = await service.update_plan(scope, session, data.plan)
        if "price_book" in data.plan:
            await check_price_book(session, service.plan_of(tenant).price_book)
        if isinstance(named := data.plan.get("default_from"), str):
            await check_default_from(scope, session, service.plan_of(tenant), named)
        if "shared_routes" in data.plan:
            await operating.follow_routes(scope, session)
    if data.live is not UNSET:
        tenant = await service.set_live(scope, session, live=data.live)
    return tenant


async def _move(
    request: ApiRequest,
    desk: Desk,
    tenant_id: str,
    act: Callable[[TenantScope, AsyncSession], Awaitable[Tenant]],
) -> Response[TenantView]:
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> TenantView:
        return tenant_view(await act(scope, session))

    answer = await desk.operator_once(request, work, status=200)
    await desk.services.policy_changed(scope.tenant_id)
    return answer
