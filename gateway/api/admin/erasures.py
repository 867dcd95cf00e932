"""`/v1/admin/tenants/{id}/erase`: a tenant that left is forgotten."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import named_tenant
from gateway.insight.erasing import begin
from gateway.insight.erasure_tables import KEPT
from gateway.messages.view import timestamp
from tenants.accounts import erasure
from tenants.accounts.models import Erasure
from tenants.ids import encode

_ERASES: Final = refusals(
    *OPERATOR, *WITH_IDEMPOTENCY, "not_found", "tenant_not_closed", "messages_in_flight"
)


class ErasureView(Struct, frozen=True, kw_only=True):
    """How far the erasure of a tenant is."""

    tenant: str
    state: str
    """`running` or `done`."""
    asked_at: str | None
    finished_at: str | None
    rows: dict[str, int]
    """Rows deleted, or emptied of what names a person or was noted by one, by table."""
    kept: dict[str, str]
    """Tables whose rows stay as they are, and why."""


def _view(row: Erasure) -> ErasureView:
    return ErasureView(
        tenant=encode("ten", row.tenant_id),
        state="running" if row.finished_at is None else "done",
        asked_at=timestamp(row.asked_at),
        finished_at=timestamp(row.finished_at),
        rows={name: count for name, count in row.counts.items() if count},
        kept=dict(KEPT),
    )


@post(
    "/tenants/{tenant_id:str}/erase",
    status_code=202,
    responses=_ERASES,
    summary="Erase a closed tenant",
    description=(
        "For good. Its data key, name, slug, API keys and sessions go at once; a minute later no process "
        "reads a number or text of it any more. Its rows follow: all are deleted but the books and what "
        "stands at AWS; messages, receipts and the audit trail stay without what names a person, "
        "ledger and fees without notes. "
        "Export it and tear it down before. Asked again, it answers how far it is."
    ),
)
async def erase_tenant(
    request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[ErasureView]:
    """Forget the key, and let the scheduler do the rest."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> ErasureView:
        return _view(await begin(scope, session, now=desk.services.clock.now()))

    answer = await desk.operator_once(request, work, status=202)
    desk.services.data_keys.forget(scope.tenant_id)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


@get(
    "/tenants/{tenant_id:str}/erase",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read how far a tenant's erasure is",
)
async def get_erasure(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> ErasureView:
    """Return what is erased so far."""
    async with desk.operator() as session:
        return _view(await erasure.progress(named_tenant(tenant_id), session))
