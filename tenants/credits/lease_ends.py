"""
The end of a lease in the middle of its month, for plans that prorate it.

What is not charged yet is lowered to the days until the release; of what is charged, the rest is given back
by an entry of its own, once the lease itself is in the ledger. A sender that was taken again the same day or
the next has missed no day: unless its end is accounted for already, its lease goes on.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits.rates.proration import month_end, prorated

_BATCH: Final = 200
_ENDED: Final = text(
    """
    SELECT f.tenant_id, f.month, f.subject_id, f.leg, f.amount, f.unit, f.note, f.charged,
        lease.since AS first_day, lease.until AS last_day
    FROM senders s JOIN tenants t ON t.id = s.tenant_id
        CROSS JOIN LATERAL (SELECT (s.created_at AT TIME ZONE 'UTC')::date AS made,
            (s.released_at AT TIME ZONE 'UTC')::date AS released,
            (s.let_go_at AT TIME ZONE 'UTC')::date AS let_go,
            (s.retaken_at AT TIME ZONE 'UTC')::date AS retaken) day
        JOIN monthly_fees f ON f.tenant_id = s.tenant_id AND f.subject_id = s.id AND f.item = 'lease'
            AND f.month IN (date_trunc('month', day.released)::date, date_trunc('month', day.let_go)::date)
        CROSS JOIN LATERAL (SELECT coalesce(f.since, greatest(f.month, day.made)) AS since) begin
        CROSS JOIN LATERAL (SELECT begin.since, CASE
            WHEN day.let_go >= begin.since AND day.retaken > day.let_go + 1 THEN day.let_go
            ELSE day.released END AS until) lease
    WHERE f.until IS NULL AND f.waived_why IS NULL AND t.plan #>> '{fees,prorate}' = 'both'
        AND f.month = date_trunc('month', lease.until)::date
    ORDER BY f.tenant_id, f.subject_id, f.leg LIMIT :batch FOR UPDATE OF f SKIP LOCKED
    """
)
_ENDS: Final = text(
    """
    UPDATE monthly_fees SET until = :until,
        amount = CASE WHEN charged OR CAST(:due AS bigint) = 0 THEN amount ELSE :due END,
        waived_why = CASE WHEN NOT charged AND CAST(:due AS bigint) = 0 THEN 'no day of it was used' END
    WHERE tenant_id = :tenant_id AND month = :month AND item = 'lease' AND subject_id = :subject_id
        AND leg = :leg
    """
)
"""A sender that is released on the day on which it was before has used no day of its second lease."""
_GIVE_BACK: Final = text(
    """
    INSERT INTO monthly_fees (tenant_id, month, item, subject_id, leg, amount, unit, note)
    VALUES (:tenant_id, :month, 'lease_end', :subject_id, :leg, :amount, :unit, :note) ON CONFLICT DO NOTHING
    """
)


async def settle_ended_leases(session: AsyncSession) -> int:
    """Account for some leases that ended before their month; return how many; needs a worker's session."""
    rows = (await session.execute(_ENDED, {"batch": _BATCH})).all()
    for row in rows:
        due = _due(row)
        key = {
            "tenant_id": row.tenant_id,
            "month": row.month,
            "subject_id": row.subject_id,
            "leg": row.leg,
        }
        await session.execute(_ENDS, key | {"until": row.last_day, "due": due})
        if row.charged and due < row.amount:
            rest = {"amount": due - row.amount, "unit": row.unit, "note": f"{row.note} until {row.last_day}"}
            await session.execute(_GIVE_BACK, key | rest)
    return len(rows)


def _due(row: Any) -> int:
    """Return what the days until the release cost, of an amount that may be for a part of a month itself."""
    first: date = row.first_day
    last = month_end(row.month)
    return prorated(row.amount, first=first, last=row.last_day, of_first=first, of_last=last)
