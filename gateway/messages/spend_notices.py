"""Tells a tenant, once per month and level, that spending has reached a share of a budget."""

from typing import Final

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from gateway.messages.outbox import NewEvent, write_events
from gateway.messages.view import timestamp
from tenants.budgets.budget import LEVELS, PLATFORM, level, public_name, resets_at
from tenants.credits.money import format_amount

_log = structlog.get_logger(__name__)

_DUE: Final = """
    SELECT c.tenant_id, c.name, c.month, c.used, budgets.cap, c.told, c.stopped,
        coalesce(b.unit, 'micros') AS unit
    FROM spend_counters c
        JOIN budgets ON budgets.tenant_id = c.tenant_id AND budgets.name = c.name
        LEFT JOIN balances b ON b.tenant_id = c.tenant_id
    WHERE c.month = date_trunc('month', now() AT TIME ZONE 'UTC')::date AND c.told < 100
        AND (c.stopped OR c.used * 100 >= budgets.cap *
            CASE WHEN c.told < 50 THEN 50 WHEN c.told < 80 THEN 80 ELSE 100 END)
    ORDER BY c.tenant_id, c.name LIMIT 500 FOR UPDATE OF c SKIP LOCKED
"""
_TOLD: Final = """
    UPDATE spend_counters SET told = $4 WHERE tenant_id = $1 AND name = $2 AND month = $3
"""


class SpendThreshold(Struct, frozen=True, kw_only=True):
    """Data of `spend.threshold`."""

    budget: str
    """`all`, `country:US`, `type:otp` or `account:` with an id."""
    percent: int
    """50, 80 or 100; at 100 sends are refused with `spend_limit_reached`."""
    used: str
    cap: str
    unit: str
    """`usd` or `credits`."""
    resets_at: str | None


class SpendNotices:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def tell(self) -> int:
        """Write the events that are due and return how many; each level of each budget once a month."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_DUE)
            events = [event for row in rows for event in _events(row)]
            for row in rows:
                reached = level(row["used"], row["cap"], stopped=row["stopped"])
                await connection.execute(_TOLD, row["tenant_id"], row["name"], row["month"], reached)
            await write_events(connection, events)
        return len(events)


def _events(row: asyncpg.Record) -> list[NewEvent]:
    reached = level(row["used"], row["cap"], stopped=row["stopped"])
    due = [each for each in LEVELS if row["told"] < each <= reached]
    if row["tenant_id"] == PLATFORM:
        _log.warning("platform_budget_reached", budget=row["name"], percent=reached, used_micros=row["used"])
        return []
    unit = row["unit"]
    return [
        NewEvent(
            tenant_id=row["tenant_id"],
            type="spend.threshold",
            data=msgspec.Raw(
                msgspec.json.encode(
                    SpendThreshold(
                        budget=public_name(row["name"]),
                        percent=each,
                        used=format_amount(row["used"], unit),
                        cap=format_amount(row["cap"], unit),
                        unit="usd" if unit == "micros" else unit,
                        resets_at=timestamp(resets_at(row["month"])),
                    )
                )
            ),
        )
        for each in due
    ]
