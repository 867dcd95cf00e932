"""What a registration costs: AWS's list price, and what the tenant pays of it by its plan."""

from datetime import datetime

from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.refusals import Refusal
from tenants.accounts import service as accounts
from tenants.credits import store as prices
from tenants.credits.money import format_amount
from tenants.credits.monthly_fees import lease_of, registration_fee_of
from tenants.credits.pricing import OWN_ACCOUNT_MODEL, UNITS
from tenants.registrations.costs import Cost, charged_as, cost_of
from tenants.registrations.forms import Form
from tenants.registrations.models import Registration
from tenants.scope import TenantScope


class PlanCost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant pays by its plan and price book."""

    unit: str
    """`usd` or `credits`."""
    one_time: str
    """For the registration."""
    monthly: str
    """For the number."""


class CostView(Cost, frozen=True, kw_only=True):
    """What has to be confirmed before it is caused, at AWS's list price."""

    by_plan: PlanCost | None
    """What the tenant itself pays; null on the tenant's own AWS account, where AWS bills the tenant."""


async def cost_view(
    scope: TenantScope, session: AsyncSession, row: Registration, form: Form, *, now: datetime
) -> CostView | None:
    """Return what a registration costs, None where nothing is known to."""
    cost = cost_of(form.type)
    if cost is None:
        return None
    return CostView(**structs.asdict(cost), by_plan=await _by_plan(scope, session, row, form, now=now))


def check_seen(cost: CostView | None, seen: PlanCost | None) -> None:
    """
    Accept a confirmation that leaves the plan's cost out, or names it as it is.

    Raises:
        Refusal: It names another one, such as that of another price book.
    """
    if seen is not None and (cost is None or seen != cost.by_plan):
        raise Refusal.of_field("/by_plan", "other_cost", "the cost by the plan is another one; read it again")


async def _by_plan(
    scope: TenantScope, session: AsyncSession, row: Registration, form: Form, *, now: datetime
) -> PlanCost | None:
    tenant = await accounts.get(scope, session)
    if tenant.model == OWN_ACCOUNT_MODEL:
        return None
    plan = accounts.plan_of(tenant)
    unit, book = UNITS[plan.pricing], await prices.price_book(session, now, plan.price_book)
    kind, country = charged_as(form.type, row.number_terms)
    leased = form.type.number_type is not None
    return PlanCost(
        unit="usd" if unit == "micros" else "credits",
        one_time=format_amount(registration_fee_of(plan, book, country=country, type_=kind), unit),
        monthly=format_amount(lease_of(plan, book, country=country, type_=kind) if leased else 0, unit),
    )
