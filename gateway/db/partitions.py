"""The keeper of partitions: months to come are made before they begin, old ones are dropped."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

_log = structlog.get_logger(__name__)

_MONTHS_AHEAD: Final = 3
_MOST_WAITING: Final = "SET LOCAL lock_timeout = '2s'"
"""A new month locks its table: whoever writes waits behind one that waits for a long reader."""
SHORTEST: Final = timedelta(days=31)
"""The feed of events and replays reach back 30 days."""


class Partitions:
    """
    One round at a time, by the scheduler.

    Args:
        kept: For how long, by table: `events`, `webhook_deliveries`, `webhook_attempts`; each at least
            `SHORTEST`. A month goes when its last day is that old. No other table is ever shortened.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", kept: Mapping[str, timedelta]) -> None:
        self._pool = pool
        self._kept = {table: max(span, SHORTEST) for table, span in kept.items()}

    async def keep(self, now: datetime) -> int:
        """Make what will be needed, drop what is not; returns how many months of tables were dropped."""
        await self._make()
        dropped = 0
        for table, span in self._kept.items():
            dropped += await self._dropped(table, now - span)
        return dropped

    async def _make(self) -> None:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_MOST_WAITING)
                await connection.execute("SELECT tollgate_make_partitions($1)", _MONTHS_AHEAD)
                await connection.execute("SELECT tollgate_leave_room()")
        except asyncpg.LockNotAvailableError:
            # There are months of rounds until it is needed, and one an hour.
            _log.warning("new_partitions_put_off", months_ahead=_MONTHS_AHEAD)

    async def _dropped(self, table: str, ended_before: datetime) -> int:
        try:
            count: int = await self._pool.fetchval(
                "SELECT tollgate_drop_partitions($1, $2)", table, ended_before
            )
        except asyncpg.LockNotAvailableError:
            # Somebody reads it for long; nobody shall wait behind us, and the next round is an hour away.
            _log.warning("old_partitions_in_use", table=table)
            return 0
        if count:
            _log.info("old_partitions_dropped", table=table, months=count)
        return count
