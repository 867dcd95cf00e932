"""
The relay: pushes what a dead process committed and did not push, and queues what has become due.

Batches are found by their state and locked with SKIP LOCKED, never read by `id > cursor`: commits do not
come in the order of ids, and a cursor was measured to lose four rows in ten.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from gateway.clock import Clock
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import LaneEntry
from gateway.lanes.lanes import Lanes
from gateway.lanes.stored import UNREADABLE, read_entries, set_aside
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
    RETURNING message_id, lane, waits_for
"""
_LEFT = """
    SELECT id, message_ids FROM outbox_batches WHERE created_at < $1
    ORDER BY created_at LIMIT 50 FOR UPDATE SKIP LOCKED
"""
_KEEP = "UPDATE outbox_batches SET message_ids = $2, created_at = $3 WHERE id = $1"
"""What was not taken goes to the end of the line: a route without lanes must not hold the others' up, and
what was taken must not be pushed again each second."""
_STILL_QUEUED = """
    SELECT message_id, lane, waits_for FROM dispatch_queue
    WHERE message_id = ANY($1::uuid[]) AND state = 'queued'
"""
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
            lines = await _lines(connection, rows)
        await fp(FaultPoint.RELAY_BEFORE_PUSH)
        if not await self._into_lanes(lines):
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
        rows = await connection.fetch(_STILL_QUEUED, message_ids)
        lines = await _lines(connection, rows)
        await fp(FaultPoint.RELAY_BEFORE_PUSH)
        left = await self._into_lanes(lines)
        await fp(FaultPoint.RELAY_AFTER_PUSH)
        if left:
            await connection.execute(_KEEP, batch_id, [entry.message_id for entry in left], self._now())
        else:
            await connection.execute("DELETE FROM outbox_batches WHERE id = $1", batch_id)
        return len(rows) - len(left)

    async def _into_lanes(self, lines: "_Lines") -> list[LaneEntry]:
        """
        Put new messages at the end of their lines and those that were tried before in front.

        Behind a campaign, a text that was throttled once would lose its place and perhaps its life. Returns
        what was not taken.
        """
        tried = lines.tried[::-1]  # each goes before the last, so the oldest has to be put there last
        taken = await asyncio.gather(*(self._lanes.requeue(entry, delay_ms=0) for entry in tried))
        without_place = [entry for entry, was_taken in zip(tried, taken, strict=True) if not was_taken]
        return await self._lanes.push(lines.new + without_place)

    def _now(self) -> datetime:
        return self._clock.now()


class _Lines(Struct, frozen=True):
    new: list[LaneEntry]
    tried: list[LaneEntry]
    """In the order of their ids, which is the order of their accept."""


async def _lines(connection: HotConnection, rows: Sequence[asyncpg.Record]) -> _Lines:
    """Return what is to be pushed; what cannot be read is set aside in the caller's transaction."""
    read = read_entries(sorted(rows, key=_accepted))
    await set_aside(connection, read.unreadable, reason=UNREADABLE)
    before = {row["message_id"] for row in rows if row["waits_for"] is not None}
    return _Lines(
        [entry for entry in read.entries if entry.message_id not in before],
        [entry for entry in read.entries if entry.message_id in before],
    )


def _accepted(row: asyncpg.Record) -> UUID:
    message_id: UUID = row["message_id"]
    return message_id
