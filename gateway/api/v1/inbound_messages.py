"""`/v1/inbound-messages`: what people wrote to the tenant's numbers."""

from typing import Annotated, Final, Literal

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id, query_id
from gateway.api.refusals import Refusal
from gateway.inbound import store
from gateway.messages.inbound import InboundView, inbound_view
from tenants.countries.numbers import Number, parse_number

_READ: Final = {NEEDS: "messages:read"}


@get(
    "/inbound-messages",
    opt=_READ,
    responses=refusals(*TENANT, "invalid_number"),
    summary="List texts that came in",
    description="Newest first. Each is stored once, however often AWS delivers it; kept for 90 days.",
)
async def list_inbound_messages(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    from_: Annotated[str | None, QueryParameter(name="from", max_length=40, description="E.164")] = None,
    sender: Annotated[str | None, QueryParameter(max_length=40, description="`idn_…`, written to")] = None,
    action: Annotated[Literal["opt_out", "opt_in", "help", "reply"] | None, QueryParameter()] = None,
) -> Page[InboundView]:
    """Return a page of the tenant's inbound texts."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    person = None if from_ is None else key.recipient_hash(_number(from_))
    sender_id = None if sender is None else query_id("idn", sender, "?sender")
    async with desk.tenant(request.auth) as session:
        rows = await store.page(
            request.auth,
            session,
            limit=limit + 1,
            after=id_after(request, after),
            person=person,
            sender_id=sender_id,
            action=action,
        )
    return page_of(request, rows, limit, view=lambda row: inbound_view(row, key), place=lambda row: row.id)


@get(
    "/inbound-messages/{inbound_id:str}",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a text that came in",
)
async def get_inbound_message(
    request: ApiRequest, inbound_id: FromPath[str], desk: NamedDependency[Desk]
) -> InboundView:
    """Return one inbound text, and what became of its automatic reply."""
    wanted = path_id("inb", inbound_id, "inbound message")
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        row = await store.get(request.auth, session, wanted)
    if row is None:
        raise Refusal("not_found", "There is no such inbound message.")
    return inbound_view(row, key)


def _number(text: str) -> str:
    number = parse_number(text)
    if isinstance(number, Number):
        return number.e164
    raise Refusal.of_field("?from", "invalid_number", number.detail)
