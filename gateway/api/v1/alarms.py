"""`/v1/alarms`: figures of the tenant's messages that somebody is told about."""

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.alarm_views import AlarmSwitch, AlarmView, NewAlarm, alarm_view, setting_of
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.api.v1.insight import READ
from gateway.insight import alarms

_KIND = "alarm"


@get("/alarms", opt=READ, responses=refusals(*TENANT), summary="List alarms")
async def list_alarms(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[AlarmView]:
    """Return a page of the tenant's alarms, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await alarms.page(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=alarm_view, place=lambda row: row.id)


@post(
    "/alarms",
    status_code=201,
    opt=READ,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "name_taken", "too_many_alarms"),
    summary="Set an alarm",
    description=(
        "Only live messages count. Told by `alarm.raised` and `alarm.cleared`. An alarm is raised after some "
        "looks in a row beyond `raise_at` and cleared after some in a row back at `clear_at`."
    ),
)
async def create_alarm(
    request: ApiRequest, data: JSONBody[NewAlarm], desk: NamedDependency[Desk]
) -> Response[AlarmView]:
    """Add an alarm."""

    async def work(session: AsyncSession) -> AlarmView:
        return alarm_view(await alarms.create(request.auth, session, setting_of(data)))

    return await desk.tenant_once(request, work, status=201)


@get("/alarms/{alarm_id:str}", opt=READ, responses=refusals(*TENANT, "not_found"), summary="Read an alarm")
async def get_alarm(request: ApiRequest, alarm_id: FromPath[str], desk: NamedDependency[Desk]) -> AlarmView:
    """Return one alarm as it stands."""
    async with desk.tenant(request.auth) as session:
        return alarm_view(await alarms.get(request.auth, session, path_id("alm", alarm_id, _KIND)))


@patch(
    "/alarms/{alarm_id:str}",
    opt=READ,
    responses=refusals(*TENANT, *WITH_BODY, "not_found"),
    summary="Switch an alarm off or on",
    description="To change what it watches, delete it and set another.",
)
async def switch_alarm(
    request: ApiRequest, alarm_id: FromPath[str], data: JSONBody[AlarmSwitch], desk: NamedDependency[Desk]
) -> AlarmView:
    """Put an alarm out of use, or back."""
    async with desk.tenant(request.auth) as session:
        row = await alarms.switch(
            request.auth,
            session,
            path_id("alm", alarm_id, _KIND),
            enabled=data.enabled,
            now=desk.services.clock.now(),
        )
        return alarm_view(row)


@delete(
    "/alarms/{alarm_id:str}",
    status_code=204,
    opt=READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Delete an alarm",
)
async def delete_alarm(request: ApiRequest, alarm_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Delete one alarm."""
    async with desk.tenant(request.auth) as session:
        await alarms.delete(request.auth, session, path_id("alm", alarm_id, _KIND))
