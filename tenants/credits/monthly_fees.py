"""
The leases of a tenant's senders, charged once a month by the policy of its plan.

A fee is first written down, once per month and sender, and then posted when the balance covers it: one that
it does not cover stays open and is tried again, since a balance is never negative. The row and the transfer
are written in one transaction, so however often the round runs, nothing is charged twice.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.plan import Plan
from tenants.credits import store
from tenants.credits.models import MonthlyFee, Transfer
from tenants.credits.pricing import OWN_ACCOUNT_MODEL, UNITS, PriceBook
from tenants.credits.rates import fees
from tenants.ids import created_at, new_uuid
from tenants.scope import TenantScope

_BATCH: Final = 500
_POSTED_AT_ONCE: Final = 20
"""Their balances are locked until all are posted, and the tenants' sends wait as long."""
_CHANNEL: Final = "sms"
"""Where a book keeps its leases: a number is leased once, whatever it carries."""
_UNWRITTEN: Final = text(
    """
    SELECT s.tenant_id, s.id, s.type, s.country, s.value, t.plan
    FROM senders s JOIN tenants t ON t.id = s.tenant_id JOIN aws_accounts a ON a.id = s.account_id
    WHERE s.state IN ('active', 'standby', 'disabled') AND s.type <> 'SHARED' AND t.state <> 'closed'
        AND t.model <> :own_account AND a.owner_id IS NULL AND s.id > :after
        AND NOT EXISTS (SELECT FROM monthly_fees f
            WHERE f.tenant_id = s.tenant_id AND f.subject_id = s.id AND f.month = :month AND f.item = 'lease')
    ORDER BY s.id LIMIT :batch
    """
)
_OPEN: Final = text(
    """
    SELECT f.tenant_id, f.month, f.item, f.subject_id, f.amount, f.unit, f.note
    FROM monthly_fees f JOIN balances b ON b.tenant_id = f.tenant_id
    WHERE NOT f.charged AND b.unit = f.unit AND b.posted - b.held >= f.amount
    ORDER BY f.tenant_id, f.month, f.subject_id LIMIT :batch FOR UPDATE OF f SKIP LOCKED
    """
)
_UNCOVERED: Final = text(
    "SELECT count(*) AS fees, count(DISTINCT tenant_id) AS tenants FROM monthly_fees WHERE NOT charged"
)
_CHARGED: Final = text(
    """
    UPDATE monthly_fees SET charged = true
    WHERE tenant_id = :tenant_id AND month = :month AND item = :item AND subject_id = :subject_id
    """
)


async def write_down_leases(session: AsyncSession, now: datetime) -> int:
    """Write down the present month's leases that are not yet; needs a worker's session."""
    books = await store.price_books(session, now)
    month, after, written = now.date().replace(day=1), UUID(int=0), 0
    while True:
        rows = (await session.execute(_UNWRITTEN, _asked(month, after))).all()
        for row in rows:
            plan = msgspec.convert(row.plan, Plan)
            amount = lease_of(
                plan, books.get(plan.price_book, PriceBook({})), country=row.country, type_=row.type
            )
            if amount > 0:
                fee = {
                    "amount": amount,
                    "unit": UNITS[plan.pricing],
                    "note": f"lease {month:%Y-%m} {row.value}",
                }
                key = {"tenant_id": row.tenant_id, "month": month, "item": "lease", "subject_id": row.id}
                await session.execute(insert(MonthlyFee).values(**key, **fee).on_conflict_do_nothing())
                written += 1
        if len(rows) < _BATCH:
            return written
        after = rows[-1].id


async def post_open_fees(session: AsyncSession) -> int:
    """Post some open fees that balances cover, each with its note; return how many, 0 when all are."""
    posted = 0
    for row in (await session.execute(_OPEN, {"batch": _POSTED_AT_ONCE})).all():
        scope = TenantScope(tenant_id=row.tenant_id)
        purse = await store.lock_balance(scope, session)
        if purse is None or purse.unit != row.unit or purse.posted - purse.held < row.amount:
            continue
        purse.posted -= row.amount
        session.add(_transfer(scope, amount=row.amount, unit=row.unit, note=row.note))
        key = {"tenant_id": row.tenant_id, "month": row.month, "item": row.item, "subject_id": row.subject_id}
        await session.execute(_CHARGED, key)
        await session.flush()
        posted += 1
    return posted


async def uncovered(session: AsyncSession) -> tuple[int, int]:
    """Return how many fees are written down and not posted, and of how many tenants."""
    row = (await session.execute(_UNCOVERED)).one()
    return row.fees, row.tenants


def lease_of(plan: Plan, book: PriceBook, *, country: str, type_: str) -> int:
    """Return a sender's lease of a month in the tenant's unit; 0 where there is none or the plan bears it."""
    line = book.fee("lease", country, type_, _CHANNEL)
    if line is None or plan.fees.lease == "absorb":
        return 0
    if UNITS[plan.pricing] == "credits":
        return line.credits
    return fees.sell_micros(plan.fees.lease, sell=line.sell_micros, cost=line.cost_micros)


def _asked(month: date, after: UUID) -> dict[str, object]:
    return {"own_account": OWN_ACCOUNT_MODEL, "after": after, "month": month, "batch": _BATCH}


def _transfer(scope: TenantScope, *, amount: int, unit: str, note: str) -> Transfer:
    transfer_id = new_uuid()
    return Transfer(
        tenant_id=scope.tenant_id,
        id=transfer_id,
        subject_id=transfer_id,
        subject_at=created_at(transfer_id),
        kind="fee",
        revision=0,
        available=-amount,
        revenue=amount,
        unit=unit,
        note=note,
    )
