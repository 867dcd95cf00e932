"""`/v1/admin/inbox`: what waits for a person."""

from typing import Annotated, Any, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id, query_id
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.inbox import service, store
from tenants.inbox.models import InboxItem

InboxState = Literal["open", "resolved", "all"]
_RESOLVED: dict[InboxState, bool | None] = {"open": False, "resolved": True, "all": None}


class InboxItemView(Struct, frozen=True, kw_only=True):
    """One thing for the operator to look at; a cause is open once."""

    id: str
    kind: str
    """`thing.what`, such as `alarm.raised` or `webhook_endpoint.disabled`."""
    subject: str
    """Id or name of what it is about."""
    tenant_id: str | None
    """Null where it concerns no single tenant."""
    summary: str
    """One sentence: what happened and what to do."""
    detail: dict[str, Any]
    created_at: str | None
    resolved_at: str | None
    resolved_by: str | None
    """`operator`, or `gateway` where the cause went away by itself."""
    note: str | None


class Settled(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done about it; kept with the task."""

    note: Annotated[str, Meta(min_length=1, max_length=1000)]


def inbox_item_view(row: InboxItem) -> InboxItemView:
    """Return a task as the wire shows it."""
    return InboxItemView(
        id=encode("task", row.id),
        kind=row.kind,
        subject=row.subject,
        tenant_id=None if row.tenant_id == service.PLATFORM else encode("ten", row.tenant_id),
        summary=row.summary,
        detail=row.detail,
        created_at=timestamp(row.created_at),
        resolved_at=timestamp(row.resolved_at),
        resolved_by=row.resolved_by,
        note=row.note,
    )


@get(
    "/inbox",
    responses=refusals(*OPERATOR),
    summary="List what waits for a person",
    description="The newest first. Tasks close by themselves when their cause goes away.",
)
async def list_inbox(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    which: Annotated[InboxState, QueryParameter(name="state")] = "open",
    kind: Annotated[str | None, QueryParameter(max_length=60)] = None,
    tenant: Annotated[str | None, QueryParameter(max_length=40, description="Tenant id")] = None,
) -> Page[InboxItemView]:
    """Return a page of tasks."""
    tenant_id = None if tenant is None else query_id("ten", tenant, "?tenant")
    async with desk.operator() as session:
        rows = await store.page(
            session,
            resolved=_RESOLVED[which],
            kind=kind,
            tenant_id=tenant_id,
            limit=limit + 1,
            after=id_after(request, after),
        )
    return page_of(request, rows, limit, view=inbox_item_view, place=lambda row: row.id)


@post(
    "/inbox/{item_id:str}/resolve",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Close a task",
    description="Says what was done. A task that is closed already stays as it was closed first.",
)
async def resolve_inbox_item(
    request: ApiRequest, item_id: FromPath[str], data: JSONBody[Settled], desk: NamedDependency[Desk]
) -> Response[InboxItemView]:
    """Close one task."""
    wanted = path_id("task", item_id, "task")

    async def work(session: AsyncSession) -> InboxItemView:
        item = await service.resolve(session, wanted, at=desk.services.clock.now(), note=data.note)
        return inbox_item_view(item)

    return await desk.operator_once(request, work, status=200)
