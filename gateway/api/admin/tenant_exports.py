"""`POST /v1/admin/tenants/{id}/export`: everything of a tenant, as a file."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from gateway.api.admin.provision import claim_run
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_IDEMPOTENCY, refusals
from gateway.api.files import FILES
from gateway.api.path_ids import named_tenant
from gateway.db.revision import current_revision
from gateway.insight.handover import Handover, handover
from tenants.audit import store as audit

_ZIP = "application/zip"


@post(
    "/tenants/{tenant_id:str}/export",
    status_code=200,
    opt={FILES: (_ZIP,)},
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, "not_found"),
    summary="Export everything of a tenant",
    description=(
        "For a hand-over, or to answer a person who asks: a ZIP with one file of JSON Lines per kind of "
        "thing, numbers and texts in the clear, without secrets and without the operator's own costs. "
        "`manifest.json`, the last file, counts the rows. A ZIP without it is not whole. Each kind is as it "
        "was when its rows were read. In the tenant's audit trail."
    ),
)
async def export_tenant(request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> Stream:
    """Note who asked, then send the rows while they are read."""
    scope = named_tenant(tenant_id)
    await claim_run(request, desk, scope)
    revision, _ = await current_revision(desk.services.settings.database_url)
    key = await desk.services.data_keys.of(scope.tenant_id)
    async with desk.operator() as session:
        await audit.append(scope, session, action="tenant.exported", subject=tenant_id)
    wanted = Handover(
        scope=scope, key=key, schema_revision=revision or "", created_at=desk.services.clock.now()
    )
    return Stream(
        handover(wanted, lambda: desk.tenant(scope)),
        media_type=_ZIP,
        headers={
            "Content-Disposition": f'attachment; filename="{tenant_id}.zip"',
            "Cache-Control": "no-store",
        },
    )
