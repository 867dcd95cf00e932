"""What the operator does with budgets, and what their owner sees of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.budgets import store
from tenants.budgets.budget import Budget, month_of, resets_at
from tenants.budgets.recount import recount_as_set
from tenants.countries import facts
from tenants.errors import InvalidInput
from tenants.scope import TenantScope

MOST: Final = 100
"""Budgets of one owner: each that a message belongs to is one more counter in its commit."""


class BudgetUse(Struct, frozen=True, kw_only=True):
    """A budget and where it stands in the present month, in the unit of its owner."""

    name: str
    cap: int
    used: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """What may still be spent; never negative, even if the cap was lowered below what is used."""
        return max(0, self.cap - self.used)


async def put_budgets(
    scope: TenantScope, session: AsyncSession, budgets: Sequence[Budget], *, now: datetime
) -> list[BudgetUse]:
    """
    Replace all of an owner's budgets, the platform's for the scope of the nil UUID; needs a worker's session.

    What was spent in the month so far counts, also where there was no budget before. Of two at once the
    later one holds whole.

    Raises:
        InvalidInput: A country is unknown, a budget is named twice, or there are too many.
    """
    check_budgets(budgets)
    await store.take_turn(scope, session)
    present = {budget.name: budget for budget in await store.caps(scope, session)}
    wanted = {budget.name: budget for budget in budgets}
    if gone := sorted(present.keys() - wanted.keys()):
        await store.remove(scope, session, gone)
    for name in sorted(wanted):
        if present.get(name) != wanted[name]:
            await store.put(scope, session, wanted[name])
            await recount_as_set(scope, session, wanted[name])
    if present != wanted:
        detail = {"caps": {budget.name: budget.cap for budget in budgets}}
        await audit.append(scope, session, action="budgets.set", subject="budgets", detail=detail)
    return await uses(scope, session, now=now)


async def uses(scope: TenantScope, session: AsyncSession, *, now: datetime) -> list[BudgetUse]:
    """Return an owner's budgets by name, with what is counted in the present month."""
    month = month_of(now)
    used = {row.name: row.used for row in await store.counters(scope, session, month)}
    return [
        BudgetUse(name=each.name, cap=each.cap, used=used.get(each.name, 0), resets_at=resets_at(month))
        for each in await store.caps(scope, session)
    ]


def check_budgets(budgets: Sequence[Budget]) -> None:
    """Refuse what could never be counted, naming the place in the list."""
    if len(budgets) > MOST:
        raise InvalidInput("/budgets", "too_many", f"an owner has at most {MOST} budgets")
    seen: set[str] = set()
    for index, budget in enumerate(budgets):
        dimension, _, value = budget.name.partition(":")
        if dimension == "country" and value not in facts.by_iso():
            raise InvalidInput(
                f"/budgets/{index}/country", "unknown_country", f"there is no country with the code {value!r}"
            )
        if budget.name in seen:
            raise InvalidInput(f"/budgets/{index}", "duplicate", f"{budget.name} has a budget already")
        seen.add(budget.name)
