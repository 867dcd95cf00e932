"""`/v1/admin/tenants/{id}/audit` and `/v1/admin/metrics/summary`: what the operator looks at."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant
from gateway.api.v1.audit import AuditRowView, audit_row_view
from gateway.messages.models import Message, QueuedMessage
from gateway.messages.view import timestamp
from gateway.webhooks.models import WebhookDelivery
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.audit import store
from tenants.budgets.budget import PLATFORM
from tenants.credits.models import Reconciliation
from tenants.scope import TenantScope

_DAY_S = 86_400


class BooksView(Struct, frozen=True, kw_only=True):
    """Whether ledger, balances, messages, AWS's prices and usage agreed."""

    at: str | None
    agree: bool
    differences: int
    tenants: int
    transfers: int
    messages: int
    """What was compared, over all time."""


class Summary(Struct, frozen=True, kw_only=True):
    """The gateway at a glance; figures of the last 24 hours unless they say otherwise."""

    tenants: dict[str, int]
    """By state, as of now."""
    messages: dict[str, int]
    """By status."""
    queued: dict[str, int]
    """By state of dispatch, as of now."""
    webhook_deliveries_pending: int
    """As of now."""
    books: BooksView | None
    """The last scheduled proof; None before the first."""


@get(
    "/tenants/{tenant_id:str}/audit",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List changes of a tenant's world",
)
async def list_tenant_audit(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[AuditRowView]:
    """Return a page of the audit trail, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await store.page(scope, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=audit_row_view, place=lambda row: row.id)


@get("/audit", responses=refusals(*OPERATOR), summary="List what the operator did to no single tenant")
async def list_operator_audit(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[AuditRowView]:
    """Return a page of the operator's own trail, the newest first; what a tenant saw is in the tenant's."""
    async with desk.operator() as session:
        rows = await store.page(
            TenantScope(tenant_id=PLATFORM), session, limit=limit + 1, after=id_after(request, after)
        )
    return page_of(request, rows, limit, view=audit_row_view, place=lambda row: row.id)


@get("/metrics/summary", responses=refusals(*OPERATOR), summary="Read the gateway's main figures")
async def get_summary(desk: NamedDependency[Desk]) -> Summary:
    """Count tenants, messages, queue and webhooks."""
    async with desk.operator() as session:
        return Summary(
            tenants=await _tenants(session),
            messages=await _messages(session),
            queued=await _queued(session),
            webhook_deliveries_pending=await _pending(session),
            books=await _books(session),
        )


async def _books(session: AsyncSession) -> BooksView | None:
    last = await session.scalar(select(Reconciliation).order_by(Reconciliation.at.desc()).limit(1))
    if last is None:
        return None
    return BooksView(
        at=timestamp(last.at),
        agree=last.differences == 0,
        differences=last.differences,
        tenants=last.tenants,
        transfers=last.transfers,
        messages=last.messages,
    )


async def _tenants(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(select(Tenant.state, func.count()).group_by(Tenant.state))
    return {row[0]: row[1] for row in rows}


async def _messages(session: AsyncSession) -> dict[str, int]:
    recent = Message.created_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, _DAY_S)
    rows = await session.execute(select(Message.status, func.count()).where(recent).group_by(Message.status))
    return {row[0]: row[1] for row in rows}


async def _queued(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(select(QueuedMessage.state, func.count()).group_by(QueuedMessage.state))
    return {row[0]: row[1] for row in rows}


async def _pending(session: AsyncSession) -> int:
    waiting = select(func.count()).select_from(WebhookDelivery).where(WebhookDelivery.state == "pending")
    return await session.scalar(waiting) or 0
