"""
The balance a tenant is born with.

Balances are the business of `tenants.credits`, which stands above accounts; but a tenant without one could
not be sold anything, so the row is made in the same statement group as the tenant. Only its shape is named
here, not its table class.
"""

from typing import Final, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Text, Uuid, column, exists, insert, select, table, update
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
_FEES: Final = table(
    "monthly_fees",
    column("tenant_id", Uuid),
    column("unit", Text),
    column("charged", Boolean),
    column("waived_why", Text),
)
_UNITS: Final[dict[Pricing, Literal["micros", "credits"]]] = {
    "dollars": "micros",
    "credits": "credits",
    "tiers": "micros",
}

_BUDGETS_SET: Final = (
    "the tenant's budgets count in the unit of its pricing: take them away "
    "(PUT /v1/admin/tenants/{id}/budgets with none), change the pricing, and set them in the new unit"
)
_FEES_OPEN: Final = (
    "the tenant has open fees in the unit of its pricing, which no balance of another unit could pay: let it "
    "pay them, or waive them (GET /v1/admin/tenants/{id}/fees?state=open lists them), then change the pricing"
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
        InvalidInput: The tenant has budgets: a cap of a dollar would be one of a million credits. Or it has
            fees that are not paid yet, and never would be.
    """
    own = _BALANCES.c.tenant_id == scope.tenant_id
    purse = (await session.execute(select(_BALANCES).where(own).with_for_update())).one()
    if purse.unit == _UNITS[pricing]:
        return
    if purse.posted or purse.held:
        raise Conflict("balance_not_zero", "the pricing changes only while balance and holds are zero")
    if await session.scalar(select(exists().where(_BUDGETS.c.tenant_id == scope.tenant_id))):
        raise InvalidInput("/plan/pricing", "budgets_set", _BUDGETS_SET)
    is_open = _FEES.c.charged.is_(False) & _FEES.c.waived_why.is_(None)
    owed = (_FEES.c.tenant_id == scope.tenant_id) & (_FEES.c.unit == purse.unit) & is_open
    if await session.scalar(select(exists().where(owed))):
        raise InvalidInput("/plan/pricing", "fees_open", _FEES_OPEN)
    await session.execute(update(_BALANCES).where(own).values(unit=_UNITS[pricing]))
    # In the new unit nothing was paid in yet, or asked for.
    marks = update(_MARKS).where(_MARKS.c.tenant_id == scope.tenant_id)
    await session.execute(marks.values(last_top_up=0, requested_at=None))
