"""Queries of the counted hours; the scope comes first and proves the tenant."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight.baseline import HISTORY, YOUNGEST, Hour
from gateway.insight.measuring import OF_UNIT
from gateway.insight.metrics import MICROS, Counts
from tenants.scope import TenantScope

Dimension = Literal["hour", "day", "country", "type"]
DIMENSIONS: Final[dict[Dimension, str]] = {
    "hour": "hour",
    "day": "date_trunc('day', hour, 'UTC')",
    "country": "country",
    "type": "type",
}
_FIGURES: Final = (
    "accepted", "parts", "dispatched", "waiting", "pending", "delivered", "undelivered", "failed", "expired",
    "canceled", "unknown", "blocked", "feedback_received", "feedback_failed", "spent",
)  # fmt: skip
_SUMS: Final = ", ".join(f"sum({name})::bigint AS {name}" for name in _FIGURES)
_RECEIPTS: Final = "CASE WHEN receipt_p95_ms IS NULL THEN 0 ELSE delivered + undelivered END"
"""Of a country and type in an hour: how many messages its time of the receipts is of."""
MOST_HOURS: Final = 50_000
"""Eight weeks of some forty countries and types, each hour of them."""


class HourSum(Struct, frozen=True, kw_only=True):
    """Counts of a span, summed over everything that was not asked for, which is None."""

    hour: datetime | None = None
    day: datetime | None = None
    country: str | None = None
    type: str | None = None
    unit: str
    accepted: int
    parts: int
    dispatched: int
    waiting: int
    pending: int
    delivered: int
    undelivered: int
    failed: int
    expired: int
    canceled: int
    unknown: int
    blocked: int
    feedback_received: int
    feedback_failed: int
    spent: int

    @property
    def counts(self) -> Counts:
        """What figures are made of."""
        return Counts(
            accepted=self.accepted,
            dispatched=self.dispatched,
            pending=self.pending,
            delivered=self.delivered,
            concluded=self.delivered + self.undelivered + self.failed + self.expired + self.unknown,
            blocked=self.blocked,
            asked=self.feedback_received + self.feedback_failed,
            received=self.feedback_received,
            spent=self.spent / MICROS if self.unit == "micros" else float(self.spent),
        )


async def sums(
    scope: TenantScope,
    session: AsyncSession,
    *,
    since: datetime,
    before: datetime,
    by: Sequence[Dimension],
    country: str | None = None,
    type_: str | None = None,
    at_most: int,
) -> list[HourSum]:
    """Return the counts of the hours from `since` on and before `before`, in the order of `by`."""
    keys = "".join(f"{DIMENSIONS[name]} AS {name}, " for name in by)
    numbers = ", ".join(str(number + 1) for number in range(len(by) + 1))
    query = f"""
        SELECT {keys}unit, {_SUMS} FROM insight_hours
        WHERE tenant_id = :tenant AND hour >= :since AND hour < :before
            AND (CAST(:country AS text) IS NULL OR country = :country)
            AND (CAST(:type AS text) IS NULL OR type = :type)
        GROUP BY {numbers} ORDER BY {numbers} LIMIT :at_most
    """  # noqa: S608 - columns of ours
    given: dict[str, Any] = {
        "tenant": scope.tenant_id,
        "since": since,
        "before": before,
        "country": country,
        "type": type_,
        "at_most": at_most,
    }
    return [HourSum(**dict(row)) for row in (await session.execute(text(query), given)).mappings()]


async def history(
    scope: TenantScope,
    session: AsyncSession,
    *,
    now: datetime,
    country: str | None,
    type_: str | None,
    apart: bool,
    of_unit: bool = False,
) -> list[Hour]:
    """
    Return the hours that a baseline is made of, at most `MOST_HOURS`, the newest first.

    Of countries and types that are summed, the time of the receipts is that of the slowest one before the
    last twentieth of the receipts: a country of few texts whose receipts take a day says nothing of the rest.

    Args:
        apart: Countries and types each on their own, not summed.
        of_unit: Only what was paid in the unit that the balance has now, for amounts: dollars and credits of
            before and after a change of pricing do not compare.
    """
    keys = "hour, country, type" if apart else "hour"
    query = f"""
        SELECT {keys}, sum(accepted)::bigint AS accepted, sum(dispatched)::bigint AS dispatched,
            sum(pending)::bigint AS pending, sum(delivered)::bigint AS delivered,
            sum(delivered + undelivered + failed + expired + unknown)::bigint AS concluded,
            sum(blocked)::bigint AS blocked,
            sum(feedback_received + feedback_failed)::bigint AS asked,
            sum(feedback_received)::bigint AS received,
            sum(CASE WHEN unit = 'micros' THEN spent::float8 / {MICROS} ELSE spent::float8 END) AS spent,
            max(receipt_p95_ms) FILTER (WHERE up_to - {_RECEIPTS} < 0.95 * receipts) AS receipt_ms
        FROM (
            SELECT *, sum({_RECEIPTS}) OVER (PARTITION BY {keys}) AS receipts,
                sum({_RECEIPTS}) OVER (
                    PARTITION BY {keys} ORDER BY receipt_p95_ms, country, type, unit
                ) AS up_to
            FROM insight_hours
            WHERE tenant_id = :tenant AND hour >= :since AND hour < :before
                AND (CAST(:country AS text) IS NULL OR country = :country)
                AND (CAST(:type AS text) IS NULL OR type = :type)
                {f"AND {OF_UNIT}" if of_unit else ""}
        ) AS groups
        GROUP BY {keys} ORDER BY hour DESC LIMIT :most
    """  # noqa: S608 - columns of ours
    given: dict[str, Any] = {
        "tenant": scope.tenant_id,
        "since": now - HISTORY,
        "before": now - YOUNGEST - timedelta(hours=1),
        "country": country,
        "type": type_,
        "most": MOST_HOURS,
    }
    return [_hour(dict(row)) for row in (await session.execute(text(query), given)).mappings()]


def _hour(row: dict[str, Any]) -> Hour:
    at, country, type_ = row.pop("hour"), row.pop("country", None), row.pop("type", None)
    receipt_ms = row.pop("receipt_ms")
    return Hour(
        at=at,
        country=country,
        type=type_,
        counts=Counts(**row),
        receipt_s=None if receipt_ms is None else receipt_ms / 1000,
    )
