"""`/v1/audit`: who changed what in the tenant's world."""

from typing import Any, Final

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.messages.view import timestamp
from tenants.audit import store
from tenants.audit.models import AuditRow

_READ: Final = {NEEDS: "audit:read"}


class AuditRowView(Struct, frozen=True, kw_only=True):
    """One change; never altered afterwards."""

    at: str | None
    actor: str
    """`operator`, or the id of the API key."""
    action: str
    """`thing.verb`, such as `template.approved`."""
    subject: str
    """Id of what was changed."""
    detail: dict[str, Any]


def audit_row_view(row: AuditRow) -> AuditRowView:
    """Return a change as lists show it."""
    return AuditRowView(
        at=timestamp(row.at), actor=row.actor, action=row.action, subject=row.subject, detail=row.detail
    )


@get("/audit", opt=_READ, responses=refusals(*TENANT), summary="List changes of the tenant's world")
async def list_audit(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[AuditRowView]:
    """Return a page of the audit trail, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await store.page(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=audit_row_view, place=lambda row: row.id)
