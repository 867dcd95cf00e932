"""`/v1/admin/firehose-keys`: the access keys that Firehose streams present."""

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.admin.receipt_queues import account_named
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.messages.view import timestamp
from gateway.receipts import roads
from gateway.receipts.access_keys import mint
from gateway.receipts.models import FirehoseKey
from tenants.ids import encode


class FirehoseKeyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose streams will present the key."""

    account: Annotated[str, Meta(max_length=40)]
    """`acc_…`."""


class FirehoseKeyView(Struct, frozen=True, kw_only=True):
    """An access key without its secret."""

    id: str
    account: str
    hint: str
    """Its last characters."""
    created_at: str | None
    revoked_at: str | None


class CreatedFirehoseKeyView(Struct, frozen=True, kw_only=True):
    """A new access key."""

    id: str
    account: str
    access_key: str
    """Set it as the access key of the stream's HTTP endpoint; it is shown this once."""
    endpoint_url: str
    """Where the stream delivers."""


def firehose_key_view(row: FirehoseKey) -> FirehoseKeyView:
    """Return a key as the wire shows it."""
    return FirehoseKeyView(
        id=encode("fhk", row.id),
        account=encode("acc", row.account_id),
        hint=row.hint,
        created_at=timestamp(row.created_at),
        revoked_at=timestamp(row.revoked_at),
    )


@get("/firehose-keys", responses=refusals(*OPERATOR), summary="List Firehose keys")
async def list_firehose_keys(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[FirehoseKeyView]:
    """Return every key, the oldest first, revoked ones included."""
    async with desk.operator() as session:
        rows = await roads.keys(session)
    return part_of(request, [firehose_key_view(row) for row in rows], limit, after)


@post(
    "/firehose-keys",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Create a Firehose key",
    description="An account may have several at once: set the new one in AWS, then revoke the old one.",
)
async def create_firehose_key(
    request: ApiRequest, data: JSONBody[FirehoseKeyBody], desk: NamedDependency[Desk]
) -> Response[CreatedFirehoseKeyView]:
    """Create a key and show it this once."""
    account_id = account_named(data.account)

    async def work(session: AsyncSession) -> CreatedFirehoseKeyView:
        key = mint(desk.pepper)
        row = await roads.add_key(session, account_id, key)
        account = encode("acc", row.account_id)
        await note(session, "firehose_key.created", encode("fhk", row.id), account=account)
        return CreatedFirehoseKeyView(
            id=encode("fhk", row.id),
            account=account,
            access_key=key.token,
            endpoint_url=f"{desk.public_url}/v1/ingest/firehose",
        )

    return await desk.operator_once(request, work, status=201)


@delete(
    "/firehose-keys/{key_id:str}",
    status_code=200,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Revoke a Firehose key",
    description="In force everywhere within 5 s; revoking it again changes nothing.",
)
async def revoke_firehose_key(key_id: FromPath[str], desk: NamedDependency[Desk]) -> FirehoseKeyView:
    """End a key."""
    wanted = path_id("fhk", key_id, "Firehose key")
    async with desk.operator() as session:
        row = await roads.revoke_key(session, wanted, now=desk.services.clock.now())
        await note(session, "firehose_key.revoked", key_id)
        return firehose_key_view(row)
