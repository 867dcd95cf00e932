"""
Hours of messages, kept in step with the messages themselves.

An hour is never added to: it is counted again from its messages, so that a round that is cut short, runs
twice or comes late leaves nothing wrong behind. Events say which hours have changed. A young hour is counted
at most twice a minute, an older one the more rarely the older it is (a 24th of its age), and every hour once
more when its last receipt can have come.
"""

from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import asyncpg

from gateway.clock import Clock
from gateway.insight.search import first_id, last_id
from tenants.tables import HotConnection

KEPT: Final = timedelta(days=400)
"""A year and a month: enough to compare a month with the same one of last year."""
OVERLAP: Final = timedelta(minutes=2)
"""Longer than a transaction may stand open (60 s): a late commit's events are still seen."""
SETTLED_AFTER: Final = timedelta(hours=74)
"""72 h without a receipt end a message; then nothing more is expected to change."""
_HOUR: Final = timedelta(hours=1)
_AT_ONCE: Final = 100
_NAME: Final = "hours"

_LOCK: Final = "SELECT until FROM insight_progress WHERE name = $1 FOR UPDATE"
_PROGRESS: Final = """
    INSERT INTO insight_progress (name, until) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET until = excluded.until
"""
_DUE_AFTER: Final = "greatest(interval '30 seconds', ($1::timestamptz - excluded.hour) / 24)"
_MARK: Final = f"""
    INSERT INTO insight_marks AS m (tenant_id, hour, due_at)
    SELECT DISTINCT touched.tenant_id, touched.hour, $1::timestamptz FROM ({{touched}}) AS touched
    ORDER BY 1, 2
    ON CONFLICT (tenant_id, hour) DO UPDATE
    SET due_at = least(m.due_at, coalesce(m.counted_at + {_DUE_AFTER}, $1::timestamptz))
"""  # noqa: S608 - a constant of this module
_MARK_CHANGED: Final = _MARK.format(
    touched="""
        SELECT t.id AS tenant_id, date_trunc('hour', tollgate_uuid7_at(edge), 'UTC') AS hour
        FROM tenants t CROSS JOIN LATERAL (
            SELECT DISTINCT left(message_id::text, 10) AS begins FROM events
            WHERE tenant_id = t.id AND id >= $2 AND created_at >= $3 AND message_id IS NOT NULL
        ) four_seconds CROSS JOIN LATERAL (
            VALUES (rpad(begins, 13, '0')), (rpad(begins, 13, 'f'))
        ) edges (digits) CROSS JOIN LATERAL (
            SELECT (digits || '-7000-8000-000000000000')::uuid AS edge
        ) ids
    """
)
"""
Ids that are alike in the first 36 bits of their instant are of the same four seconds, whose both edges are
asked for their hour. Every event is seen by each round of two minutes; to read its own instant took ten times
as long.
"""
_MARK_ALL: Final = _MARK.format(
    touched="""
        SELECT tenant_id, date_trunc('hour', created_at, 'UTC') AS hour FROM messages
        WHERE created_at >= $2 AND NOT test
    """
)
_DUE: Final = """
    SELECT tenant_id, hour FROM insight_marks WHERE due_at <= $1
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_FORGET: Final = "DELETE FROM insight_hours WHERE tenant_id = $1 AND hour = $2"
_COUNTED: Final = """
    UPDATE insight_marks SET counted_at = $3::timestamptz,
        due_at = CASE WHEN $3::timestamptz < $4::timestamptz THEN $4::timestamptz END
    WHERE tenant_id = $1 AND hour = $2
"""

COUNT: Final = """
    SELECT tenant_id, date_trunc('hour', created_at, 'UTC') AS hour, country, type, unit,
        count(*)::int AS accepted, sum(parts)::int AS parts,
        count(dispatched_at)::int AS dispatched,
        count(*) FILTER (WHERE status IN ('scheduled', 'queued', 'dispatching'))::int AS waiting,
        count(*) FILTER (WHERE status = 'sent')::int AS pending,
        count(*) FILTER (WHERE status = 'delivered')::int AS delivered,
        count(*) FILTER (WHERE status = 'undelivered')::int AS undelivered,
        count(*) FILTER (WHERE status = 'failed')::int AS failed,
        count(*) FILTER (WHERE status = 'expired')::int AS expired,
        count(*) FILTER (WHERE status = 'canceled')::int AS canceled,
        count(*) FILTER (WHERE status = 'unknown')::int AS unknown,
        count(*) FILTER (
            WHERE reason_code IN ('blocked_by_recipient', 'blocked_by_carrier', 'spam'))::int AS blocked,
        count(*) FILTER (WHERE feedback = 'received' AND dispatched_at IS NOT NULL)::int
            AS feedback_received,
        count(*) FILTER (WHERE feedback = 'failed' AND dispatched_at IS NOT NULL)::int AS feedback_failed,
        sum(price_estimated)::bigint AS spent,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY receipt_ms) AS receipt_p50_ms,
        percentile_disc(0.95) WITHIN GROUP (ORDER BY receipt_ms) AS receipt_p95_ms
    FROM (
        SELECT *, CASE WHEN status IN ('delivered', 'undelivered') AND final_at >= dispatched_at
            THEN (extract(epoch FROM final_at - dispatched_at) * 1000)::bigint END AS receipt_ms
        FROM messages WHERE {of} AND NOT test
    ) AS m
    GROUP BY 1, 2, 3, 4, 5
"""
"""One row per group of an hour, from the messages; `{of}` says of which."""
_COLUMNS: Final = (
    "tenant_id, hour, country, type, unit, accepted, parts, dispatched, waiting, pending, delivered, "
    "undelivered, failed, expired, canceled, unknown, blocked, feedback_received, feedback_failed, spent, "
    "receipt_p50_ms, receipt_p95_ms"
)
_INSERT: Final = f"INSERT INTO insight_hours ({_COLUMNS}) " + COUNT.format(
    of="tenant_id = $1 AND id BETWEEN $2 AND $3 AND created_at >= $4 AND created_at < $5"
)


class Hours:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def keep(self) -> int:
        """Mark the hours that have changed, and count those that are due; returns how many were counted."""
        await self._mark()
        counted = 0
        while done := await self._count():
            counted += done
        return counted

    async def forget(self) -> None:
        """Delete hours that are kept no longer."""
        before = self._clock.now() - KEPT
        await self._pool.execute("DELETE FROM insight_hours WHERE hour < $1", before)
        await self._pool.execute("DELETE FROM insight_marks WHERE hour < $1", before)

    async def _mark(self) -> None:
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            until = cast("datetime | None", await connection.fetchval(_LOCK, _NAME))
            if until is None:
                await connection.execute(_MARK_ALL, now, now - KEPT)
            else:
                since = until - OVERLAP
                await connection.execute(_MARK_CHANGED, now, first_id(since), since)
            await connection.execute(_PROGRESS, _NAME, now)

    async def _count(self) -> int:
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            due = await connection.fetch(_DUE, now, _AT_ONCE)
            for mark in due:
                await _count_hour(connection, mark["tenant_id"], mark["hour"], now)
        return len(due)


async def _count_hour(connection: HotConnection, tenant_id: UUID, hour: datetime, now: datetime) -> None:
    """Put a fresh count in the place of an hour's; its mark is locked, so nobody else counts it now."""
    end = hour + _HOUR
    await connection.execute(_FORGET, tenant_id, hour)
    await connection.execute(_INSERT, tenant_id, first_id(hour), last_id(end), hour, end)
    await connection.execute(_COUNTED, tenant_id, hour, now, hour + SETTLED_AFTER)
