"""
How many sends protect rules refused, by tenant, day, configuration, country and rule.

A refusal stores nothing, so it must not wait for a database either: counts are kept in memory and added up in
Postgres once a second. A process that dies takes up to a second of counts with it; the gate itself forgets
nothing.
"""

import asyncio
from collections import Counter
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from gateway.admission.verdict import Admission, Refused
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS

_log = structlog.get_logger(__name__)

NOBODYS: Final = UUID(int=0)
"""Stands for "no configuration" in the key of a count."""
_EVERY_S: Final = 1.0
_ADD: Final = """
    INSERT INTO protect_refusals AS known (tenant_id, day, configuration_id, channel, country, rule, count)
    SELECT * FROM unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[])
    ON CONFLICT (tenant_id, day, configuration_id, channel, country, rule)
        DO UPDATE SET count = known.count + excluded.count
"""
_Key = tuple[UUID, date, UUID, str, str, str]


class ProtectTally:
    """One per web process; `run` beside it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._counts: Counter[_Key] = Counter()

    def count(self, admission: Admission, refused: Refused) -> None:
        """Count a refusal of the protect gate; any other gate's is none of this."""
        if refused.gate != "protect_blocked":
            return
        configuration = admission.protect or NOBODYS
        rule = refused.scope or "country_rule"
        day = self._clock.now().date()
        self._counts[admission.tenant_id, day, configuration, admission.channel, admission.country, rule] += 1

    async def run(self) -> None:
        """Write the counts down every second, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(_EVERY_S)
                await self._try_flush()
        finally:
            await self._try_flush()

    async def _try_flush(self) -> None:
        try:
            await self.flush()
        except DATABASE_FAULTS as error:
            _log.warning("protect_counts_waiting", kinds=len(self._counts), error=str(error))

    async def flush(self) -> None:
        """
        Add what was counted to Postgres; what could not be written is kept for the next time.

        Raises:
            asyncpg.PostgresError: Postgres did not take it.
        """
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        rows = sorted(counts.items())
        columns = [*zip(*(key for key, _ in rows), strict=True), [count for _, count in rows]]
        try:
            await self._pool.execute(_ADD, *(list(column) for column in columns))
        except BaseException:
            self._counts.update(counts)
            raise
