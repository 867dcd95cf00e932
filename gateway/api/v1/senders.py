"""`/v1/senders`, `/v1/pools`, `/v1/configuration-sets`: what the tenant sends from."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.messages.view import timestamp
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders import store
from tenants.senders.mixing import MIXED_USE, mixes
from tenants.senders.models import ConfigurationSet, Pool, Sender

_READ: Final = {NEEDS: "senders:read"}


class SenderView(Struct, frozen=True, kw_only=True):
    """An origination identity that the tenant may use."""

    id: str
    type: str
    value: str
    """What the phone shows: an E.164 number, a short code or a sender id."""
    country: str
    message_types: list[str]
    """Types it may carry; empty for all."""
    parts_per_second: float
    """MPS in message parts."""
    state: str
    """`pending` at AWS, `active`, `standby`, `disabled` or `released`."""
    channels: list[str]
    two_way: bool
    use_cases: list[str]
    """Use cases it is registered for; empty where no registration names one."""
    opt_out_list: str | None
    """AWS's list that its recipients stop on; null where unknown, or where it has none, as a sender id."""
    allow_mixed: bool
    """Whether the operator let it carry promotional messages beside others."""
    warnings: list[str]
    """`mixed_use` where promotional and other messages share it, and so its opt-outs, rate and audits."""
    created_at: str | None


class PoolView(Struct, frozen=True, kw_only=True):
    """An ordered set of senders."""

    id: str
    name: str
    message_types: list[str]
    """Types for which it is the default."""
    senders: list[str]
    """Sender ids, in the order in which they are tried."""
    opt_out_list: str
    created_at: str | None


class ConfigurationSetView(Struct, frozen=True, kw_only=True):
    """The configuration set that the tenant's sends name at AWS."""

    id: str
    name: str
    created_at: str | None


def sender_view(row: Sender) -> SenderView:
    """Return a sender as lists show it."""
    return SenderView(
        id=encode("idn", row.id),
        type=row.type,
        value=row.value,
        country=row.country,
        message_types=row.message_types,
        parts_per_second=row.parts_per_second,
        state=row.state,
        channels=row.channels,
        two_way=row.two_way,
        use_cases=row.use_cases,
        opt_out_list=row.opt_out_list,
        allow_mixed=row.allow_mixed,
        warnings=[MIXED_USE] if mixes(row.message_types) else [],
        created_at=timestamp(row.created_at),
    )


async def pool_views(scope: TenantScope, session: AsyncSession, rows: list[Pool]) -> list[PoolView]:
    """Return pools with their senders in order."""
    members = await store.members(scope, session, [row.id for row in rows])
    return [
        PoolView(
            id=encode("pool", row.id),
            name=row.name,
            message_types=row.message_types,
            senders=[encode("idn", sender_id) for sender_id in members[row.id]],
            opt_out_list=row.opt_out_list,
            created_at=timestamp(row.created_at),
        )
        for row in rows
    ]


def configuration_set_view(row: ConfigurationSet) -> ConfigurationSetView:
    """Return a configuration set as lists show it."""
    return ConfigurationSetView(id=encode("cfg", row.id), name=row.name, created_at=timestamp(row.created_at))


@get("/senders", opt=_READ, responses=refusals(*TENANT), summary="List senders")
async def list_senders(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[SenderView]:
    """Return a page of origination identities, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await store.senders(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=sender_view, place=lambda row: row.id)


@get("/senders/{sender_id:str}", opt=_READ, responses=refusals(*TENANT, "not_found"), summary="Read a sender")
async def get_sender(
    request: ApiRequest, sender_id: FromPath[str], desk: NamedDependency[Desk]
) -> SenderView:
    """Return one origination identity."""
    async with desk.tenant(request.auth) as session:
        row = await store.sender(request.auth, session, path_id("idn", sender_id, "sender"))
    if row is None:
        raise NotFound("sender")
    return sender_view(row)


@get("/pools", opt=_READ, responses=refusals(*TENANT), summary="List pools")
async def list_pools(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[PoolView]:
    """Return a page of pools, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await store.pools(request.auth, session, limit=limit + 1, after=id_after(request, after))
        views = await pool_views(request.auth, session, list(rows))
    return page_of(
        request, views, limit, view=lambda view: view, place=lambda view: path_id("pool", view.id, "pool")
    )


@get("/pools/{pool_id:str}", opt=_READ, responses=refusals(*TENANT, "not_found"), summary="Read a pool")
async def get_pool(request: ApiRequest, pool_id: FromPath[str], desk: NamedDependency[Desk]) -> PoolView:
    """Return one pool with its senders."""
    async with desk.tenant(request.auth) as session:
        row = await store.pool(request.auth, session, path_id("pool", pool_id, "pool"))
        if row is None:
            raise NotFound("pool")
        return (await pool_views(request.auth, session, [row]))[0]


@get(
    "/configuration-sets",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="List configuration sets",
    description="One per AWS account by which messages leave.",
)
async def list_configuration_sets(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[ConfigurationSetView]:
    """Return every configuration set of the tenant."""
    async with desk.tenant(request.auth) as session:
        rows = await store.configuration_sets(request.auth, session)
    return part_of(request, [configuration_set_view(row) for row in rows], limit, after)
