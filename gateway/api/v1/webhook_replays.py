"""`/v1/webhook-endpoints/{id}/replay`: telling an endpoint again of what it missed."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.event_query import KEPT
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.replays import MOST_EVENTS, PER_SECOND, Which, Window, replay
from gateway.api.v1.webhook_deliveries import TEST_EVENT, refuse_disabled
from gateway.api.v1.webhook_endpoints import KIND
from gateway.messages.view import timestamp
from gateway.webhooks.event_types import EventType
from tenants.audit import store as audit
from tenants.endpoints import service
from tenants.ids import encode

_WEBHOOKS: Final = {NEEDS: "webhooks"}
_Instant = Annotated[datetime, Meta(tz=True)]


class ReplayRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to tell again."""

    since: _Instant
    """Inclusive; at most 30 days ago."""
    until: _Instant | UnsetType = UNSET
    """Exclusive; now, if it is left out."""
    types: Annotated[list[EventType], Meta(max_length=64)] = []
    """Of these types only; as the endpoint subscribed, if it is left out."""
    only: Which = "all"
    """`undelivered` leaves out what the endpoint has already confirmed."""


class ReplayView(Struct, frozen=True, kw_only=True):
    """What a replay will do."""

    endpoint_id: str
    since: str | None
    until: str | None
    events: int
    """In the window, at most 10,000."""
    owed: int
    """Deliveries that will be made; the others wait already, or were not asked for."""
    done_by: str | None
    """When the last of them is due."""
    continues_from: str | None
    """Ask again with this `since` for the rest of the window; null if there is none."""


@post(
    "/webhook-endpoints/{endpoint_id:str}/replay",
    status_code=202,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "webhook_endpoint_disabled"),
    summary="Tell an endpoint again of a window of events",
    description=(
        f"Up to {MOST_EVENTS:,} events, the oldest first, {PER_SECOND} a second behind what is new, each "
        "with the `webhook-id` it had: whoever drops known ids gets none twice. An event that waits already "
        "is not owed again, so a replay may be repeated."
    ),
)
async def replay_events(
    request: ApiRequest,
    endpoint_id: FromPath[str],
    data: JSONBody[ReplayRequest],
    desk: NamedDependency[Desk],
) -> Response[ReplayView]:
    """Owe the endpoint the events of a window once more."""
    wanted = path_id("wh", endpoint_id, KIND)
    now = desk.services.clock.now()
    until = now if isinstance(data.until, UnsetType) else min(data.until, now)
    _refuse_window(data.since, until, now=now)

    async def work(session: AsyncSession) -> ReplayView:
        endpoint = await service.get(request.auth, session, wanted)
        refuse_disabled(endpoint)
        types = data.types or endpoint.events
        window = Window(since=data.since, until=until, types=types, but=TEST_EVENT)
        done = await replay(request.auth, session, wanted, window, data.only)
        await audit.append(
            request.auth,
            session,
            action="webhook_endpoint.replayed",
            subject=encode("wh", wanted),
            detail={"since": timestamp(data.since), "until": timestamp(until), "owed": done.owed},
        )
        return ReplayView(
            endpoint_id=encode("wh", wanted),
            since=timestamp(data.since),
            until=timestamp(until),
            events=done.events,
            owed=done.owed,
            done_by=timestamp(now + timedelta(seconds=done.events / PER_SECOND)) if done.owed else None,
            continues_from=timestamp(done.continues_from),
        )

    return await desk.tenant_once(request, work, status=202)


def _refuse_window(since: datetime, until: datetime, *, now: datetime) -> None:
    if since < now - KEPT:
        detail = f"Events are kept for {KEPT.days} days; name a later instant."
        raise Refusal.of_field("/since", "too_early", detail)
    if since >= until:
        raise Refusal.of_field("/since", "empty_window", "Name an instant before `until` and in the past.")
