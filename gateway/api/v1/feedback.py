"""`/v1/messages/{id}/feedback`: whether a message did its job."""

from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.exchange import exchange_of
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.messages import feedback, store
from gateway.messages.view import MessageView
from gateway.webhooks.announcements import announce

_SEND: Final = {NEEDS: "messages:send"}


class Feedback(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a message."""

    status: feedback.FeedbackStatus
    """`received`: the person got or used it, such as by typing its code. `failed`: the person did not."""


@post(
    "/messages/{message_id:str}/feedback",
    status_code=200,
    opt=_SEND,
    responses=refusals(
        *TENANT,
        *WITH_BODY,
        *WITH_IDEMPOTENCY,
        "not_found",
        "feedback_not_requested",
        "feedback_closed",
        "conflict",
    ),
    summary="Say whether a message did its job",
    description=(
        "For messages sent with `feedback: true`, once, within an hour of `dispatched_at`; what nobody "
        "speaks of counts as `failed` then. Saying the same again answers the same. AWS is told, too."
    ),
)
async def give_feedback(
    request: ApiRequest, message_id: FromPath[str], data: JSONBody[Feedback], desk: NamedDependency[Desk]
) -> Response[MessageView]:
    """Take feedback on one message."""
    wanted = path_id("msg", message_id, "message")
    exchange_of(request.scope).message_id = message_id
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def act(session: AsyncSession) -> MessageView:
        given = await feedback.give(request.auth, session, wanted, data.status, now=desk.services.clock.now())
        if given is None:
            raise Refusal("not_found", "There is no such message.")
        if isinstance(given, feedback.NotTaken):
            raise Refusal(given.code, given.detail)
        if given.event is not None:
            message = given.message
            await announce(
                request.auth,
                session,
                "message.feedback",
                given.event,
                message_id=message.id,
                sequence=message.sequence,
            )
        return store.view_of(given.message, key)

    return await desk.tenant_once(request, act, status=200)
