"""
Queries on routes, senders, pools and configuration sets.

Each upsert goes by the row's natural key and writes only what differs: provisioning may run again and
again, and an unchanged row must not raise the tenant's policy version.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tenants.senders.models import AwsAccount, ConfigurationSet, Pool, PoolSender, Sender
from tenants.tables import Base

_UNPOOLED: Final = 2**31

_Row = TypeVar("_Row", bound=Base)


class Written(Struct, Generic[_Row], frozen=True):
    """A row after an upsert."""

    row: _Row
    changed: bool
    """False if it stood there already, word for word."""


class KnownSender(Struct, frozen=True, kw_only=True):
    """A sender that was not released, once for each pool that holds it; as caches keep it."""

    sender_id: UUID
    identity: UUID
    """The same in the rows of all tenants that share the number."""
    account_id: UUID
    type: str
    value: str
    country: str
    arn: str
    state: str
    message_types: frozenset[str]
    channels: frozenset[str]
    two_way: bool
    use_cases: frozenset[str]
    parts_per_second: float
    pool_id: UUID | None
    """None for a sender in no pool: only a send that names it gets it."""
    pool_message_types: frozenset[str]
    """The gateway's types for which the pool is the default."""
    aws_pool_arn: str | None
    position: int
    configuration_set: str | None
    """Name of the tenant's configuration set in the sender's account."""


class ActiveSender(Struct, frozen=True, kw_only=True):
    """What a sender that is in use is, and where."""

    country: str
    type: str
    account_id: UUID


async def account_named(session: AsyncSession, name: str, *, locked: bool = False) -> AwsAccount | None:
    """Return a route, `locked` to change it; routes are the operator's and belong to no tenant."""
    query = select(AwsAccount).where(AwsAccount.name == name)
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def accounts(session: AsyncSession) -> Sequence[AwsAccount]:
    """Return every route, the oldest first."""
    return (await session.scalars(select(AwsAccount).order_by(AwsAccount.id))).all()


async def upsert_account(session: AsyncSession, name: str, values: Mapping[str, Any]) -> Written[AwsAccount]:
    """Add or change the route of that name."""
    row = {"id": new_uuid(), "name": name, **values}
    changed = await _upsert(session, AwsAccount, row, key=("name",))
    return Written(await _one(session, AwsAccount, {"name": name}), changed)


async def upsert_sender(
    scope: TenantScope, session: AsyncSession, arn: str, values: Mapping[str, Any]
) -> Written[Sender]:
    """Add or change the tenant's sender with that ARN."""
    return await _upsert_owned(scope, session, Sender, {"arn": arn}, values)


async def upsert_pool(
    scope: TenantScope, session: AsyncSession, name: str, values: Mapping[str, Any]
) -> Written[Pool]:
    """Add or change the tenant's pool of that name."""
    return await _upsert_owned(scope, session, Pool, {"name": name}, values)


async def upsert_configuration_set(
    scope: TenantScope, session: AsyncSession, account_id: UUID, values: Mapping[str, Any]
) -> Written[ConfigurationSet]:
    """Add or change the tenant's configuration set in an account."""
    return await _upsert_owned(scope, session, ConfigurationSet, {"account_id": account_id}, values)


async def set_members(
    scope: TenantScope, session: AsyncSession, pool_id: UUID, sender_ids: Sequence[UUID]
) -> bool:
    """Make the pool hold exactly these senders, in this order; return whether it did not before."""
    if (await members(scope, session, [pool_id]))[pool_id] == list(sender_ids):
        return False
    others = delete(PoolSender).where(
        PoolSender.tenant_id == scope.tenant_id,
        PoolSender.pool_id == pool_id,
        PoolSender.sender_id.not_in(sender_ids),
    )
    await session.execute(others)
    for position, sender_id in enumerate(sender_ids):
        row = {
            "tenant_id": scope.tenant_id,
            "pool_id": pool_id,
            "sender_id": sender_id,
            "position": position,
        }
        await _upsert(session, PoolSender, row, key=("tenant_id", "pool_id", "sender_id"))
    return True


async def sender(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> Sender | None:
    """Return the tenant's sender, or None if it is absent or someone else's."""
    owned = Sender.tenant_id == scope.tenant_id
    return await session.scalar(select(Sender).where(owned, Sender.id == sender_id))


async def sender_by_arn(scope: TenantScope, session: AsyncSession, arn: str) -> Sender | None:
    """Return the tenant's sender with an ARN."""
    return await session.scalar(select(Sender).where(Sender.tenant_id == scope.tenant_id, Sender.arn == arn))


async def sharing(scope: TenantScope, session: AsyncSession, arn: str) -> Sequence[Sender]:
    """Return the senders of other tenants that share a number with the tenant; needs a worker's session."""
    others = (Sender.tenant_id != scope.tenant_id) & (Sender.state != "released")
    return (await session.scalars(select(Sender).where(others, Sender.arn == arn).order_by(Sender.id))).all()


async def sender_ids(
    scope: TenantScope, session: AsyncSession, account_id: UUID, country: str
) -> Sequence[Sender]:
    """Return the tenant's sender ids of a country in an account."""
    owned = (Sender.tenant_id == scope.tenant_id) & (Sender.account_id == account_id)
    query = select(Sender).where(owned, Sender.type == "SENDER_ID", Sender.country == country)
    return (await session.scalars(query)).all()


async def pool(scope: TenantScope, session: AsyncSession, pool_id: UUID) -> Pool | None:
    """Return the tenant's pool, or None if it is absent or someone else's."""
    return await session.scalar(select(Pool).where(Pool.tenant_id == scope.tenant_id, Pool.id == pool_id))


async def senders(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Sender]:
    """Return up to `limit` senders of the tenant, newest first."""
    query = select(Sender).where(Sender.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Sender.id < after)
    return (await session.scalars(query.order_by(Sender.id.desc()).limit(limit))).all()


async def pools(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Pool]:
    """Return up to `limit` pools of the tenant, newest first."""
    query = select(Pool).where(Pool.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Pool.id < after)
    return (await session.scalars(query.order_by(Pool.id.desc()).limit(limit))).all()


async def members(
    scope: TenantScope, session: AsyncSession, pool_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Return the sender ids of the tenant's pools, each in order."""
    query = (
        select(PoolSender)
        .where(PoolSender.tenant_id == scope.tenant_id, PoolSender.pool_id.in_(pool_ids))
        .order_by(PoolSender.position)
    )
    found: dict[UUID, list[UUID]] = {pool_id: [] for pool_id in pool_ids}
    for row in await session.scalars(query):
        found[row.pool_id].append(row.sender_id)
    return found


async def configuration_sets(scope: TenantScope, session: AsyncSession) -> Sequence[ConfigurationSet]:
    """Return the tenant's configuration sets, one per account, the oldest first."""
    query = select(ConfigurationSet).where(ConfigurationSet.tenant_id == scope.tenant_id)
    return (await session.scalars(query.order_by(ConfigurationSet.id))).all()


async def known_senders(scope: TenantScope, session: AsyncSession) -> list[KnownSender]:
    """Return the tenant's senders, pool by pool in the pools' own order; pool-less ones last."""
    return (await known_senders_of_each(session, [scope.tenant_id])).get(scope.tenant_id, [])


async def known_senders_of_each(
    session: AsyncSession, tenant_ids: Sequence[UUID]
) -> dict[UUID, list[KnownSender]]:
    """Return the senders of tenants that have any in one query, in the order of `known_senders`."""
    query = (
        select(Sender, PoolSender.position, Pool, ConfigurationSet.name)
        .outerjoin(
            PoolSender, (PoolSender.tenant_id == Sender.tenant_id) & (PoolSender.sender_id == Sender.id)
        )
        .outerjoin(Pool, (Pool.tenant_id == PoolSender.tenant_id) & (Pool.id == PoolSender.pool_id))
        .outerjoin(
            ConfigurationSet,
            (ConfigurationSet.tenant_id == Sender.tenant_id)
            & (ConfigurationSet.account_id == Sender.account_id),
        )
        .where(Sender.tenant_id.in_(tenant_ids), Sender.state != "released")
        .order_by(Pool.id.asc().nulls_last(), PoolSender.position, Sender.id)
    )
    found: dict[UUID, list[KnownSender]] = {}
    for row in await session.execute(query):
        found.setdefault(row[0].tenant_id, []).append(_known(*row))
    return found


async def active_of_each(
    session: AsyncSession, tenant_ids: Collection[UUID]
) -> dict[UUID, list[ActiveSender]]:
    """Return what the active senders of tenants that have any are, in one query; equal ones once."""
    kinds = select(Sender.tenant_id, Sender.country, Sender.type, Sender.account_id)
    found: dict[UUID, list[ActiveSender]] = {}
    for tenant_id, country, kind, account_id in await session.execute(
        kinds.where(Sender.tenant_id.in_(tenant_ids), Sender.state == "active").distinct()
    ):
        active = ActiveSender(country=country, type=kind, account_id=account_id)
        found.setdefault(tenant_id, []).append(active)
    return found


def _known(
    row: Sender, position: int | None, pool: Pool | None, configuration_set: str | None
) -> KnownSender:
    return KnownSender(
        sender_id=row.id,
        identity=row.identity,
        account_id=row.account_id,
        type=row.type,
        value=row.value,
        country=row.country,
        arn=row.arn,
        state=row.state,
        message_types=frozenset(row.message_types),
        channels=frozenset(row.channels),
        two_way=row.two_way,
        use_cases=frozenset(row.use_cases),
        parts_per_second=row.parts_per_second,
        pool_id=None if pool is None else pool.id,
        pool_message_types=frozenset() if pool is None else frozenset(pool.message_types),
        aws_pool_arn=None if pool is None else pool.aws_pool_arn,
        position=_UNPOOLED if position is None else position,
        configuration_set=configuration_set,
    )


async def _upsert_owned(
    scope: TenantScope,
    session: AsyncSession,
    table: type[_Row],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
) -> Written[_Row]:
    owned_key = {"tenant_id": scope.tenant_id, **key}
    row = {"id": new_uuid(), **owned_key, **values}
    changed = await _upsert(session, table, row, key=tuple(owned_key))
    return Written(await _one(session, table, owned_key), changed)


async def _upsert(
    session: AsyncSession, table: type[Base], row: Mapping[str, Any], *, key: tuple[str, ...]
) -> bool:
    """Insert the row, or bring the one with its key to it; return False for an equal one, not written."""
    statement = insert(table).values(row)
    columns = table.__table__.columns
    changed = [name for name in row if name not in {"id", *key}]
    differs = or_(*(columns[name].is_distinct_from(statement.excluded[name]) for name in changed))
    changes = {name: statement.excluded[name] for name in changed}
    upsert = statement.on_conflict_do_update(index_elements=key, set_=changes, where=differs)
    written = await session.execute(upsert.returning(columns[key[0]]))
    return written.first() is not None


async def _one(session: AsyncSession, table: type[_Row], key: Mapping[str, Any]) -> _Row:
    query = select(table).filter_by(**key).execution_options(populate_existing=True)
    return (await session.scalars(query)).one()
