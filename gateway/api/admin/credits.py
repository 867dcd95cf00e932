"""`/v1/admin/tenants/{id}/credits`: top up, correct, look."""

from typing import Annotated, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.ledger_query import Kinds, OfMessage, Since, Until, ledger_filter
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, page_of, text_after
from gateway.api.path_ids import named_tenant
from gateway.api.v1.credits import CreditsView, LedgerEntryView, credits_view, ledger_entry_view
from tenants.budgets import service as budgets
from tenants.budgets.allowance import bundle_use
from tenants.credits import service
from tenants.credits.money import parse_amount

_LARGEST: Final = 10**15


Amount = Annotated[str, Meta(max_length=40)] | Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)]


class Movement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money to add or correct."""

    amount: Amount
    """Decimal dollars as a string (`"25.00"`), or whole credits, by the tenant's pricing."""
    note: Annotated[str, Meta(max_length=500)] | None = None


@get("/tenants/{tenant_id:str}/credits", responses=refusals(*OPERATOR, "not_found"), summary="Read a balance")
async def get_tenant_credits(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> CreditsView:
    """Return what a tenant has, and how far its monthly budgets and its bundle are used."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        balance = await service.balance(scope, session)
        now = desk.services.clock.now()
        uses = await budgets.uses(scope, session, now=now)
        bundle = await bundle_use(scope, session, now=now)
    return credits_view(balance, uses, bundle)


@get(
    "/tenants/{tenant_id:str}/credits/ledger",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List the movements of a balance",
)
async def list_tenant_ledger(
    request: ApiRequest,
    *,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    kind: Kinds = None,
    message_id: OfMessage = None,
    since: Since = None,
    until: Until = None,
) -> Page[LedgerEntryView]:
    """Return a page of a tenant's ledger."""
    scope = named_tenant(tenant_id)
    wanted = ledger_filter(kind, message_id, since, until)
    async with desk.operator() as session:
        await service.balance(scope, session)
        entries = await service.ledger_page(
            scope, session, limit=limit + 1, after=text_after(request, after), wanted=wanted
        )
    return page_of(request, entries, limit, view=ledger_entry_view, place=lambda entry: entry.cursor)


@post(
    "/tenants/{tenant_id:str}/credits",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "balance_too_large"),
    summary="Top up a balance",
)
async def top_up_credits(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[Movement], desk: NamedDependency[Desk]
) -> Response[LedgerEntryView]:
    """Add money that the tenant paid."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> LedgerEntryView:
        unit = await service.unit_to_move(scope, session)
        amount = parse_amount(data.amount, unit, field="/amount")
        return ledger_entry_view(await service.top_up(scope, session, amount=amount, note=data.note))

    return await desk.operator_once(request, work, status=201)


@post(
    "/tenants/{tenant_id:str}/credits/adjust",
    status_code=201,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "balance_too_large", "insufficient_credits"
    ),
    summary="Correct a balance by hand",
)
async def adjust_credits(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[Movement], desk: NamedDependency[Desk]
) -> Response[LedgerEntryView]:
    """Move a balance up or down; never below what is held."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> LedgerEntryView:
        unit = await service.unit_to_move(scope, session)
        amount = parse_amount(data.amount, unit, field="/amount", signed=True)
        return ledger_entry_view(await service.adjust(scope, session, amount=amount, note=data.note))

    return await desk.operator_once(request, work, status=201)
