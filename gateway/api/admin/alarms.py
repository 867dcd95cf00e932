"""`/v1/admin/tenants/{id}/alarms`: alarms that the operator sets for a tenant, and those that it has."""

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.alarm_views import AlarmView, NewAlarm, alarm_view, setting_of
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.insight import alarms
from tenants.accounts import service as accounts


@get(
    "/tenants/{tenant_id:str}/alarms",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's alarms",
)
async def list_tenant_alarms(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[AlarmView]:
    """Return a page of alarms, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await alarms.page(scope, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=alarm_view, place=lambda row: row.id)


@post(
    "/tenants/{tenant_id:str}/alarms",
    status_code=201,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "name_taken", "too_many_alarms"
    ),
    summary="Set an alarm for a tenant",
    description="The tenant is told of it, too, and may delete it. Raised alarms stand in `/v1/admin/inbox`.",
)
async def create_tenant_alarm(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[NewAlarm], desk: NamedDependency[Desk]
) -> Response[AlarmView]:
    """Add an alarm."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> AlarmView:
        await accounts.get(scope, session)
        return alarm_view(await alarms.create(scope, session, setting_of(data)))

    return await desk.operator_once(request, work, status=201)


@delete(
    "/tenants/{tenant_id:str}/alarms/{alarm_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Delete a tenant's alarm",
)
async def delete_tenant_alarm(
    tenant_id: FromPath[str], alarm_id: FromPath[str], desk: NamedDependency[Desk]
) -> None:
    """Delete one alarm."""
    async with desk.operator() as session:
        await alarms.delete(named_tenant(tenant_id), session, path_id("alm", alarm_id, "alarm"))
