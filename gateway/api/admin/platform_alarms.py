"""`/v1/admin/alarms`: the operator's own alarms, which watch all tenants together."""

from typing import Final

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.alarm_views import AlarmSwitch, AlarmView, NewAlarm, alarm_view, setting_of
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.insight import alarms
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

_ALL: Final = TenantScope(tenant_id=PLATFORM)
_KIND: Final = "alarm"


@get("/alarms", responses=refusals(*OPERATOR), summary="List platform-wide alarms")
async def list_platform_alarms(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[AlarmView]:
    """Return a page of the operator's own alarms, the newest first."""
    async with desk.operator() as session:
        rows = await alarms.page(_ALL, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=alarm_view, place=lambda row: row.id)


@post(
    "/alarms",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "name_taken", "too_many_alarms"),
    summary="Set a platform-wide alarm",
    description=(
        "Watches the live messages of all tenants together, or with `throttle_rate` the calls over every AWS "
        "account, with fixed thresholds over an hour at most. Told to `/v1/admin/webhook-endpoints`, to the "
        "inbox and to the log; no tenant hears of it."
    ),
)
async def create_platform_alarm(
    request: ApiRequest, data: JSONBody[NewAlarm], desk: NamedDependency[Desk]
) -> Response[AlarmView]:
    """Add an alarm."""

    async def work(session: AsyncSession) -> AlarmView:
        return alarm_view(await alarms.create(_ALL, session, setting_of(data)))

    return await desk.operator_once(request, work, status=201)


@get(
    "/alarms/{alarm_id:str}", responses=refusals(*OPERATOR, "not_found"), summary="Read a platform-wide alarm"
)
async def get_platform_alarm(alarm_id: FromPath[str], desk: NamedDependency[Desk]) -> AlarmView:
    """Return one alarm as it stands."""
    async with desk.operator() as session:
        return alarm_view(await alarms.get(_ALL, session, path_id("alm", alarm_id, _KIND)))


@patch(
    "/alarms/{alarm_id:str}",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Switch a platform-wide alarm off or on",
    description="To change what it watches, delete it and set another.",
)
async def switch_platform_alarm(
    alarm_id: FromPath[str], data: JSONBody[AlarmSwitch], desk: NamedDependency[Desk]
) -> AlarmView:
    """Put an alarm out of use, or back."""
    wanted, now = path_id("alm", alarm_id, _KIND), desk.services.clock.now()
    async with desk.operator() as session:
        return alarm_view(await alarms.switch(_ALL, session, wanted, enabled=data.enabled, now=now))


@delete(
    "/alarms/{alarm_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Delete a platform-wide alarm",
)
async def delete_platform_alarm(alarm_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Delete one alarm."""
    async with desk.operator() as session:
        await alarms.delete(_ALL, session, path_id("alm", alarm_id, _KIND))
