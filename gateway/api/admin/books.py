"""`/v1/admin/tenants/{id}`: a tenant's usage and statements with what AWS charged, and corrections."""

from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.credits import Amount
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.statements.views import StatementView, statement_view
from gateway.api.v1.credits import LedgerEntryView, ledger_entry_view
from gateway.api.v1.statements import StatementName, named_month, statement_answer, statement_list
from gateway.api.v1.usage import FirstDay, GroupBy, LastDay, UsageView, usage_query, usage_view
from gateway.messages import usage
from gateway.messages.statements import statement
from gateway.messages.usage import MOST_ROWS
from tenants.accounts import service as accounts
from tenants.credits import service
from tenants.credits.money import parse_amount


class Correction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new entry that puts an older one right."""

    amount: Amount
    """Change of the balance: decimal dollars as a string (`"-1.50"`), or whole credits, by the pricing."""
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    """Why; it stays in the ledger and on the statement."""
    message_id: str | None = None
    """`msg_…` if a message was charged wrongly; then no more is given back than it was charged."""


@post(
    "/tenants/{tenant_id:str}/credits/corrections",
    status_code=201,
    responses=refusals(
        *OPERATOR,
        *WITH_BODY,
        *WITH_IDEMPOTENCY,
        "not_found",
        "balance_not_zero",
        "balance_too_large",
        "correction_above_charge",
        "insufficient_credits",
    ),
    summary="Correct the ledger by a new entry",
)
async def correct_credits(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[Correction], desk: NamedDependency[Desk]
) -> Response[LedgerEntryView]:
    """Move a balance up or down with a reason; entries are never changed, and no balance goes below zero."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> LedgerEntryView:
        unit = await service.unit_to_move(scope, session)
        amount = parse_amount(data.amount, unit, field="/amount", signed=True)
        about = None if data.message_id is None else path_id("msg", data.message_id, "message")
        entry = await service.correct(scope, session, amount=amount, reason=data.reason, message_id=about)
        return ledger_entry_view(entry)

    return await desk.operator_once(request, work, status=201)


@get(
    "/tenants/{tenant_id:str}/usage",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Sum up what a tenant's messages were charged and cost",
)
async def get_tenant_usage(
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    group_by: GroupBy = "day",
    first: FirstDay = None,
    last: LastDay = None,
) -> UsageView:
    """Return usage as the tenant sees it, and what AWS charged for it."""
    scope = named_tenant(tenant_id)
    query = usage_query(group_by, first, last, today=desk.services.clock.now().date())
    async with desk.operator() as session:
        await accounts.get(scope, session)
        lines = await usage.usage(
            scope, session, first=query.first, last=query.last, by=query.by, at_most=MOST_ROWS + 1
        )
    return usage_view(query, lines, with_cost=True)


@get(
    "/tenants/{tenant_id:str}/statements",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's monthly statements",
)
async def list_tenant_statements(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[StatementName]:
    """Return the months since the tenant was created."""
    async with desk.operator() as session:
        tenant = await accounts.get(named_tenant(tenant_id), session)
    months = statement_list(tenant.created_at, desk.services.clock.now())
    return part_of(request, months, limit, after)


@get(
    "/tenants/{tenant_id:str}/statements/{name:str}",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a tenant's monthly statement",
)
async def get_tenant_statement(
    tenant_id: FromPath[str], name: FromPath[str], desk: NamedDependency[Desk]
) -> Response[StatementView]:
    """Return a month as its tenant sees it, and what AWS charged; `.csv` and `.html` as for the tenant."""
    scope, now = named_tenant(tenant_id), desk.services.clock.now()
    async with desk.operator() as session:
        tenant = await accounts.get(scope, session)
        month, form = named_month(name, tenant.created_at, now)
        found = await statement(scope, session, month, now=now)
    return statement_answer(statement_view(found, with_cost=True), form, holder=tenant.name)
