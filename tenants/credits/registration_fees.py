"""The one-time fees of registrations, charged as the plan says."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.credits import owed_fees, store
from tenants.credits.models import MonthlyFee
from tenants.credits.monthly_fees import registration_fee_of, write_down
from tenants.credits.owed_fees import Fee
from tenants.credits.pricing import OWN_ACCOUNT_MODEL, PriceBook
from tenants.scope import TenantScope


async def post_registration_fee(
    scope: TenantScope,
    session: AsyncSession,
    *,
    subject_id: UUID,
    country: str,
    type_: str,
    name: str,
    now: datetime,
) -> Fee | None:
    """
    Charge a registration once, at the price book's line `registration`, by the policy of the tenant's plan.

    However often it is asked for the same subject, it is charged once. Where the balance does not cover it,
    it stays open and is posted when it does. Needs a worker's session; nothing is committed.

    Args:
        subject_id: The registration, or one submission of it where AWS asks for a fee each time.
        country: ISO 3166-1 alpha-2.
        type_: Type of the origination identity that is registered, for example `TEN_DLC`.
        name: How the tenant knows the registration; goes into the ledger's note.

    Returns:
        The fee; None where nothing is owed: the book has no line, the operator bears it, or the tenant is on
        its own AWS account, which pays AWS itself.

    Raises:
        NotFound: There is no such tenant.
    """
    tenant = await accounts.get(scope, session)
    if tenant.model == OWN_ACCOUNT_MODEL:
        return None
    plan = accounts.plan_of(tenant)
    book = (await store.price_books(session, now)).get(plan.price_book, PriceBook({}))
    await write_down(
        session,
        plan,
        tenant_id=scope.tenant_id,
        subject_id=subject_id,
        month=now.date().replace(day=1),
        item="registration",
        amount=registration_fee_of(plan, book, country=country, type_=type_),
        note=f"registration {name}"[:500],
    )
    row = await _row(scope, session, subject_id)
    if row is None:
        return None
    await owed_fees.post(scope, session, row.id)
    return owed_fees.view(row)


async def _row(scope: TenantScope, session: AsyncSession, subject_id: UUID) -> MonthlyFee | None:
    query = select(MonthlyFee).where(
        MonthlyFee.tenant_id == scope.tenant_id,
        MonthlyFee.subject_id == subject_id,
        MonthlyFee.item == "registration",
    )
    return await session.scalar(query)
