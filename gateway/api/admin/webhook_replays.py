"""`/v1/admin/webhook-endpoints/{id}/replay`: telling the operator again of what an endpoint missed."""

from typing import Annotated

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.webhook_endpoints import OWN, OperatorEvent
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.webhooks.endpoint_acts import endpoint_id_of
from gateway.api.webhooks.replay_acts import HOW_IT_IS_TOLD, ReplayView, WhenAndWhich, end_of, tell_again


class OperatorReplay(WhenAndWhich, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to tell again."""

    types: Annotated[list[OperatorEvent], Meta(max_length=64)] = field(default_factory=list)
    """Of these types only; as the endpoint subscribed, if it is left out."""


@post(
    "/webhook-endpoints/{endpoint_id:str}/replay",
    status_code=202,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "webhook_endpoint_disabled"),
    summary="Tell an endpoint of the operator's again of a window of events",
    description=(
        f"{HOW_IT_IS_TOLD} Alarms are kept in any case; balances only from the first endpoint of the "
        "operator's on."
    ),
)
async def replay_to_operator(
    request: ApiRequest,
    endpoint_id: FromPath[str],
    data: JSONBody[OperatorReplay],
    desk: NamedDependency[Desk],
) -> Response[ReplayView]:
    """Owe the endpoint the events of a window once more."""
    wanted, now = endpoint_id_of(endpoint_id), desk.services.clock.now()
    until = end_of(data, now=now)

    async def work(session: AsyncSession) -> ReplayView:
        return await tell_again(OWN, session, wanted, data, data.types, until=until, now=now)

    return await desk.operator_once(request, work, status=202)
