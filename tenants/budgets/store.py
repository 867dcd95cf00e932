"""Queries on budgets and their counters."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.budgets.budget import PLATFORM, Budget
from tenants.budgets.models import BudgetRow, SpendCounter
from tenants.scope import TenantScope

_BALANCE: Final = text("SELECT 1 FROM balances WHERE tenant_id = :owner FOR UPDATE")
_PLATFORM: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('tollgate.platform budgets', 0))")


async def take_turn(scope: TenantScope, session: AsyncSession) -> None:
    """
    Let this transaction alone change the owner's budgets and recount them, until it ends.

    A tenant's turn is its balance's lock, which comes before the locks of budgets and of counters; the
    platform has no balance.
    """
    if scope.tenant_id == PLATFORM:
        await session.execute(_PLATFORM)
    else:
        await session.execute(_BALANCE, {"owner": scope.tenant_id})


async def caps(scope: TenantScope, session: AsyncSession) -> tuple[Budget, ...]:
    """Return the owner's budgets by name; the platform's for the scope of the nil UUID."""
    query = select(BudgetRow).where(BudgetRow.tenant_id == scope.tenant_id).order_by(BudgetRow.name)
    return tuple(Budget(row.name, row.cap) for row in await session.scalars(query))


async def counters(scope: TenantScope, session: AsyncSession, month: date) -> Sequence[SpendCounter]:
    """Return the owner's counters of a month."""
    owned = SpendCounter.tenant_id == scope.tenant_id
    return (await session.scalars(select(SpendCounter).where(owned, SpendCounter.month == month))).all()


async def put(scope: TenantScope, session: AsyncSession, budget: Budget) -> None:
    """Set a cap; what was counted is compared with the messages again, since nobody counted before."""
    values = {"cap": budget.cap, "counted": False, "set_at": func.now()}
    statement = insert(BudgetRow).values(tenant_id=scope.tenant_id, name=budget.name, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values))


async def remove(scope: TenantScope, session: AsyncSession, names: Sequence[str]) -> None:
    """Take caps away; their counters stay, as what was."""
    owned = BudgetRow.tenant_id == scope.tenant_id
    await session.execute(delete(BudgetRow).where(owned, BudgetRow.name.in_(names)))
