"""
What the messages of the last minutes or hours say, counted from the messages themselves. Scope first.

The operator's scope, `PLATFORM`, counts the messages of all tenants.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight.metrics import MICROS, Counts, Reading, Watched, reading
from gateway.insight.search import first_id, last_id
from gateway.insight.throttling import throttles
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

FEEDBACK_AFTER: Final = timedelta(minutes=10)
"""A person is given this long to use a code before the message counts as not converted."""
RECEIPT_AFTER: Final = timedelta(minutes=15)
"""When a receipt is overdue where there is no history yet."""
SOONEST: Final = timedelta(minutes=1)
TOLERANCE: Final = 2.0
"""A receipt is overdue after twice the time within which 95 % usually come."""

_COUNTED: Final = f"""
    SELECT count(*) AS accepted, count(*) FILTER (WHERE dispatched_at <= :overdue) AS dispatched,
        count(*) FILTER (WHERE status = 'sent' AND dispatched_at <= :overdue) AS pending,
        count(*) FILTER (WHERE status = 'delivered') AS delivered,
        count(*) FILTER (WHERE status IN ('delivered', 'undelivered', 'failed', 'expired', 'unknown'))
            AS concluded,
        count(*) FILTER (WHERE reason_code IN ('blocked_by_recipient', 'blocked_by_carrier', 'spam'))
            AS blocked,
        count(*) FILTER (WHERE feedback IS NOT NULL AND dispatched_at IS NOT NULL) AS asked,
        count(*) FILTER (WHERE feedback = 'received' AND dispatched_at IS NOT NULL) AS received,
        coalesce(sum(CASE WHEN unit = 'micros' THEN price_estimated::float8 / {MICROS}
            ELSE price_estimated::float8 END), 0) AS spent
    FROM messages
    WHERE {{whose}} AND NOT test AND id BETWEEN :first AND :last
        AND created_at >= :since AND created_at < :before
        AND (CAST(:country AS text) IS NULL OR country = :country)
        AND (CAST(:type AS text) IS NULL OR type = :type)
    """  # noqa: S608 - a constant
OF_UNIT: Final = "unit = (SELECT b.unit FROM balances b WHERE b.tenant_id = :tenant)"
"""What was paid before the pricing changed its unit is no part of an amount in this one."""
_COUNT: Final = text(_COUNTED.format(whose="tenant_id = :tenant"))
_COUNT_OF_UNIT: Final = text(_COUNTED.format(whose=f"tenant_id = :tenant AND {OF_UNIT}"))
_COUNT_ALL: Final = text(_COUNTED.format(whose="TRUE"))


class Window(Struct, frozen=True, kw_only=True):
    """Which messages are measured, and when a receipt of theirs is overdue."""

    country: str | None = None
    type: str | None = None
    length: timedelta
    overdue_after: timedelta = RECEIPT_AFTER


def overdue_after(usual_receipt_s: float | None, *, fixed_s: int | None) -> timedelta:
    """Return when a receipt is overdue: as was said, by what is usual, or by a quarter of an hour."""
    if fixed_s is not None:
        return timedelta(seconds=fixed_s)
    if usual_receipt_s is None:
        return RECEIPT_AFTER
    return max(SOONEST, timedelta(seconds=usual_receipt_s * TOLERANCE))


def lag(metric: Watched, window: Window) -> timedelta:
    """Return how long before now a window ends, so that its messages could have had their answer."""
    if metric == "conversion":
        return FEEDBACK_AFTER
    return window.overdue_after if metric == "pending_rate" else timedelta()


async def measure(
    scope: TenantScope, session: AsyncSession, metric: Watched, window: Window, *, now: datetime
) -> Reading:
    """Return the figure of the live messages accepted in the window, or of the calls made in it."""
    before = now - lag(metric, window)
    since = before - window.length
    if metric == "throttle_rate":
        return await throttles(scope, session, since=since, before=before)
    of_all = scope.tenant_id == PLATFORM
    given: dict[str, Any] = {
        "first": first_id(since),
        "last": last_id(before),
        "since": since,
        "before": before,
        "overdue": now - window.overdue_after,
        "country": window.country,
        "type": window.type,
    }
    if not of_all:
        given["tenant"] = scope.tenant_id
    count = _COUNT_ALL if of_all else _COUNT_OF_UNIT if metric == "spend_pace" else _COUNT
    row = (await session.execute(count, given)).mappings().one()
    return reading(metric, Counts(**dict(row)), hours=window.length / timedelta(hours=1))
