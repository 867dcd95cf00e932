"""
A sender that is taken again in the month in which it was released, after the rest of it was given back.

It pays its days from then on, by a lease of its own: no day twice, and all leases of a month together never
more than a whole month's.
"""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.plan import Plan
from tenants.credits.monthly_fees import PricesThen, lease_of, write_down
from tenants.credits.pricing import OWN_ACCOUNT_MODEL
from tenants.credits.rates.proration import month_end, prorated

_BATCH: Final = 200
_RETAKEN: Final = text(
    """
    SELECT s.tenant_id, s.id, s.type, s.country, s.value, s.retaken_at, t.plan, f.month, f.leg + 1 AS leg,
        greatest(day.retaken, f.until + 1) AS since, (
            SELECT coalesce(sum(p.amount), 0)::bigint FROM monthly_fees p
            WHERE p.tenant_id = f.tenant_id AND p.month = f.month AND p.subject_id = f.subject_id
                AND p.item IN ('lease', 'lease_end') AND p.waived_why IS NULL AND p.unit = b.unit
        ) AS paid
    FROM senders s JOIN tenants t ON t.id = s.tenant_id JOIN balances b ON b.tenant_id = s.tenant_id
        JOIN aws_accounts a ON a.id = s.account_id
        CROSS JOIN LATERAL (SELECT (s.retaken_at AT TIME ZONE 'UTC')::date AS retaken,
            (s.released_at AT TIME ZONE 'UTC')::date AS released) day
        JOIN monthly_fees f ON f.tenant_id = s.tenant_id AND f.subject_id = s.id AND f.item = 'lease'
            AND f.month = date_trunc('month', day.retaken)::date AND f.until IS NOT NULL
    WHERE (s.state <> 'pending' OR s.type IN ('TOLL_FREE', 'TEN_DLC', 'LONG_CODE'))
        AND (day.released IS NULL OR day.released >= greatest(day.retaken, f.until + 1))
        AND t.state <> 'closed' AND t.model <> :own_account AND a.owner_id IS NULL AND s.id > :after
        AND NOT EXISTS (SELECT FROM monthly_fees l
            WHERE l.tenant_id = f.tenant_id AND l.month = f.month AND l.item = 'lease'
                AND l.subject_id = f.subject_id AND l.leg > f.leg)
    ORDER BY s.id LIMIT :batch
    """
)
"""A lease whose end is not accounted for goes on: its rest was not given back."""


async def write_down_retaken(session: AsyncSession, now: datetime) -> int:
    """Write down the leases that began anew in the middle of their month; a worker's session."""
    prices, after, written = PricesThen(session, now), UUID(int=0), 0
    while True:
        asked = {"own_account": OWN_ACCOUNT_MODEL, "batch": _BATCH, "after": after}
        rows = (await session.execute(_RETAKEN, asked)).all()
        for row in rows:
            plan = msgspec.convert(row.plan, Plan)
            book = await prices.of(plan, row.month, row.retaken_at)
            whole = lease_of(plan, book, country=row.country, type_=row.type)
            written += await write_down(
                session,
                plan,
                tenant_id=row.tenant_id,
                subject_id=row.id,
                month=row.month,
                item="lease",
                amount=_rest(row, whole, paid=row.paid),
                note=f"lease {row.month:%Y-%m} {row.value} from {row.since}",
                since=row.since,
                leg=row.leg,
            )
        if len(rows) < _BATCH:
            return written
        after = rows[-1].id


def _rest(row: Any, whole: int, *, paid: int) -> int:
    """Return what the days from the lease's beginning on cost; rounded up, so held to what is not paid."""
    month: date = row.month
    last = month_end(month)
    share = prorated(whole, first=row.since, last=last, of_first=month, of_last=last)
    return max(0, min(share, whole - paid))
