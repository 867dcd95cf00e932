"""`POST /v1/messages/batch`: many sends in one request, each with its own answer."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Annotated, Any, Final

import structlog
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import RATE_HEADERS, TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.exchange import exchange_of
from gateway.api.faults import refusal_of
from gateway.api.idempotency import claim_key, fingerprint_of, key_of
from gateway.api.rate_headers import rate_headers
from gateway.api.refusals import Problem, Refusal, problem_of
from gateway.api.v1.messages import refusal_of_send
from gateway.intake.outcome import REQUESTS, Accepted, Declined, RateState
from gateway.intake.request import SendRequest
from gateway.intake.together import SendInBatch
from gateway.messages.view import MessageView

MAX_MESSAGES: Final = 1000
MAX_BODY_BYTES: Final = 1024 * 1024
_ACCEPTED: Final = 202
_MULTI_STATUS: Final = 207
_ITEM: Final = "§"
"""
Between the batch's key and an item's index. A client's key is ASCII, so none of a single send collides; and a
key travels to Postgres between control characters, so it is none of those.
"""

_log: Any = structlog.get_logger("gateway.api")


class BatchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to 1,000 sends; each stands alone."""

    messages: Annotated[list[SendRequest], Meta(min_length=1, max_length=MAX_MESSAGES)]


class BatchItem(Struct, frozen=True, kw_only=True):
    """What became of one send of the batch."""

    index: int
    status: int
    """As a single send would have been answered."""
    message: MessageView | UnsetType = UNSET
    error: Problem | UnsetType = UNSET


class BatchAnswer(Struct, frozen=True, kw_only=True):
    """One item per send, in the order of the request."""

    data: list[BatchItem]


class _Items:
    """Puts what became of the sends of one batch into words."""

    def __init__(self, request: ApiRequest, desk: Desk) -> None:
        self._request = request
        self._desk = desk

    def item(self, index: int, outcome: Accepted | Declined | BaseException) -> BatchItem:
        if isinstance(outcome, BaseException):
            return self._refused(index, self._failure(outcome))
        if isinstance(outcome, Declined):
            return self._refused(index, refusal_of_send(outcome))
        return BatchItem(index=index, status=_ACCEPTED, message=outcome.message)

    def _failure(self, error: BaseException) -> Refusal:
        refusal = refusal_of(error) if isinstance(error, Exception) else None
        if refusal is None:
            request_id = exchange_of(self._request.scope).request_id
            _log.error("batch_item_failed", request_id=request_id, exc_info=error)
            refusal = Refusal("internal_error")
        return refusal

    def _refused(self, index: int, refusal: Refusal) -> BatchItem:
        problem = problem_of(
            refusal,
            public_url=self._desk.public_url,
            request_id=exchange_of(self._request.scope).request_id,
        )
        return BatchItem(index=index, status=problem.status, error=problem)


@post(
    "/messages/batch",
    status_code=_MULTI_STATUS,
    opt={NEEDS: "messages:send"},
    request_max_body_size=MAX_BODY_BYTES,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "rate_limited"),
    response_headers=RATE_HEADERS,
    summary="Send up to 1,000 messages",
    description=(
        "Each item is accepted or refused by itself, as a single send would be; a body in which an item has "
        "not a send's form is refused as a whole, 422 with the item in `errors`. A key stands for what was "
        "accepted under it: repeating the batch with its Idempotency-Key answers accepted items as before "
        "and asks again for those that were refused; `Idempotent-Replayed` says that nothing was sent anew. "
        "To the plan's requests per second a batch is one request: over them it is refused as a whole, 429 "
        "`rate_limited`."
    ),
)
async def send_batch(
    request: ApiRequest, data: JSONBody[BatchRequest], desk: NamedDependency[Desk]
) -> Response[BatchAnswer]:
    """Send every item; those that pass their gates share one commit."""
    key = key_of(request)
    fingerprint = await fingerprint_of(request)
    if key is not None:
        async with desk.tenant(request.auth) as session:
            await claim_key(session, request.auth.tenant_id, key, fingerprint, status=_MULTI_STATUS)
    sends = [
        SendInBatch(request=send, key=None if key is None else _own_key(key, fingerprint, index))
        for index, send in enumerate(data.messages)
    ]
    outcomes = await desk.services.sending.send_together(request.auth, sends)
    if isinstance(outcomes, Declined):
        raise refusal_of_send(outcomes)
    items = _Items(request, desk)
    answer = BatchAnswer(data=[items.item(index, outcome) for index, outcome in enumerate(outcomes)])
    replayed = {outcome.replayed for outcome in outcomes if isinstance(outcome, Accepted)}
    headers = rate_headers(nearest_limits(outcomes))
    if replayed == {True}:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer, status_code=_MULTI_STATUS, headers=headers)


def nearest_limits(outcomes: Sequence[Accepted | Declined | BaseException]) -> tuple[RateState, ...]:
    """Return the request rate and, of the countries' rates, that of which the whole batch has left least."""
    rates = [rate for each in outcomes if not isinstance(each, BaseException) for rate in each.rates]
    requests = _nearest(rate for rate in rates if rate.name == REQUESTS)
    return requests + _nearest(rate for rate in rates if rate.name != REQUESTS)


def _nearest(rates: Iterable[RateState]) -> tuple[RateState, ...]:
    """Return the one of which least is left; one that nobody knows comes last."""

    def left(rate: RateState) -> tuple[bool, int, int]:
        return rate.remaining is None, rate.remaining or 0, -rate.reset_ms

    found = min(rates, key=left, default=None)
    return () if found is None else (found,)


def _own_key(key: str, fingerprint: bytes, index: int) -> tuple[str, bytes]:
    """Each item has a key of its own, so that a repeated batch replays item by item."""
    return f"{key}{_ITEM}{index}", sha256(fingerprint + index.to_bytes(4, "big")).digest()
