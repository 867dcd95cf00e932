"""
A tenant's pools, as the operator makes them: one for each use.

A type of message has one default pool: a pool that is made for a type takes it from the pool that had it, and
gives it back to the oldest one that is left when it goes.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders import store
from tenants.senders.membership import Places, as_member, places_of
from tenants.senders.mixing import mixes
from tenants.senders.models import Pool
from tenants.senders.pooling import Member, check_members, opt_out_list_of
from tenants.senders.service import PoolFacts, put_pool

MOST: Final = 25
"""AWS's own number for an account."""


async def create(
    scope: TenantScope,
    session: AsyncSession,
    *,
    name: str,
    message_types: Sequence[str],
    sender_ids: Sequence[UUID],
    opt_out_list: str | None = None,
    allow_mixed: bool = False,
) -> Pool:
    """
    Make a pool the default of these types; needs a worker's session.

    Raises:
        InvalidInput: A field breaks a rule, or the pool would mix promotional and other messages.
        NotFound: A sender is not the tenant's.
        Conflict: The name is taken, there are `MOST` pools, or a sender does not fit.
    """
    places = await places_of(scope, session)
    if any(pool.name == name for pool in places.pools):
        raise Conflict("name_taken", f"there is a pool named {name} already")
    if len(places.pools) >= MOST:
        raise Conflict("conflict", f"a tenant has at most {MOST} pools")
    if not sender_ids:
        raise InvalidInput("/senders", "none_named", "name at least one sender; its account is the pool's")
    members = await _members(scope, session, sender_ids, places, but=None)
    chosen = opt_out_list_of(members, named=opt_out_list)
    check_members(members, message_types=message_types, opt_out_list=chosen, allow_mixed=allow_mixed)
    facts = PoolFacts(
        name=name,
        account_id=members[0].account_id,
        message_types=list(dict.fromkeys(message_types)),
        opt_out_list=chosen,
    )
    pool = await put_pool(scope, session, facts, sender_ids=sender_ids)
    for other in places.pools:
        other.message_types = [kind for kind in other.message_types if kind not in message_types]
    await session.flush()
    return pool


async def set_senders(
    scope: TenantScope,
    session: AsyncSession,
    pool_id: UUID,
    *,
    sender_ids: Sequence[UUID],
    allow_mixed: bool = False,
) -> Pool:
    """
    Make a pool hold exactly these senders, in this order.

    Raises:
        InvalidInput: A sender is named twice, or none is.
        NotFound: There is no such pool or sender.
        Conflict: A sender does not fit.
    """
    places = await places_of(scope, session)
    pool = _named(places.pools, pool_id)
    if not sender_ids or len(set(sender_ids)) != len(sender_ids):
        raise InvalidInput("/senders", "listed_twice", "a pool holds at least one sender, and each once")
    members = await _members(scope, session, sender_ids, places, but=pool.id)
    if members[0].account_id != pool.account_id:
        raise Conflict("pool_mismatch", "the pool is in another AWS account than the first sender")
    check_members(
        members,
        message_types=pool.message_types,
        opt_out_list=pool.opt_out_list,
        allow_mixed=allow_mixed or mixes(pool.message_types),
    )
    if await store.set_members(scope, session, pool.id, sender_ids):
        await _note(scope, session, "pool.senders_set", pool)
    return pool


async def delete(scope: TenantScope, session: AsyncSession, pool_id: UUID) -> None:
    """
    Take a pool away and give its types to the oldest that is left.

    Raises:
        NotFound: There is no such pool.
        Conflict: It has a pool of its own at AWS, which provisioning made and keeps.
    """
    known = (await places_of(scope, session)).pools
    pool = _named(known, pool_id)
    if pool.aws_pool_arn is not None:
        raise Conflict("conflict", "the pool exists at AWS, too; provisioning made it and keeps it")
    others = [each for each in known if each.id != pool.id]
    if others:
        oldest = others[-1]
        oldest.message_types = [*dict.fromkeys([*oldest.message_types, *pool.message_types])]
    await store.set_members(scope, session, pool.id, [])
    await _note(scope, session, "pool.deleted", pool)
    await session.delete(pool)
    await session.flush()


def _named(pools: Sequence[Pool], pool_id: UUID) -> Pool:
    found = next((pool for pool in pools if pool.id == pool_id), None)
    if found is None:
        raise NotFound("pool")
    return found


async def _members(
    scope: TenantScope, session: AsyncSession, sender_ids: Sequence[UUID], places: Places, *, but: UUID | None
) -> list[Member]:
    members: list[Member] = []
    for sender_id in sender_ids:
        row = await store.sender(scope, session, sender_id)
        if row is None or row.state == "released":
            raise NotFound("sender")
        members.append(as_member(row, [pool for pool in places.holding(row.id) if pool.id != but]))
    return members


async def _note(scope: TenantScope, session: AsyncSession, action: str, pool: Pool) -> None:
    await audit.append(scope, session, action=action, subject=encode("pool", pool.id))
