"""
The end of a lease in the middle of its month, for plans that prorate it.

What is not charged yet is lowered to the days until the release; of what is charged, the rest is given back
by an entry of its own, once the lease itself is in the ledger.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits.rates.proration import month_end, prorated

_BATCH: Final = 200
_ENDED: Final = text(
    """
    SELECT f.tenant_id, f.month, f.subject_id, f.amount, f.unit, f.note, f.charged,
        (s.released_at AT TIME ZONE 'UTC')::date AS last_day,
        greatest(f.month, (s.created_at AT TIME ZONE 'UTC')::date) AS first_day
    FROM senders s JOIN tenants t ON t.id = s.tenant_id
        JOIN monthly_fees f ON f.tenant_id = s.tenant_id AND f.subject_id = s.id AND f.item = 'lease'
            AND f.month = date_trunc('month', s.released_at AT TIME ZONE 'UTC')::date
    WHERE s.state = 'released' AND f.until IS NULL AND f.waived_why IS NULL
        AND t.plan #>> '{fees,prorate}' = 'both'
    ORDER BY f.tenant_id, f.subject_id LIMIT :batch FOR UPDATE OF f SKIP LOCKED
    """
)
_ENDS: Final = text(
    """
    UPDATE monthly_fees SET until = :until, amount = CASE WHEN charged THEN amount ELSE :due END
    WHERE tenant_id = :tenant_id AND month = :month AND item = 'lease' AND subject_id = :subject_id
    """
)
_GIVE_BACK: Final = text(
    """
    INSERT INTO monthly_fees (tenant_id, month, item, subject_id, amount, unit, note)
    VALUES (:tenant_id, :month, 'lease_end', :subject_id, :amount, :unit, :note) ON CONFLICT DO NOTHING
    """
)


async def settle_ended_leases(session: AsyncSession) -> int:
    """Account for some leases that ended before their month; return how many; needs a worker's session."""
    rows = (await session.execute(_ENDED, {"batch": _BATCH})).all()
    for row in rows:
        due = _due(row)
        key = {"tenant_id": row.tenant_id, "month": row.month, "subject_id": row.subject_id}
        await session.execute(_ENDS, key | {"until": row.last_day, "due": due})
        if row.charged and due < row.amount:
            rest = {"amount": due - row.amount, "unit": row.unit, "note": f"{row.note} until {row.last_day}"}
            await session.execute(_GIVE_BACK, key | rest)
    return len(rows)


def _due(row: Any) -> int:
    """Return what the days until the release cost, of an amount that may be for a part of a month itself."""
    first: date = row.first_day
    last = month_end(row.month)
    return max(1, prorated(row.amount, first=first, last=row.last_day, of_first=first, of_last=last))
