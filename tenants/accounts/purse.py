"""
The balance a tenant is born with.

Balances are the business of `tenants.credits`, which stands above accounts; but a tenant without one could
not be sold anything, so the row is made in the same statement group as the tenant. Only its shape is named
here, not its table class.
"""

from typing import Final, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, column, exists, insert, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.plan import Pricing
from tenants.errors import Conflict, InvalidInput
from tenants.scope import TenantScope

_BALANCES: Final = table(
    "balances",
    column("tenant_id", Uuid),
    column("unit", Text),
    column("posted", BigInteger),
    column("held", BigInteger),
)
_MARKS: Final = table(
    "balance_marks", column("tenant_id", Uuid), column("last_top_up", BigInteger), column("requested_at")
)
_BUDGETS: Final = table("budgets", column("tenant_id", Uuid))
_UNITS: Final[dict[Pricing, Literal["micros", "credits"]]] = {
    "dollars": "micros",
    "credits": "credits",
    "tiers": "micros",
}

_BUDGETS_SET: Final = (
    "the tenant's budgets count in the unit of its pricing: take them away "
    "(PUT /v1/admin/tenants/{id}/budgets with none), change the pricing, and set them in the new unit"
)


async def open_purse(session: AsyncSession, tenant_id: UUID, pricing: Pricing) -> None:
    """Add an empty balance that counts in the plan's unit."""
    await session.execute(
        insert(_BALANCES).values(tenant_id=tenant_id, unit=_UNITS[pricing], posted=0, held=0)
    )


async def change_unit(scope: TenantScope, session: AsyncSession, pricing: Pricing) -> None:
    """
    Let an empty balance count in another unit.

    Raises:
        Conflict: There is money in it or promised from it; a dollar has no price in credits.
        InvalidInput: The tenant has budgets: a cap of a dollar would be one of a million credits.
    """
    own = _BALANCES.c.tenant_id == scope.tenant_id
    purse = (await session.execute(select(_BALANCES).where(own).with_for_update())).one()
    if purse.unit == _UNITS[pricing]:
        return
    if purse.posted or purse.held:
        raise Conflict("balance_not_zero", "the pricing changes only while balance and holds are zero")
    if await session.scalar(select(exists().where(_BUDGETS.c.tenant_id == scope.tenant_id))):
        raise InvalidInput("/plan/pricing", "budgets_set", _BUDGETS_SET)
    await session.execute(update(_BALANCES).where(own).values(unit=_UNITS[pricing]))
    # In the new unit nothing was paid in yet, or asked for.
    marks = update(_MARKS).where(_MARKS.c.tenant_id == scope.tenant_id)
    await session.execute(marks.values(last_top_up=0, requested_at=None))
