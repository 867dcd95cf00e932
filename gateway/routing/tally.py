"""Counts what became of calls, per sender and per route, and adds it to Postgres once a second."""

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS

_log = structlog.get_logger(__name__)

CallResult = Literal["answered", "throttled", "failed", "unknown"]
_RESULTS: Final[tuple[CallResult, ...]] = ("answered", "throttled", "failed", "unknown")
BUCKET: Final = timedelta(seconds=5)
_EVERY_S: Final = 1.0
_ADD: Final = """
    INSERT INTO health_tallies AS t (subject_id, at, answered, throttled, failed, unknown)
    SELECT d.subject_id, $2, d.answered, d.throttled, d.failed, d.unknown
    FROM unnest($1::uuid[], $3::int[], $4::int[], $5::int[], $6::int[])
        AS d (subject_id, answered, throttled, failed, unknown)
    ORDER BY d.subject_id
    ON CONFLICT (subject_id, at) DO UPDATE SET answered = t.answered + excluded.answered,
        throttled = t.throttled + excluded.throttled, failed = t.failed + excluded.failed,
        unknown = t.unknown + excluded.unknown
"""


class CallTally:
    """One per dispatching process; a crash loses a second's counts, which no rate is the worse for."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._counts: Counter[tuple[UUID, CallResult]] = Counter()

    def count(self, subjects: Collection[UUID], result: CallResult) -> None:
        """Count one call for its sender and its route."""
        for subject in subjects:
            self._counts[subject, result] += 1

    async def run(self) -> None:
        """Write each second until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(_EVERY_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Add what was counted to Postgres; what it does not take is counted again next time."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        subjects = sorted({subject for subject, _ in counts})
        columns = ([counts[subject, result] for subject in subjects] for result in _RESULTS)
        try:
            await self._pool.execute(_ADD, subjects, bucket_of(self._clock.now()), *columns)
        except DATABASE_FAULTS as error:
            _log.warning("health_not_counted", error=str(error))
            self._counts.update(counts)


def bucket_of(instant: datetime) -> datetime:
    """Return the start of the five seconds an instant lies in."""
    return instant - timedelta(seconds=instant.timestamp() % BUCKET.total_seconds())
