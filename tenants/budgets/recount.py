"""
The counters from the messages themselves.

A budget set in the middle of a month begins with what was spent before it; and until every process has read
it, sends go by uncounted. So each new cap is counted when it is set, and once more when every process must
know it. The counter's lock and the balance's are held meanwhile, so nothing of it is accepted or settled.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.budgets import store
from tenants.budgets.budget import PLATFORM, Budget, level
from tenants.scope import TenantScope

KNOWN_AFTER: Final = timedelta(seconds=40)
"""Longer than a process may go by an old policy: 30 s where it missed the notice."""

_MONTH: Final = "date_trunc('month', now() AT TIME ZONE 'UTC')"
_SPENT: Final = """
    SELECT coalesce(sum({amount}), 0)::bigint FROM messages m
    WHERE m.created_at >= {month} AT TIME ZONE 'UTC' AND NOT m.test {of_tenant} {matches}
        AND m.status NOT IN ('failed', 'canceled')
        AND (m.status NOT IN ('undelivered', 'expired', 'unknown')
            OR ((m.provider_message_id IS NOT NULL OR m.receipt_rank > 0)
                AND m.provider_price_micros IS DISTINCT FROM 0))
        AND (m.price_final IS NULL OR m.price_estimated = 0 OR m.price_final + m.price_excess > 0)
"""
"""
As `settlement.target` has it: what AWS never took, or charged nothing for, costs nothing; nor does what was
settled at nothing, whoever bore the rest.
"""
_OF_TENANT: Final = """
    AND m.tenant_id = :owner AND m.unit = (SELECT unit FROM balances WHERE tenant_id = :owner)
"""
"""What was paid in another unit, before the pricing changed, has no price in this one."""
_MATCHES: Final = {
    "all": "",
    "country": "AND m.country = :value",
    "type": "AND m.type = :value",
    "account": "AND m.account_id = CAST(:value AS uuid)",
}
_LOCK_COUNTER: Final = text(
    f"""
    INSERT INTO spend_counters (tenant_id, name, month, used, cap)
    VALUES (:owner, :name, {_MONTH}::date, 0, :cap)
    ON CONFLICT (tenant_id, name, month) DO UPDATE SET cap = EXCLUDED.cap
    """  # noqa: S608 - a constant
)
_SET: Final = text(
    f"""
    UPDATE spend_counters SET used = :used, stopped = stopped AND :used >= cap
    WHERE tenant_id = :owner AND name = :name AND month = {_MONTH}::date
    """  # noqa: S608 - a constant
)
_REARM: Final = text(
    f"""
    UPDATE spend_counters SET told = least(told, :level)
    WHERE tenant_id = :owner AND name = :name AND month = {_MONTH}::date
    """  # noqa: S608 - a constant
)
_DUE: Final = """
    SELECT tenant_id, name, cap FROM budgets
    WHERE NOT counted AND set_at < now() - CAST(:age AS interval) {of}
"""
_NEXT: Final = text(_DUE.format(of="ORDER BY set_at LIMIT 1"))
_STILL: Final = text(_DUE.format(of="AND tenant_id = :owner AND name = :name FOR UPDATE"))
_COUNTED: Final = text("UPDATE budgets SET counted = true WHERE tenant_id = :owner AND name = :name")


async def recount(scope: TenantScope, session: AsyncSession, budget: Budget) -> int:
    """Set the present month's counter to what the messages say, and return it; needs a worker's session."""
    owner = scope.tenant_id
    place = {"owner": owner, "name": budget.name}
    await store.take_turn(scope, session)
    await session.execute(_LOCK_COUNTER, place | {"cap": budget.cap})
    query, given = _spent(scope, budget.name)
    used = int((await session.execute(query, given)).scalar_one())
    await session.execute(_SET, place | {"used": used})
    return used


async def recount_as_set(scope: TenantScope, session: AsyncSession, budget: Budget) -> None:
    """Count for a cap that is set just now; of it the owner was told what is reached, and no more."""
    used = await recount(scope, session, budget)
    given = {"owner": scope.tenant_id, "name": budget.name, "level": level(used, budget.cap)}
    await session.execute(_REARM, given)


async def recount_due(session: AsyncSession) -> bool:
    """
    Count a budget once more that every process must know by now; return whether there was one.

    What is accepted of its owner waits until the transaction ends, which is of one owner alone: who settles
    several tenants' messages may hold the balance of the next and wait for a counter of this one.
    """
    found = (await session.execute(_NEXT, {"age": KNOWN_AFTER})).one_or_none()
    if found is None:
        return False
    owner, place = TenantScope(tenant_id=found.tenant_id), {"owner": found.tenant_id, "name": found.name}
    await store.take_turn(owner, session)
    # Only now: who sets budgets has the turn, and may want this one.
    due = (await session.execute(_STILL, {"age": KNOWN_AFTER} | place)).one_or_none()
    if due is not None:
        await recount(owner, session, Budget(due.name, due.cap))
        await session.execute(_COUNTED, place)
    return True


def _spent(scope: TenantScope, name: str) -> tuple[TextClause, dict[str, object]]:
    platform = scope.tenant_id == PLATFORM
    dimension, _, value = name.partition(":")
    sql = _SPENT.format(
        month=_MONTH,
        amount="m.cost_estimated" if platform else "m.price_estimated",
        of_tenant="" if platform else _OF_TENANT,
        matches=_MATCHES[dimension],
    )
    given: dict[str, object] = {"owner": scope.tenant_id, "value": value}
    wanted = {key: given[key] for key in given if f":{key}" in sql}
    return text(sql), wanted
