"""
Tells a tenant, and the operator, that its balance runs low, and asks for a top-up where its plan says so.

A round looks at the balances every second: what crosses a level and comes back within one is not told.
"""

from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct

from gateway.clock import Clock
from gateway.messages.outbox import NewEvent, write_events
from tenants.accounts.plan import AutoTopUp, Plan
from tenants.credits.marks import crossed, reached
from tenants.credits.money import format_amount, parse_amount
from tenants.credits.pricing import Unit
from tenants.ids import encode
from tenants.inbox.service import PLATFORM

_AT_ONCE: Final = 1000
_DUE: Final = """
    SELECT m.tenant_id, m.last_top_up, m.told, m.refused, m.requested_at, m.requested_day, m.requested_today,
        b.unit, b.posted - b.held AS available, t.plan
    FROM balance_marks m JOIN balances b USING (tenant_id) JOIN tenants t ON t.id = m.tenant_id
    WHERE t.state <> 'closed' AND (
        (b.posted - b.held <= (t.plan #>> '{auto_top_up,below}')::numeric
                * CASE b.unit WHEN 'micros' THEN 1000000 ELSE 1 END
            AND (m.requested_at IS NULL OR m.requested_at <= $1::timestamptz - $2::interval)
            AND (m.requested_day IS DISTINCT FROM ($1::timestamptz AT TIME ZONE 'UTC')::date
                OR m.requested_today < (t.plan #>> '{auto_top_up,most_per_day}')::int))
        OR (CASE WHEN m.refused OR b.posted - b.held <= 0 THEN 0
            WHEN (b.posted - b.held)::numeric * 100 <= m.last_top_up::numeric * 10 THEN 10
            WHEN (b.posted - b.held)::numeric * 100 <= m.last_top_up::numeric * 20 THEN 20
            WHEN (b.posted - b.held)::numeric * 100 <= m.last_top_up::numeric * 50 THEN 50
            ELSE 100 END) <> m.told)
    ORDER BY m.tenant_id LIMIT $3 FOR UPDATE OF m SKIP LOCKED
"""
"""Only what has something to be told or kept, so that those who have not never fill a round."""
_SAVE: Final = """
    UPDATE balance_marks SET told = $2, requested_at = $3, requested_day = $4, requested_today = $5
    WHERE tenant_id = $1
"""
_OPERATOR_LISTENS: Final = """
    SELECT EXISTS (SELECT FROM webhook_endpoints WHERE tenant_id = $1)
"""
"""One that is disabled counts: what it misses is replayed once it is enabled again."""
ASK_AGAIN_AFTER: Final = timedelta(hours=1)
"""A top-up that was asked for and did not come is asked for again after this."""


class CreditsLow(Struct, frozen=True, kw_only=True):
    """Data of `credits.low`."""

    percent: int
    """Of the last top-up: 50, 20, 10, or 0 for empty."""
    available: str
    last_top_up: str
    unit: str
    """`usd` or `credits`."""


class TopUpRequested(Struct, frozen=True, kw_only=True):
    """Data of `credits.top_up_requested`."""

    amount: str
    available: str
    below: str
    unit: str


class BalanceNotices:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def tell(self, *, at_once: int = _AT_ONCE) -> int:
        """Write the events that are due for some tenants and return how many."""
        now = self._clock.now()
        events: list[NewEvent] = []
        async with self._pool.acquire() as connection, connection.transaction():
            for row in await connection.fetch(_DUE, now, ASK_AGAIN_AFTER, at_once):
                at = reached(row["available"], row["last_top_up"], refused=row["refused"])
                events += _low(row, at)
                asked = _top_up(row, now)
                if asked is not None:
                    events.append(asked)
                today = row["requested_today"] if row["requested_day"] == now.date() else 0
                if at != row["told"] or asked is not None:
                    await connection.execute(
                        _SAVE,
                        row["tenant_id"],
                        at,
                        now if asked else row["requested_at"],
                        now.date() if asked else row["requested_day"],
                        today + 1 if asked else row["requested_today"],
                    )
            if events and await connection.fetchval(_OPERATOR_LISTENS, PLATFORM):
                events += [_for_operator(each) for each in events]
            await write_events(connection, events)
        return len(events)


def _for_operator(event: NewEvent) -> NewEvent:
    """Return the same for the operator's own endpoints, which hear of every tenant."""
    data: dict[str, str | int] = msgspec.json.decode(event.data)
    told = {"tenant": encode("ten", event.tenant_id)} | data
    return NewEvent(tenant_id=PLATFORM, type=event.type, data=msgspec.Raw(msgspec.json.encode(told)))


def _low(row: asyncpg.Record, at: int) -> list[NewEvent]:
    unit: Unit = row["unit"]
    return [
        _event(
            row,
            "credits.low",
            CreditsLow(
                percent=each,
                available=format_amount(row["available"], unit),
                last_top_up=format_amount(row["last_top_up"], unit),
                unit=_unit(unit),
            ),
        )
        for each in crossed(row["told"], at)
    ]


def _top_up(row: asyncpg.Record, now: datetime) -> NewEvent | None:
    """Return the request for a top-up, if one is due: not while one is open, and not too often a day."""
    plan = msgspec.convert(row["plan"], Plan)
    wish = plan.auto_top_up
    if wish is None or not may_ask(row, wish, now):
        return None
    unit: Unit = row["unit"]
    below = parse_amount(wish.below, unit, field="/auto_top_up/below")
    if row["available"] > below:
        return None
    asked = TopUpRequested(
        amount=wish.amount,
        available=format_amount(row["available"], unit),
        below=wish.below,
        unit=_unit(unit),
    )
    return _event(row, "credits.top_up_requested", asked)


def may_ask(row: asyncpg.Record, wish: AutoTopUp, now: datetime) -> bool:
    """Return whether the burst guard lets a request pass."""
    if row["requested_at"] is not None and now - row["requested_at"] < ASK_AGAIN_AFTER:
        return False
    asked_today: int = row["requested_today"] if row["requested_day"] == now.date() else 0
    return asked_today < wish.most_per_day


def _event(row: asyncpg.Record, name: str, data: Struct) -> NewEvent:
    return NewEvent(tenant_id=row["tenant_id"], type=name, data=msgspec.Raw(msgspec.json.encode(data)))


def _unit(unit: Unit) -> str:
    return "usd" if unit == "micros" else unit
