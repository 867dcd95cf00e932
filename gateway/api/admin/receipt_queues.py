"""`/v1/admin/receipt-queues`: the SQS queues that bring delivery events, and their dead letters."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note, note_done
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.idempotency import OPERATOR as OPERATOR_KEYS
from gateway.api.idempotency import claim_key, fingerprint_of, key_of
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from gateway.receipts import roads
from gateway.receipts.dead_letter import DeadLetter
from gateway.receipts.models import ReceiptQueue
from gateway.receipts.roads import check_queue_url
from tenants.errors import InvalidId
from tenants.ids import decode, encode

_Id = Annotated[str, Meta(max_length=40)]


class ReceiptQueueBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A queue that the receipts role is to read."""

    account: _Id
    """`acc_…` whose credentials or role open the queue; it may not be another one's."""
    url: Annotated[str, Meta(min_length=1, max_length=1024)]
    """`https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`; its host is where the calls go."""
    signed_only: bool = False
    """Refuse what carries no SNS signature. Leave it off for raw delivery and for EventBridge."""


class ReceiptQueueView(Struct, frozen=True, kw_only=True):
    """A queue that is read."""

    id: str
    account: str
    url: str
    signed_only: bool
    created_at: str | None


class DeadLetterView(Struct, frozen=True, kw_only=True):
    """A message that was received too often without being stored."""

    id: str
    """SQS's message id."""
    reason: str
    """Why the gateway would not take it now; `none` if it would."""
    sent_at: str | None
    receives: int
    size_bytes: int
    body_sha256: str
    excerpt: str
    """The first 200 characters, every long number masked."""


class DeadLetterList(Struct, frozen=True, kw_only=True):
    """Some dead letters; SQS keeps them in no order."""

    data: list[DeadLetterView]
    next_cursor: None = None


class RedriveBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters to move; the whole body may be left out."""

    letters: Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(max_length=1000)] | None = None
    """SQS's message ids; all where absent."""


class Redriven(Struct, frozen=True, kw_only=True):
    """What was moved."""

    moved: int
    """At most a thousand a time."""


def receipt_queue_view(row: ReceiptQueue) -> ReceiptQueueView:
    """Return a queue as the wire shows it."""
    return ReceiptQueueView(
        id=encode("rcq", row.id),
        account=encode("acc", row.account_id),
        url=row.url,
        signed_only=row.signed_only,
        created_at=timestamp(row.created_at),
    )


@get("/receipt-queues", responses=refusals(*OPERATOR), summary="List receipt queues")
async def list_receipt_queues(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[ReceiptQueueView]:
    """Return every queue that is read, the oldest first."""
    async with desk.operator() as session:
        found = await roads.queues(session)
    return part_of(request, [receipt_queue_view(each.queue) for each in found], limit, after)


@post(
    "/receipt-queues",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Read a receipt queue",
    description="Every `receipts` process reads it within seconds. A URL that is known is changed.",
)
async def put_receipt_queue(
    request: ApiRequest, data: JSONBody[ReceiptQueueBody], desk: NamedDependency[Desk]
) -> Response[ReceiptQueueView]:
    """Add a queue, or change the one with that URL."""
    url, account_id = check_queue_url(data.url), account_named(data.account)

    async def work(session: AsyncSession) -> ReceiptQueueView:
        row = await roads.put_queue(session, account_id, url, signed_only=data.signed_only)
        view = receipt_queue_view(row)
        await note(session, "receipt_queue.put", view.id, account=data.account)
        return view

    return await desk.operator_once(request, work, status=201)


@delete(
    "/receipt-queues/{queue_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Stop reading a receipt queue",
    description="What is in it stays in it.",
)
async def delete_receipt_queue(queue_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Forget a queue."""
    async with desk.operator() as session:
        await roads.remove_queue(session, _queue_id(queue_id))
        await note(session, "receipt_queue.removed", queue_id)


@get(
    "/receipt-queues/{queue_id:str}/dead-letters",
    responses=refusals(*OPERATOR, "not_found", "queue_refused"),
    summary="Look at a queue's dead letters",
    description=(
        "Receives from the dead-letter queue that the queue's redrive policy names, judges each message as "
        "the road would, and gives it back."
    ),
)
async def list_dead_letters(
    queue_id: FromPath[str], desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT
) -> DeadLetterList:
    """Return some dead letters and why each is one."""
    letters = await desk.services.dead_letters.listed(_queue_id(queue_id), limit=limit)
    return DeadLetterList(data=[_dead_letter_view(each) for each in letters])


@post(
    "/receipt-queues/{queue_id:str}/redrive",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "queue_refused"),
    summary="Move dead letters back",
    description=(
        "Each is sent to its queue before the dead one is deleted. An event that comes twice changes "
        "nothing, so asking again is safe, with or without an Idempotency-Key. At most a thousand are moved, "
        "or what 20 s are enough for: ask again while `moved` is above 0."
    ),
)
async def redrive_dead_letters(
    request: ApiRequest,
    queue_id: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[RedriveBody | None] = None,
) -> Redriven:
    """Give dead letters another chance."""
    wanted = _queue_id(queue_id)
    if (key := key_of(request)) is not None:
        async with desk.operator() as session:
            await claim_key(session, OPERATOR_KEYS, key, await fingerprint_of(request), status=200)
    only = None if data is None or data.letters is None else frozenset(data.letters)
    moved = await desk.services.dead_letters.redrive(wanted, only=only)
    await note_done(desk, "dead_letters.redriven", queue_id, moved=moved)
    return Redriven(moved=moved)


def account_named(text: str) -> UUID:
    """
    Return the id of the account in a body.

    Raises:
        Refusal: 422: it is no such id.
    """
    try:
        return decode("acc", text)
    except InvalidId as error:
        raise Refusal.of_field("/account", "invalid_id", str(error)) from error


def _queue_id(text: str) -> UUID:
    return path_id("rcq", text, "receipt queue")


def _dead_letter_view(letter: DeadLetter) -> DeadLetterView:
    return DeadLetterView(
        id=letter.id,
        reason=letter.reason,
        sent_at=timestamp(letter.sent_at),
        receives=letter.receives,
        size_bytes=letter.size_bytes,
        body_sha256=letter.body_sha256,
        excerpt=letter.excerpt,
    )
