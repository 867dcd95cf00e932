"""`/v1/admin/tenants/{id}/pools`: a tenant's pools, one for each use."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.refusals import Refusal
from gateway.api.v1.senders import PoolView, pool_views
from tenants.accounts import service as accounts
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.senders import pools, store
from tenants.senders.service import MessageType

_SenderIds = Annotated[
    list[Annotated[str, Meta(max_length=40, description="`idn_…`")]], Meta(min_length=1, max_length=100)
]
_KIND = "pool"


class NewPool(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pool to be."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    message_types: Annotated[list[MessageType], Meta(min_length=1, max_length=3)]
    """The use: it becomes the default of these types, which the pool that had them loses."""
    senders: _SenderIds
    """In the order in which they are tried; all of one AWS account."""
    opt_out_list: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")] | None = None
    """AWS's list that every member must have; the first member's where absent."""
    allow_mixed: bool = False
    """The operator's word that it may carry promotional messages beside others, which is refused without."""


class PoolSenders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of a pool."""

    senders: _SenderIds
    allow_mixed: bool = False


@get(
    "/tenants/{tenant_id:str}/pools",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's pools",
)
async def list_tenant_pools(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[PoolView]:
    """Return every pool with its senders in order."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await store.pools(scope, session, limit=pools.MOST)
        return part_of(request, await pool_views(scope, session, list(rows)), limit, after)


@post(
    "/tenants/{tenant_id:str}/pools",
    status_code=201,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "name_taken", "pool_mismatch", "conflict"
    ),
    summary="Make a pool for a use",
    description=(
        "Members have the pool's opt-out list and its kind of messages, or 409 `pool_mismatch` names the one "
        "that differs and how. In force for sends within a second. It costs none of the account's AWS pools: "
        "sends name the chosen member itself."
    ),
)
async def create_tenant_pool(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[NewPool], desk: NamedDependency[Desk]
) -> Response[PoolView]:
    """Make a pool the default of its types."""
    scope, sender_ids = named_tenant(tenant_id), _sender_ids(data.senders)

    async def work(session: AsyncSession) -> PoolView:
        await accounts.get(scope, session)
        row = await pools.create(
            scope,
            session,
            name=data.name,
            message_types=data.message_types,
            sender_ids=sender_ids,
            opt_out_list=data.opt_out_list,
            allow_mixed=data.allow_mixed,
        )
        return (await pool_views(scope, session, [row]))[0]

    answer = await desk.operator_once(request, work, status=201)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


@put(
    "/tenants/{tenant_id:str}/pools/{pool_id:str}/senders",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "pool_mismatch"),
    summary="Change the senders of a pool",
)
async def put_tenant_pool_senders(
    tenant_id: FromPath[str],
    pool_id: FromPath[str],
    data: JSONBody[PoolSenders],
    desk: NamedDependency[Desk],
) -> PoolView:
    """Make a pool hold exactly these senders, in this order."""
    scope, wanted = named_tenant(tenant_id), path_id("pool", pool_id, _KIND)
    sender_ids = _sender_ids(data.senders)
    async with desk.operator() as session:
        row = await pools.set_senders(
            scope, session, wanted, sender_ids=sender_ids, allow_mixed=data.allow_mixed
        )
        view = (await pool_views(scope, session, [row]))[0]
    await desk.services.policy_changed(scope.tenant_id)
    return view


@delete(
    "/tenants/{tenant_id:str}/pools/{pool_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found", "conflict"),
    summary="Delete a pool",
    description="Its senders stay; its types go to the oldest pool that is left.",
)
async def delete_tenant_pool(
    tenant_id: FromPath[str], pool_id: FromPath[str], desk: NamedDependency[Desk]
) -> None:
    """Take a pool away."""
    scope, wanted = named_tenant(tenant_id), path_id("pool", pool_id, _KIND)
    async with desk.operator() as session:
        await pools.delete(scope, session, wanted)
    await desk.services.policy_changed(scope.tenant_id)


def _sender_ids(texts: list[str]) -> list[UUID]:
    found: list[UUID] = []
    for place, text in enumerate(texts):
        try:
            found.append(decode("idn", text))
        except InvalidId as error:
            raise Refusal.of_field(f"/senders/{place}", "invalid_id", str(error)) from error
    return found
