"""`/v1/messages`: send, estimate, cancel, read."""

from typing import Final, cast

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from msgspec import json
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import (
    RATE_HEADERS,
    SENDING,
    TENANT,
    WITH_BODY,
    WITH_IDEMPOTENCY,
    refusals,
)
from gateway.api.exchange import exchange_of
from gateway.api.idempotency import fingerprint_of, key_of
from gateway.api.lists.message_query import MessageQuery, message_query
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.api.rate_headers import rate_headers
from gateway.api.refusals import Refusal
from gateway.insight import search
from gateway.intake.explaining import Explanation
from gateway.intake.outcome import Accepted, Declined, Estimate
from gateway.intake.request import SendRequest
from gateway.messages import store
from gateway.messages.view import MessageEventView, MessageView

encode_message: Final = json.Encoder().encode
_SEND: Final = {NEEDS: "messages:send"}
_READ: Final = {NEEDS: "messages:read"}
_KIND: Final = "message"


@post(
    "/messages",
    status_code=202,
    opt=_SEND,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, *SENDING),
    response_headers=RATE_HEADERS,
    summary="Send a message",
    description=(
        "202 means that the message is on disk and will be sent, refused or reported; never less. Only that "
        "is kept under an Idempotency-Key: a send that was refused is asked for again by its repetition."
    ),
)
async def send_message(
    request: ApiRequest, data: JSONBody[SendRequest], desk: NamedDependency[Desk]
) -> Response[MessageView]:
    """Accept one message."""
    key = key_of(request)
    outcome = await desk.services.sending.send(
        request.auth,
        data,
        idempotency_key=key,
        fingerprint=None if key is None else await fingerprint_of(request),
    )
    if isinstance(outcome, Declined):
        raise refusal_of_send(outcome)
    exchange_of(request.scope).message_id = outcome.message.id
    return _accepted(outcome)


@post(
    "/messages/estimate",
    status_code=200,
    opt=_SEND,
    responses=refusals(*TENANT, *WITH_BODY, *SENDING),
    summary="Count and price a message without sending it",
    description="Takes the body of a send, and changes nothing, so that an Idempotency-Key is not looked at.",
)
async def estimate_message(
    request: ApiRequest, data: JSONBody[SendRequest], desk: NamedDependency[Desk]
) -> Estimate:
    """Say what a text would be on the wire and what it would cost."""
    outcome = await desk.services.sending.estimate(request.auth, data)
    if isinstance(outcome, Declined):
        raise refusal_of_send(outcome)
    return outcome


@post(
    "/messages/explain",
    status_code=200,
    opt=_SEND,
    responses=refusals(*TENANT, *WITH_BODY, *SENDING),
    summary="Explain what would become of a message",
    description=(
        "Takes the body of a send, sends nothing and counts against nothing, so that an Idempotency-Key is "
        "not looked at. Names every gate with what it looked at, its verdict and when it opens, and every "
        "sender of the tenant in order, with why it would be taken or passed over."
    ),
)
async def explain_message(
    request: ApiRequest, data: JSONBody[SendRequest], desk: NamedDependency[Desk]
) -> Explanation:
    """Say what a send would meet, and which sender it would get."""
    outcome = await desk.services.sending.explain(request.auth, data)
    if isinstance(outcome, Declined):
        raise refusal_of_send(outcome)
    return outcome


@post(
    "/messages/{message_id:str}/cancel",
    status_code=200,
    opt=_SEND,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "message_not_cancelable"),
    summary="Cancel a message that has not left",
    description="Its hold is released. Canceling a canceled message again answers the same.",
)
async def cancel_message(
    request: ApiRequest, message_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[MessageView]:
    """Stop one message; if the answer is lost before it is stored, a repeat makes the same one."""
    wanted = path_id("msg", message_id, _KIND)
    exchange_of(request.scope).message_id = message_id

    async def work(_session: AsyncSession) -> MessageView:
        outcome = await desk.services.sending.cancel(request.auth, wanted)
        if outcome is None:
            raise Refusal("not_found", "There is no such message.")
        if isinstance(outcome, Declined):
            raise refusal_of_send(outcome)
        return outcome

    return await desk.tenant_once(request, work, status=200)


@get(
    "/messages/{message_id:str}",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a message",
)
async def get_message(
    request: ApiRequest, message_id: FromPath[str], desk: NamedDependency[Desk]
) -> MessageView:
    """Return one message as it stands now."""
    wanted = path_id("msg", message_id, _KIND)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        message = await store.get(request.auth, session, wanted)
    if message is None:
        raise Refusal("not_found", "There is no such message.")
    return store.view_of(message, key)


@get(
    "/messages/{message_id:str}/events",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read the history of a message",
)
async def list_message_events(
    request: ApiRequest,
    message_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[MessageEventView]:
    """Return our events and AWS's, in order of time."""
    wanted = path_id("msg", message_id, _KIND)
    async with desk.tenant(request.auth) as session:
        events = await store.history(request.auth, session, wanted)
    if events is None:
        raise Refusal("not_found", "There is no such message.")
    return part_of(request, events, limit, after)


@get(
    "/messages",
    opt=_READ,
    dependencies={"looked_for": Provide(message_query)},
    responses=refusals(*TENANT, "invalid_number", "search_too_wide"),
    summary="Search messages",
    description=(
        "By any of their fields, the newest first; a test key sees test messages, a live key live ones. "
        "Recipients, references, reasons and bad ends are found at once; with other fields give a span."
    ),
)
async def list_messages(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    looked_for: NamedDependency[MessageQuery],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[MessageView]:
    """Return a page of the tenant's messages."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    wanted = looked_for.under([(request.auth.tenant_id, key)])
    async with desk.tenant(request.auth) as session, search.bounded(session):
        rows = await search.page(
            request.auth, session, wanted, limit=limit + 1, after=id_after(request, after)
        )
    return page_of(request, rows, limit, view=lambda row: store.view_of(row, key), place=lambda row: row.id)


def refusal_of_send(declined: Declined) -> Refusal:
    """Return the problem that shows why a send was declined, with the state of its rate."""
    return Refusal(
        declined.code,
        declined.detail,
        errors=declined.errors,
        retry_after_ms=declined.retry_after_ms,
        headers=rate_headers(declined.rates),
        estimated_dispatch_at=declined.estimated_dispatch_at,
    )


def accepted_headers(outcome: Accepted) -> dict[str, str]:
    """Return the headers of a 202 beside those that every answer has."""
    headers = rate_headers(outcome.rates)
    if outcome.replayed:
        headers["Idempotent-Replayed"] = "true"
    return headers


def _accepted(outcome: Accepted) -> Response[MessageView]:
    return cast(
        "Response[MessageView]",
        Response(
            encode_message(outcome.message),
            status_code=202,
            headers=accepted_headers(outcome),
            media_type=MediaType.JSON,
        ),
    )
