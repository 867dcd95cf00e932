"""What a month costs a tenant beside its messages: the leases of its senders, and the platform's own fee."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.plan import FeePolicy, Plan
from tenants.credits import store
from tenants.credits.models import MonthlyFee
from tenants.credits.money import parse_amount
from tenants.credits.pricing import OWN_ACCOUNT_MODEL, UNITS, Item, PriceBook
from tenants.credits.rates import fees
from tenants.credits.rates.proration import month_end, prorated

_BATCH: Final = 500
_CHANNEL: Final = "sms"
"""Where a book keeps its leases: a number is leased once, whatever it carries."""
_UNWRITTEN: Final = text(
    """
    SELECT s.tenant_id, s.id, s.type, s.country, s.value, (s.created_at AT TIME ZONE 'UTC')::date AS since,
        t.plan
    FROM senders s JOIN tenants t ON t.id = s.tenant_id JOIN aws_accounts a ON a.id = s.account_id
    WHERE (s.state IN ('active', 'standby', 'disabled')
            OR (s.state = 'released' AND s.released_at >= CAST(:month AS date) AT TIME ZONE 'UTC'))
        AND s.type <> 'SHARED' AND t.state <> 'closed'
        AND t.model <> :own_account AND a.owner_id IS NULL AND s.id > :after
        AND NOT EXISTS (SELECT FROM monthly_fees f
            WHERE f.tenant_id = s.tenant_id AND f.subject_id = s.id AND f.month = :month AND f.item = 'lease')
    ORDER BY s.id LIMIT :batch
    """
)
_UNWRITTEN_PLATFORM: Final = text(
    """
    SELECT t.id, t.plan, (t.created_at AT TIME ZONE 'UTC')::date AS since FROM tenants t
    WHERE t.live AND t.state <> 'closed' AND t.id > :after
        AND coalesce(t.plan ->> 'monthly_fee', '0') !~ '^[0.]*$'
        AND NOT EXISTS (SELECT FROM monthly_fees f
            WHERE f.tenant_id = t.id AND f.subject_id = t.id AND f.month = :month AND f.item = 'platform')
    ORDER BY t.id LIMIT :batch
    """
)


async def write_down_leases(session: AsyncSession, now: datetime) -> int:
    """Write down the present month's leases that are not yet; needs a worker's session."""
    books = await store.price_books(session, now)
    month, after, written = now.date().replace(day=1), UUID(int=0), 0
    asked: dict[str, Any] = {"own_account": OWN_ACCOUNT_MODEL, "month": month, "batch": _BATCH}
    while True:
        rows = (await session.execute(_UNWRITTEN, asked | {"after": after})).all()
        for row in rows:
            plan = msgspec.convert(row.plan, Plan)
            book = books.get(plan.price_book, PriceBook({}))
            whole = lease_of(plan, book, country=row.country, type_=row.type)
            written += await write_down(
                session,
                plan,
                tenant_id=row.tenant_id,
                subject_id=row.id,
                month=month,
                item="lease",
                amount=_begun(plan, whole, month=month, since=row.since),
                note=f"lease {month:%Y-%m} {row.value}",
            )
        if len(rows) < _BATCH:
            return written
        after = rows[-1].id


async def write_down_platform_fees(session: AsyncSession, now: datetime) -> int:
    """Write down the present month's platform fees that are not yet; needs a worker's session."""
    month, after, written = now.date().replace(day=1), UUID(int=0), 0
    while True:
        asked = {"month": month, "after": after, "batch": _BATCH}
        rows = (await session.execute(_UNWRITTEN_PLATFORM, asked)).all()
        for row in rows:
            plan = msgspec.convert(row.plan, Plan)
            whole = parse_amount(plan.monthly_fee, UNITS[plan.pricing], field="/plan/monthly_fee")
            written += await write_down(
                session,
                plan,
                tenant_id=row.id,
                subject_id=row.id,
                month=month,
                item="platform",
                amount=_begun(plan, whole, month=month, since=row.since),
                note=f"platform fee {month:%Y-%m}",
            )
        if len(rows) < _BATCH:
            return written
        after = rows[-1].id


async def write_down(
    session: AsyncSession,
    plan: Plan,
    *,
    tenant_id: UUID,
    subject_id: UUID,
    month: date,
    item: str,
    amount: int,
    note: str,
) -> int:
    """Write down one fee in the unit of the plan, once; return 1 if it is new, else 0."""
    if amount <= 0:
        return 0
    values = {
        "tenant_id": tenant_id,
        "subject_id": subject_id,
        "month": month,
        "item": item,
        "amount": amount,
        "unit": UNITS[plan.pricing],
        "note": note,
    }
    statement = insert(MonthlyFee).values(values).on_conflict_do_nothing().returning(MonthlyFee.id)
    return len((await session.scalars(statement)).all())


def lease_of(plan: Plan, book: PriceBook, *, country: str, type_: str) -> int:
    """Return a sender's lease of a month in the tenant's unit; 0 where there is none or the plan bears it."""
    return _by_policy(plan, book, "lease", plan.fees.lease, country=country, type_=type_)


def registration_fee_of(plan: Plan, book: PriceBook, *, country: str, type_: str) -> int:
    """Return what a registration costs once, as `lease_of` does."""
    return _by_policy(plan, book, "registration", plan.fees.registration, country=country, type_=type_)


def _by_policy(
    plan: Plan, book: PriceBook, item: Item, policy: FeePolicy, *, country: str, type_: str
) -> int:
    line = book.fee(item, country, type_, _CHANNEL)
    if line is None or policy == "absorb":
        return 0
    if UNITS[plan.pricing] == "credits":
        return line.credits
    return fees.sell_micros(policy, sell=line.sell_micros, cost=line.cost_micros)


def _begun(plan: Plan, whole: int, *, month: date, since: date) -> int:
    if plan.fees.prorate == "none":
        return whole
    return prorated(whole, first=since, last=month_end(month), of_first=month, of_last=month_end(month))
