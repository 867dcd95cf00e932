"""`/v1/admin/tenants/{id}/opt-outs`: what a person says to a call centre."""

from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant
from gateway.api.recipients.opt_out_changing import change, project
from gateway.api.recipients.opt_out_names import known_lists, no_such_list
from gateway.api.refusals import Refusal
from gateway.api.v1.opt_outs import OptOutChangeView, OptOutState, change_view, complete_until
from tenants.accounts import service as accounts
from tenants.countries.numbers import Number, parse_number
from tenants.optouts import service
from tenants.optouts.lists import EVERYTHING
from tenants.optouts.service import Change, Origin


class SpokenOptOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asked for on the phone or at a counter."""

    number: Annotated[str, Meta(max_length=40, description="E.164")]
    agent: Annotated[str, Meta(min_length=1, max_length=100)]
    """Who took the request; kept in the ledger."""
    list_: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z")] = field(name="list", default=EVERYTHING)
    """`all`, a message type, or a list of the tenant's."""
    opted_out: bool = True
    """False where the person wants messages again."""
    note: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """Such as the number of the call; no more about the person than is needed."""


@post(
    "/tenants/{tenant_id:str}/opt-outs",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "invalid_number"),
    summary="Enter an opt-out that a call centre took",
    description="In force everywhere within a second, like a STOP; nothing is sent to confirm it.",
)
async def enter_opt_out(
    request: ApiRequest,
    tenant_id: FromPath[str],
    data: JSONBody[SpokenOptOut],
    desk: NamedDependency[Desk],
) -> Response[OptOutState]:
    """Write down what a person said, with the name of the agent."""
    scope, number = named_tenant(tenant_id), parse_number(data.number)
    if not isinstance(number, Number):
        raise Refusal.of_field("/number", "invalid_number", number.detail)
    origin = Origin(source="call_centre", actor=data.agent, note=data.note)
    made: list[Change] = []

    async def work(session: AsyncSession) -> OptOutState:
        await accounts.get(scope, session)
        known = await known_lists(scope, session)
        if data.list_ not in known:
            raise Refusal.of_field("/list", "unknown_list", no_such_list(known))
        done = await change(
            scope,
            session,
            await desk.services.data_keys.of(scope.tenant_id),
            number=number.e164,
            list_name=data.list_,
            opted_out=data.opted_out,
            origin=origin,
        )
        made.append(done)
        return OptOutState(
            number=number.e164, list=done.list_name, opted_out=data.opted_out, changed=done.changed
        )

    answer = await desk.operator_once(request, work, status=200)
    await project(desk.services.opt_out_changed, scope.tenant_id, made)
    return answer


@get(
    "/tenants/{tenant_id:str}/opt-outs/changes",
    responses=refusals(*OPERATOR, "not_found", "invalid_number"),
    summary="List every change of a tenant's opt-outs",
    description=(
        "The oldest first; what a call centre looks up before it answers a complaint. Changes of one number "
        "are listed at once, those of all when no earlier one can appear any more, usually after 2 to 3 s."
    ),
)
async def list_tenant_opt_out_changes(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    number: Annotated[str | None, QueryParameter(max_length=40, description="E.164")] = None,
) -> Page[OptOutChangeView]:
    """Return a page of the ledger."""
    scope = named_tenant(tenant_id)
    wanted = None if number is None else parse_number(number)
    if wanted is not None and not isinstance(wanted, Number):
        raise Refusal.of_field("?number", "invalid_number", wanted.detail)
    e164 = None if wanted is None else wanted.e164
    until = await complete_until(desk, e164)
    key = await desk.services.data_keys.of(scope.tenant_id)
    async with desk.operator() as session:
        rows = await service.history(
            scope, session, key, limit=limit + 1, after=id_after(request, after), until=until, number=e164
        )
    return page_of(request, rows, limit, view=change_view, place=lambda row: row.id)
