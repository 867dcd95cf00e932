"""
What a month costs a tenant beside its messages: the leases of its senders, and the platform's own fee.

A month that is over is written down as it would have been in it: for whoever was there in it, at the prices
of its first instant, or of the sender's. The plan is that of now; the past ones are not kept.

A number is leased from its request on, whatever becomes of its registration, as at AWS.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.plan import FeePolicy, Plan
from tenants.credits import store
from tenants.credits.models import MonthlyFee
from tenants.credits.money import parse_amount
from tenants.credits.pricing import FEE_CHANNEL, OWN_ACCOUNT_MODEL, UNITS, Item, PriceBook
from tenants.credits.rates import fees
from tenants.credits.rates.proration import month_end, prorated

_BATCH: Final = 500
_UNWRITTEN: Final = text(
    """
    SELECT s.tenant_id, s.id, s.type, s.country, s.value, lease.since, t.plan
    FROM senders s JOIN tenants t ON t.id = s.tenant_id JOIN aws_accounts a ON a.id = s.account_id
        CROSS JOIN LATERAL (SELECT CASE WHEN s.let_go_at < CAST(:month AS date) AT TIME ZONE 'UTC'
            THEN s.retaken_at ELSE s.created_at END AS since) lease
    WHERE (s.state IN ('active', 'standby', 'disabled')
            OR (s.state = 'pending' AND s.type IN ('TOLL_FREE', 'TEN_DLC', 'LONG_CODE'))
            OR (s.state = 'released' AND s.released_at >= CAST(:month AS date) AT TIME ZONE 'UTC'))
        AND s.type <> 'SHARED' AND t.state <> 'closed' AND lease.since < :ends
        AND t.model <> :own_account AND a.owner_id IS NULL AND s.id > :after
        AND NOT EXISTS (SELECT FROM monthly_fees f
            WHERE f.tenant_id = s.tenant_id AND f.subject_id = s.id AND f.month = :month AND f.item = 'lease')
    ORDER BY s.id LIMIT :batch
    """
)
_UNWRITTEN_PLATFORM: Final = text(
    """
    SELECT t.id, t.plan, (t.created_at AT TIME ZONE 'UTC')::date AS since FROM tenants t
    WHERE t.live AND t.state <> 'closed' AND t.id > :after AND t.created_at < :ends
        AND NOT EXISTS (SELECT FROM audit_rows a WHERE a.tenant_id = t.id AND a.at >= :ends
            AND a.action = 'tenant.live_changed' AND a.detail @> '{"live": true}')
        AND coalesce(t.plan ->> 'monthly_fee', '0') !~ '^[0.]*$'
        AND NOT EXISTS (SELECT FROM monthly_fees f
            WHERE f.tenant_id = t.id AND f.subject_id = t.id AND f.month = :month AND f.item = 'platform')
    ORDER BY t.id LIMIT :batch
    """
)


async def write_down_leases(session: AsyncSession, now: datetime, month: date | None = None) -> int:
    """Write down the leases of a month, the present one by default, that are not yet; a worker's session."""
    month = month or now.date().replace(day=1)
    prices, begins = PricesThen(session, now), _begin(month)
    asked = {"own_account": OWN_ACCOUNT_MODEL, "month": month, "batch": _BATCH, "ends": _end(month, now)}
    after, written = UUID(int=0), 0
    while True:
        rows = (await session.execute(_UNWRITTEN, asked | {"after": after})).all()
        for row in rows:
            plan = msgspec.convert(row.plan, Plan)
            book = await prices.of(plan, month, max(begins, row.since))
            whole = lease_of(plan, book, country=row.country, type_=row.type)
            since = max(month, row.since.astimezone(UTC).date())
            written += await write_down(
                session,
                plan,
                tenant_id=row.tenant_id,
                subject_id=row.id,
                month=month,
                item="lease",
                amount=_begun(plan, whole, month=month, since=since),
                note=f"lease {month:%Y-%m} {row.value}",
                since=since,
            )
        if len(rows) < _BATCH:
            return written
        after = rows[-1].id


async def write_down_platform_fees(session: AsyncSession, now: datetime, month: date | None = None) -> int:
    """Write down the platform's fees of a month, the present one by default; a worker's session."""
    month, after, written = month or now.date().replace(day=1), UUID(int=0), 0
    while True:
        asked = {"month": month, "after": after, "batch": _BATCH, "ends": _end(month, now)}
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
    since: date | None = None,
    leg: int = 0,
) -> int:
    """Write down one fee in the unit of the plan, once; return 1 if it is new, else 0."""
    if amount <= 0:
        return 0
    values = {
        "tenant_id": tenant_id,
        "subject_id": subject_id,
        "month": month,
        "item": item,
        "leg": leg,
        "since": since,
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
    line = book.fee(item, country, type_, FEE_CHANNEL)
    if line is None:
        return 0
    if UNITS[plan.pricing] == "credits":
        return fees.in_credits(policy, line.credits)
    return fees.sell_micros(policy, sell=line.sell_micros, cost=line.cost_micros)


class PricesThen:
    """The books of a round: the present ones for the present month, else those of the day in question."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session, self._now = session, now
        self._read: dict[datetime, dict[str, PriceBook]] = {}

    async def of(self, plan: Plan, month: date, at: datetime) -> PriceBook:
        """Return the plan's book as it stood; an empty one where there was none."""
        at = self._now if _is_present(month, self._now) else at
        if at not in self._read:
            self._read[at] = await store.price_books(self._session, at)
        return self._read[at].get(plan.price_book, PriceBook({}))


def _begin(month: date) -> datetime:
    return datetime.combine(month, time(), UTC)


def _end(month: date, now: datetime) -> datetime:
    """Return until when what came counts in a month; in the present one all that is there."""
    after = _begin((month + timedelta(days=31)).replace(day=1))
    return datetime.max.replace(tzinfo=UTC) if _is_present(month, now) else after


def _is_present(month: date, now: datetime) -> bool:
    return month == now.date().replace(day=1)


def _begun(plan: Plan, whole: int, *, month: date, since: date) -> int:
    if plan.fees.prorate == "none":
        return whole
    return prorated(whole, first=since, last=month_end(month), of_first=month, of_last=month_end(month))
