"""`/v1/webhook-endpoints/{id}/replay`: telling an endpoint again of what it missed."""

from typing import Annotated, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.webhooks.endpoint_acts import endpoint_id_of
from gateway.api.webhooks.replay_acts import HOW_IT_IS_TOLD, ReplayView, WhenAndWhich, end_of, tell_again
from gateway.webhooks.event_types import EventType

_WEBHOOKS: Final = {NEEDS: "webhooks"}


class ReplayRequest(WhenAndWhich, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to tell again."""

    types: Annotated[list[EventType], Meta(max_length=64)] = field(default_factory=list)
    """Of these types only; as the endpoint subscribed, if it is left out."""


@post(
    "/webhook-endpoints/{endpoint_id:str}/replay",
    status_code=202,
    opt=_WEBHOOKS,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "webhook_endpoint_disabled"),
    summary="Tell an endpoint again of a window of events",
    description=HOW_IT_IS_TOLD,
)
async def replay_events(
    request: ApiRequest,
    endpoint_id: FromPath[str],
    data: JSONBody[ReplayRequest],
    desk: NamedDependency[Desk],
) -> Response[ReplayView]:
    """Owe the endpoint the events of a window once more."""
    wanted, now = endpoint_id_of(endpoint_id), desk.services.clock.now()
    until = end_of(data, now=now)

    async def work(session: AsyncSession) -> ReplayView:
        return await tell_again(request.auth, session, wanted, data, data.types, until=until, now=now)

    return await desk.tenant_once(request, work, status=202)
