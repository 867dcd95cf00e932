"""The round that judges senders and routes by their calls; any number of schedulers may run one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.routing.health import PROBE_BUCKETS, WINDOW, Health, Tally, next_health
from gateway.telemetry import metrics

_log = structlog.get_logger(__name__)

_KEPT: Final = timedelta(hours=1)
"""As long as the longest window of an alarm on throttling."""
_ONE_AT_A_TIME: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('tollgate.checkup', 0))"
_STATES: Final = "SELECT subject_id, kind, state, reason, since, hold_seconds FROM health_states FOR UPDATE"
_CALLS: Final = """
    WITH judged AS (
        SELECT t.* FROM health_tallies t LEFT JOIN health_states h ON h.subject_id = t.subject_id
        WHERE h.state IS DISTINCT FROM 'probing' AND t.at >= $1 AND (h.since IS NULL OR t.at >= h.since)
        UNION ALL
        SELECT probes.* FROM health_states h CROSS JOIN LATERAL (
            SELECT t.* FROM health_tallies t WHERE t.subject_id = h.subject_id AND t.at >= h.since
            ORDER BY t.at DESC LIMIT $2
        ) probes
        WHERE h.state = 'probing'
    )
    SELECT subject_id, sum(answered)::int AS answered, sum(throttled)::int AS throttled,
        sum(failed)::int AS failed, sum(unknown)::int AS unknown
    FROM judged GROUP BY subject_id
"""
"""
Whole buckets since it came into its state: those before hold what made it ill. Of a healthy one those of the
window; of a probing one the newest, however long its few probes took.
"""
_FORGET: Final = """
    DELETE FROM health_tallies t WHERE t.at < $1 AND NOT EXISTS (
        SELECT FROM health_states h WHERE h.subject_id = t.subject_id AND h.state = 'probing'
            AND t.at >= h.since AND t.at >= coalesce((
                SELECT n.at FROM health_tallies n WHERE n.subject_id = h.subject_id AND n.at >= h.since
                ORDER BY n.at DESC OFFSET $2 - 1 LIMIT 1
            ), h.since)
    )
"""
_WRITE: Final = """
    INSERT INTO health_states (subject_id, kind, state, reason, since, hold_seconds)
    SELECT d.id, CASE WHEN a.id IS NULL THEN 'sender' ELSE 'route' END, d.state, d.reason, d.since, d.hold
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::int[])
        AS d (id, state, reason, since, hold)
    LEFT JOIN aws_accounts a ON a.id = d.id
    ON CONFLICT (subject_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
        since = excluded.since, hold_seconds = excluded.hold_seconds
    RETURNING kind, subject_id, state, reason
"""
_ILL_NOW: Final = """
    SELECT kind, state, count(*)::int AS number FROM health_states WHERE state <> 'healthy' GROUP BY 1, 2
"""


class Checkup:
    """Reads the window, decides by `next_health`, writes what changed."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def look(self) -> int:
        """Do one round; returns how many changed."""
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_ONE_AT_A_TIME):
                return 0
            states = await connection.fetch(_STATES)
            calls = await connection.fetch(_CALLS, now - WINDOW, PROBE_BUCKETS)
            changed = _changes(states, calls, now)
            if changed:
                _tell(await connection.fetch(_WRITE, *_arrays(changed)))
            await self._show(connection)
        return len(changed)

    async def forget(self) -> None:
        """Delete counts that no window and no probing reaches any more."""
        await self._pool.execute(_FORGET, self._clock.now() - _KEPT, PROBE_BUCKETS)

    async def _show(self, connection: Any) -> None:
        metrics.ILL_SUBJECTS.clear()
        for row in await connection.fetch(_ILL_NOW):
            metrics.ILL_SUBJECTS.labels(kind=row["kind"], state=row["state"]).set(row["number"])


def _changes(
    states: Sequence[asyncpg.Record], calls: Sequence[asyncpg.Record], now: datetime
) -> Mapping[UUID, Health]:
    known = {row["subject_id"]: _health(row) for row in states}
    tallies = {row["subject_id"]: _tally(row) for row in calls}
    decided = {
        subject: next_health(known.get(subject, Health()), tallies.get(subject, Tally()), now)
        for subject in {*known, *tallies}
    }
    return {subject: after for subject, after in decided.items() if after != known.get(subject, Health())}


def _tally(row: asyncpg.Record) -> Tally:
    return Tally(**{name: row[name] for name in Tally.__struct_fields__})


def _health(row: asyncpg.Record) -> Health:
    return Health(
        state=row["state"],
        reason=row["reason"],
        since=row["since"],
        hold=timedelta(seconds=row["hold_seconds"]),
    )


def _arrays(changed: Mapping[UUID, Health]) -> tuple[list[Any], ...]:
    ids = sorted(changed)
    found = [changed[each] for each in ids]
    return (
        ids,
        [each.state for each in found],
        [each.reason for each in found],
        [each.since for each in found],
        [round(each.hold.total_seconds()) for each in found],
    )


def _tell(rows: Sequence[asyncpg.Record]) -> None:
    for row in rows:
        say = _log.warning if row["state"] == "unhealthy" else _log.info
        subject = str(row["subject_id"])
        say("health_changed", kind=row["kind"], subject=subject, state=row["state"], reason=row["reason"])
