"""
How a sender comes into the pools that are there: by the rules of `tenants.senders.pooling`.

Provisioning's own pool, named `default`, holds every sender of every account and serves the types that no
other pool does; the rules are for the pools that the operator makes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import Conflict
from tenants.scope import TenantScope
from tenants.senders import store
from tenants.senders.mixing import mixes
from tenants.senders.models import Pool, Sender
from tenants.senders.pooling import Member, misfit, would_mix

CATCH_ALL: Final = "default"
_MOST_POOLS: Final = 100


class Places(Struct, frozen=True, kw_only=True):
    """Which senders are in which of a tenant's pools."""

    pools: tuple[Pool, ...]
    """The newest first."""
    held: Mapping[UUID, Sequence[UUID]]
    """The senders of each pool, in order."""

    def holding(self, sender_id: UUID) -> list[Pool]:
        """Return the pools that a sender is in."""
        return [pool for pool in self.pools if sender_id in self.held[pool.id]]


async def places_of(scope: TenantScope, session: AsyncSession) -> Places:
    """Return the tenant's pools and their members."""
    pools = await store.pools(scope, session, limit=_MOST_POOLS)
    held = await store.members(scope, session, [pool.id for pool in pools])
    return Places(pools=tuple(pools), held=held)


def as_member(row: Sender, others: Iterable[Pool]) -> Member:
    """Return a sender as a member of a pool; `others` are the other pools that hold it."""
    return Member(
        value=row.value,
        account_id=row.account_id,
        message_types=frozenset(row.message_types),
        opt_out_list=row.opt_out_list,
        allow_mixed=row.allow_mixed,
        elsewhere=frozenset(kind for pool in others if pool.name != CATCH_ALL for kind in pool.message_types),
    )


def check_successor(places: Places, out: Sender, standby: Sender) -> None:
    """
    Refuse a standby that does not fit a pool in which it would take the other's place.

    Where the operator let the one mix promotional and other messages, its successor may.

    Raises:
        Conflict: `pool_mismatch`; the detail names the sender and what differs.
    """
    left, held = places.holding(out.id), places.holding(standby.id)
    joined = [pool for pool in left if pool not in held]
    for pool in joined:
        before = as_member(out, [each for each in left if each is not pool])
        others = [each for each in (*held, *joined) if each is not pool]
        found = _misfit(as_member(standby, others), pool, allow_mixed=would_mix(before, pool.message_types))
        if found is not None:
            raise found


async def join_a_pool(scope: TenantScope, session: AsyncSession, sender: Sender) -> None:
    """
    Make a sender that is in no pool the last of the oldest that it fits; without pools all are taken anyway.

    Raises:
        Conflict: `pool_mismatch`, it fits none; the detail says why not the oldest.
    """
    places = await places_of(scope, session)
    if not places.pools or places.holding(sender.id):
        return
    member = as_member(sender, ())
    refusals: list[Conflict] = []
    for pool in reversed(places.pools):
        found = _misfit(member, pool)
        if found is None:
            await store.set_members(scope, session, pool.id, [*places.held[pool.id], sender.id])
            return
        refusals.append(found)
    raise refusals[0]


def _misfit(member: Member, pool: Pool, *, allow_mixed: bool = False) -> Conflict | None:
    if pool.name == CATCH_ALL:
        return None
    return misfit(
        member,
        account_id=pool.account_id,
        message_types=pool.message_types,
        opt_out_list=pool.opt_out_list,
        allow_mixed=allow_mixed or mixes(pool.message_types),
    )
