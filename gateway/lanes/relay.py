"""
The relay: pushes what a dead process committed and did not push, and queues what has become due.

Batches are found by their state and locked with SKIP LOCKED, never read by `id > cursor`: commits do not
come in the order of ids, and a cursor was measured to lose four rows in ten.
"""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog

from gateway.clock import Clock
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import LaneEntry
from gateway.lanes.lanes import Lanes
from tenants.ids import new_uuid
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

LEFT_BEHIND = timedelta(seconds=3)
"""A living process pushes within milliseconds of its commit."""
_MOST = 1_000

_DUE = """
    UPDATE dispatch_queue SET state = 'queued', due_at = $1
    WHERE message_id IN (
        SELECT message_id FROM dispatch_queue WHERE state = 'scheduled' AND due_at <= $1
        ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING message_id, lane
"""
_LEFT = """
    SELECT id, message_ids FROM outbox_batches WHERE created_at < $1
    ORDER BY created_at LIMIT 50 FOR UPDATE SKIP LOCKED
"""
_KEEP = "UPDATE outbox_batches SET message_ids = $2, created_at = $3 WHERE id = $1"
"""What was not taken goes to the end of the line: a route without lanes must not hold the others' up, and
what was taken must not be pushed again each second."""
_SHOW_QUEUED = """
    UPDATE messages SET status = 'queued' WHERE id = ANY($1::uuid[]) AND status = 'scheduled'
"""


class Relay:
    """One round at a time; any number of processes may run one."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", lanes: Lanes, clock: Clock) -> None:
        self._pool = pool
        self._lanes = lanes
        self._clock = clock

    async def queue_due(self) -> int:
        """
        Queue what was scheduled for now, or may be tried again now.

        The outbox batch is written with the change of state, so a crash before the push loses nothing.
        """
        batch_id = new_uuid()
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_DUE, self._clock.now(), _MOST)
            if not rows:
                return 0
            ids = [row["message_id"] for row in rows]
            await connection.execute(_SHOW_QUEUED, ids)
            await connection.execute(
                "INSERT INTO outbox_batches (id, message_ids) VALUES ($1, $2)", batch_id, ids
            )
        await fp(FaultPoint.RELAY_BEFORE_PUSH)
        if not await self._lanes.push([msgspec.convert(row["lane"], LaneEntry) for row in rows]):
            await fp(FaultPoint.RELAY_AFTER_PUSH)
            await self._pool.execute("DELETE FROM outbox_batches WHERE id = $1", batch_id)
        return len(rows)

    async def push_left_behind(self) -> int:
        """Push the batches whose process did not; returns how many messages."""
        async with self._pool.acquire() as connection, connection.transaction():
            batches = await connection.fetch(_LEFT, self._now() - LEFT_BEHIND)
            pushed = 0
            for batch in batches:
                pushed += await self._push(connection, batch["id"], batch["message_ids"])
        if pushed:
            _log.warning("relay_pushed", messages=pushed, batches=len(batches))
        return pushed

    async def _push(self, connection: HotConnection, batch_id: UUID, message_ids: list[UUID]) -> int:
        rows = await connection.fetch(
            "SELECT lane FROM dispatch_queue WHERE message_id = ANY($1::uuid[]) AND state = 'queued'",
            message_ids,
        )
        await fp(FaultPoint.RELAY_BEFORE_PUSH)
        left = await self._lanes.push([msgspec.convert(row["lane"], LaneEntry) for row in rows])
        await fp(FaultPoint.RELAY_AFTER_PUSH)
        if left:
            await connection.execute(_KEEP, batch_id, [entry.message_id for entry in left], self._now())
        else:
            await connection.execute("DELETE FROM outbox_batches WHERE id = $1", batch_id)
        return len(rows) - len(left)

    def _now(self) -> datetime:
        return self._clock.now()
