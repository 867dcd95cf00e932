"""`/v1/admin/tenants/{id}/budgets` and `/v1/admin/budgets`: caps per calendar month."""

from typing import Annotated, Literal

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import named_tenant
from gateway.api.v1.credits import BudgetView, budget_view
from tenants.budgets import service
from tenants.budgets.budget import PLATFORM, Budget, budget_name
from tenants.credits import service as credits_
from tenants.credits.money import parse_amount
from tenants.credits.pricing import Unit
from tenants.errors import InvalidId, InvalidInput
from tenants.ids import decode
from tenants.scope import TenantScope
from tenants.senders import store as senders

_PLATFORM_SCOPE = TenantScope(tenant_id=PLATFORM)


class BudgetBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cap; with neither country, type nor account it holds for everything its owner sends."""

    cap: Annotated[str, Meta(max_length=40)] | Annotated[int, Meta(ge=0, le=10**12)]
    """Decimal dollars as a string (`"25.00"`), or whole credits, by the tenant's pricing."""
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")] | None = None
    """Destination country, ISO 3166-1 alpha-2."""
    type: Literal["otp", "transactional", "promotional"] | None = None
    account: Annotated[str, Meta(max_length=60)] | None = None
    """AWS account that carries, `acc_…`."""


class BudgetsBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All budgets of one owner; those that are not named are taken away."""

    budgets: Annotated[list[BudgetBody], Meta(max_length=service.MOST)]


class BudgetsView(Struct, frozen=True, kw_only=True):
    """The budgets of one owner, by name."""

    data: list[BudgetView]


@get(
    "/tenants/{tenant_id:str}/budgets",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a tenant's monthly budgets",
)
async def get_tenant_budgets(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[BudgetView]:
    """Return a tenant's caps and what is used of them this month."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        unit = (await credits_.balance(scope, session)).unit
        uses = await service.uses(scope, session, now=desk.services.clock.now())
    return part_of(request, [budget_view(each, unit) for each in uses], limit, after)


@put(
    "/tenants/{tenant_id:str}/budgets",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Set a tenant's monthly budgets",
    description=(
        "Replaces all of them. Sends stop exactly at a cap (402 `spend_limit_reached`) until the calendar "
        "month (UTC) ends; what was spent in the month before the budget was set counts. In force within a "
        "second."
    ),
)
async def put_tenant_budgets(
    tenant_id: FromPath[str], data: JSONBody[BudgetsBody], desk: NamedDependency[Desk]
) -> BudgetsView:
    """Replace a tenant's caps."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        unit = await credits_.unit_to_move(scope, session)
        view = await _put(scope, session, data, unit, desk)
    await desk.services.policy_changed(scope.tenant_id)
    return view


@get("/budgets", responses=refusals(*OPERATOR), summary="Read the operator's own monthly budgets")
async def get_platform_budgets(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[BudgetView]:
    """Return the caps on what AWS may charge this month, over all tenants."""
    async with desk.operator() as session:
        uses = await service.uses(_PLATFORM_SCOPE, session, now=desk.services.clock.now())
    return part_of(request, [budget_view(each, "micros") for each in uses], limit, after)


@put(
    "/budgets",
    responses=refusals(*OPERATOR, *WITH_BODY),
    summary="Set the operator's own monthly budgets",
    description=(
        "Replaces all of them. They count what AWS is expected to charge, in dollars, over all tenants: per "
        "AWS account, country, type, or for everything. In force within five seconds."
    ),
)
async def put_platform_budgets(data: JSONBody[BudgetsBody], desk: NamedDependency[Desk]) -> BudgetsView:
    """Replace the operator's caps."""
    async with desk.operator() as session:
        return await _put(_PLATFORM_SCOPE, session, data, "micros", desk)


async def _put(
    scope: TenantScope, session: AsyncSession, data: BudgetsBody, unit: Unit, desk: Desk
) -> BudgetsView:
    budgets = [_budget(each, index, unit) for index, each in enumerate(data.budgets)]
    known = {f"account:{row.id}" for row in await senders.accounts(session)}
    for index, budget in enumerate(budgets):
        if budget.name.startswith("account:") and budget.name not in known:
            raise InvalidInput(f"/budgets/{index}/account", "unknown_account", "there is no such AWS account")
    uses = await service.put_budgets(scope, session, budgets, now=desk.services.clock.now())
    return BudgetsView(data=[budget_view(each, unit) for each in uses])


def _budget(body: BudgetBody, index: int, unit: Unit) -> Budget:
    place = f"/budgets/{index}"
    if sum(each is not None for each in (body.country, body.type, body.account)) > 1:
        raise InvalidInput(
            place, "one_dimension", "a budget is for a country, a type or an account, not for several at once"
        )
    return Budget(_name(body, place), parse_amount(body.cap, unit, field=f"{place}/cap"))


def _name(body: BudgetBody, place: str) -> str:
    if body.country is not None:
        return budget_name("country", body.country)
    if body.type is not None:
        return budget_name("type", body.type)
    if body.account is None:
        return budget_name("all")
    try:
        return budget_name("account", str(decode("acc", body.account)))
    except InvalidId as error:
        raise InvalidInput(
            f"{place}/account", "invalid_id", "an AWS account's id begins with acc_"
        ) from error
