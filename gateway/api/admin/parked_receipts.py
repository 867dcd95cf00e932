"""`/v1/admin/parked-receipts`: events that move no message, and another try for them."""

from datetime import datetime
from typing import Annotated, Final, Literal

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from gateway.api.admin.own_trail import note_done
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.idempotency import OPERATOR as OPERATOR_KEYS
from gateway.api.idempotency import claim_key, fingerprint_of, key_of
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, invalid_cursor, page_of, text_after
from gateway.messages.view import timestamp
from gateway.receipts.parked import Parked, Retried

Reason = Literal[
    "no_message",
    "foreign",
    "inbound",
    "no_such_number",
    "not_taken_in",
    "unreadable",
    "unstorable",
    "unbelieved",
]
WantedReason = Annotated[Reason | None, QueryParameter(description="Only events parked for this reason.")]
_PLACE: Final = 2


class ParkedReceiptView(Struct, frozen=True, kw_only=True):
    """An event without a message."""

    event: str
    """SHA-256 of the event, in hexadecimal."""
    reason: str
    """`no_message`: no message has its ids yet. `foreign`: its Context names one that is not here. `inbound`:
    an inbound text. `no_such_number`: one for a number of nobody. `not_taken_in`: one that
    failed several times on our side. `unreadable`: not an event as AWS writes
    them. `unstorable`: the database refused it. `unbelieved`: a signature inside a trusted stream does not
    hold."""
    detail: str
    provider_message_id: str | None
    received_at: str | None
    size_bytes: int


class RetryBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to try again."""

    reason: Reason


def parked_receipt_view(parked: Parked) -> ParkedReceiptView:
    """Return an event as the wire shows it: without its text, which names people."""
    return ParkedReceiptView(
        event=parked.event_key.hex(),
        reason=parked.reason,
        detail=parked.detail,
        provider_message_id=parked.provider_message_id,
        received_at=timestamp(parked.received_at),
        size_bytes=parked.size_bytes,
    )


@get("/parked-receipts", responses=refusals(*OPERATOR), summary="List parked receipts")
async def list_parked_receipts(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    reason: WantedReason = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[ParkedReceiptView]:
    """Return a page of events that move no message, the newest first; each is kept for 30 days."""
    found = await desk.services.parked_events.listed(
        reason=reason, before=_place(text_after(request, after)), limit=limit + 1
    )
    return page_of(
        request,
        found,
        limit,
        view=parked_receipt_view,
        place=lambda last: f"{last.received_at.isoformat()} {last.event_key.hex()}",
    )


@post(
    "/parked-receipts/retry",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY),
    summary="Try parked receipts again",
    description=(
        "Reads and applies up to a thousand events of one reason again, as after a new version that knows "
        "their form: those tried least first, then the oldest, so that asking on gets to all of them. Asking "
        "again is safe, with or without an Idempotency-Key."
    ),
)
async def retry_parked_receipts(
    request: ApiRequest, data: JSONBody[RetryBody], desk: NamedDependency[Desk]
) -> Retried:
    """Apply what can be applied by now."""
    if (key := key_of(request)) is not None:
        async with desk.operator() as session:
            await claim_key(session, OPERATOR_KEYS, key, await fingerprint_of(request), status=200)
    tried = await desk.services.parked_events.retry(data.reason)
    await note_done(desk, "parked_receipts.retried", data.reason)
    return tried


def _place(text: str | None) -> tuple[datetime, bytes] | None:
    if text is None:
        return None
    words = text.split(" ")
    try:
        if len(words) == _PLACE and (at := datetime.fromisoformat(words[0])).tzinfo is not None:
            return at, bytes.fromhex(words[1])
    except ValueError:
        pass
    raise invalid_cursor()
