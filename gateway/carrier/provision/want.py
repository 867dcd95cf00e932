"""What a tenant shall have in an account: its tables, and the wishes that come on top."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.carrier import protect_desired as copies
from gateway.carrier.provision.ports import SenderType, SenderWish
from gateway.carrier.provision.shapes import Desired, WantedSender
from tenants.accounts.models import Tenant
from tenants.keywords import service as keyword_service
from tenants.keywords import store as keyword_store
from tenants.keywords.texts import filled
from tenants.scope import TenantScope
from tenants.senders import inventory, store
from tenants.senders.models import AwsAccount, Sender

DEFAULT_POOL: Final = "default"
_MOST: Final = 1000
_ANSWERED_BY_AWS: Final = ("STOP", "HELP")

LeaseOf = Callable[[str, str], int]
"""A sender's lease of a month by country and type."""


async def desired_of(
    session: AsyncSession,
    scope: TenantScope,
    tenant: Tenant,
    account: AwsAccount,
    wishes: Sequence[SenderWish],
    *,
    dedicated_pool: bool,
    lease_of: LeaseOf,
) -> Desired:
    """Return the tenant's desired state; what it has already stays desired. Needs a worker's session."""
    name = f"tg-{tenant.slug}"
    rows = [
        row
        for row in await store.senders(scope, session, limit=_MOST)
        if row.account_id == account.id and row.state != "released" and row.type != "SHARED"
    ]
    pool_arn, held = await _default_pool(scope, session)
    managed = await inventory.self_managed(scope, session)
    owners = await inventory.owners(session, account.id)
    wished = {row.id for wish in wishes if (row := stored(wish, rows)) is not None}
    known = [
        WantedSender(
            country=row.country,
            type=cast("SenderType", row.type),
            value=row.value,
            arn=row.arn,
            promotional=is_promotional(row.message_types),
            pooled=row.state in {"active", "pending"} and (row.id in held or row.id in wished),
            two_way=row.two_way,
            self_managed=row.two_way and row.id in managed,
        )
        for row in reversed(rows)
    ]
    new = [
        WantedSender(
            country=wish.country,
            type=wish.type,
            value=wish.value,
            promotional=is_promotional(wish.message_types),
            monthly=lease_of(wish.country, wish.type),
        )
        for wish in wishes
        if stored(wish, rows) is None
    ]
    return Desired(
        name=name,
        senders=(*known, *dict.fromkeys(new)),
        dedicated_pool=dedicated_pool or pool_arn is not None,
        pool_arn=pool_arn,
        topic_arn=account.topic_arn,
        protect_id=await _protect_id(session, account, name),
        keywords=await _keywords(scope, session),
        taken=frozenset(owners),
        shared=frozenset(
            arn for arn, all_ in owners.items() if any(each.tenant_id != tenant.id for each in all_)
        ),
    )


def stored(wish: SenderWish, rows: Iterable[Sender]) -> Sender | None:
    """Return which of a tenant's senders in one account a wish means."""
    for row in rows:
        same_use = is_promotional(row.message_types) == is_promotional(wish.message_types)
        alike = (row.country, row.type) == (wish.country, wish.type) and same_use
        if alike and wish.value in {None, row.value}:
            return row
    return None


def is_promotional(message_types: Sequence[str]) -> bool:
    """Return whether a sender is for promotional messages alone, which AWS wants on numbers of their own."""
    return set(message_types) == {"promotional"}


async def _default_pool(scope: TenantScope, session: AsyncSession) -> tuple[str | None, frozenset[UUID]]:
    pools = await store.pools(scope, session, limit=_MOST)
    ours = next((pool for pool in pools if pool.name == DEFAULT_POOL), None)
    if ours is None:
        return None, frozenset()
    members = await store.members(scope, session, [ours.id])
    return ours.aws_pool_arn, frozenset(members[ours.id])


async def _protect_id(session: AsyncSession, account: AwsAccount, name: str) -> str | None:
    sets = {each.name: each.configuration_id for each in await copies.sets_of(session, account)}
    if name not in sets:
        return None
    link = (await copies.links(session, account.id)).get(sets[name])
    return None if link is None else link.aws_id


async def _keywords(scope: TenantScope, session: AsyncSession) -> dict[str, str]:
    texts = await keyword_store.texts(scope, session)
    brand = (await keyword_service.brands_of(scope, session))[0]
    return {
        keyword: filled(texts[keyword, ""], brand) for keyword in _ANSWERED_BY_AWS if (keyword, "") in texts
    }
