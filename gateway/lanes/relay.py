"""
The relay: pushes what a dead process committed and did not push, and queues what has become due.

Batches are found by their state and locked with SKIP LOCKED, never read by `id > cursor`: commits do not
come in the order of ids, and a cursor was measured to lose four rows in ten.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from gateway.clock import Clock
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import LaneEntry
from gateway.lanes.errors import RedisUnavailable
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
_FORGET = "DELETE FROM outbox_batches WHERE id = $1"
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

        Raises:
            RedisUnavailable: They are queued, and none could be pushed; that is tried again.
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
        away: set[str] = set()
        left = await self._into_lanes(lines, away)
        await fp(FaultPoint.RELAY_AFTER_PUSH)
        await self._pool.execute(*self._after(batch_id, left))
        if len(left) == len(rows):
            _tell(away)
        return len(rows)

    async def push_left_behind(self) -> int:
        """
        Push the batches whose process did not; returns how many messages.

        Raises:
            RedisUnavailable: None could be pushed; they are tried again after those that came since.
        """
        away: set[str] = set()
        async with self._pool.acquire() as connection, connection.transaction():
            batches = await connection.fetch(_LEFT, self._now() - LEFT_BEHIND)
            pushed = 0
            for batch in batches:
                pushed += await self._push(connection, batch["id"], batch["message_ids"], away)
        if pushed:
            _log.warning("relay_pushed", messages=pushed, batches=len(batches))
        else:
            _tell(away)
        return pushed

    async def _push(
        self, connection: HotConnection, batch_id: UUID, message_ids: list[UUID], away: set[str]
    ) -> int:
        rows = await connection.fetch(_STILL_QUEUED, message_ids)
        lines = await _lines(connection, rows)
        await fp(FaultPoint.RELAY_BEFORE_PUSH)
        left = await self._into_lanes(lines, away)
        await fp(FaultPoint.RELAY_AFTER_PUSH)
        await connection.execute(*self._after(batch_id, left))
        return len(rows) - len(left)

    def _after(self, batch_id: UUID, left: Sequence[LaneEntry]) -> tuple[Any, ...]:
        """Return what becomes of a batch of which something was left, or nothing."""
        if left:
            return _KEEP, batch_id, [entry.message_id for entry in left], self._now()
        return _FORGET, batch_id

    async def _into_lanes(self, lines: "_Lines", away: set[str]) -> list[LaneEntry]:
        """
        Put messages into the lanes of their routes and return what was not taken.

        A node of a cluster that is away has the lanes of some routes; those of the others go on.

        Args:
            away: Routes whose Redis did not answer in this round, and is not asked again in it.
        """
        left: list[LaneEntry] = []
        for route, of_route in _by_route(lines).items():
            if route in away:
                left += of_route.all
                continue
            try:
                left += await self._into_route(of_route)
            except RedisUnavailable as error:
                _log.warning("relay_push_failed", route=route, error=str(error))
                away.add(route)
                left += of_route.all
        return left

    async def _into_route(self, lines: "_Lines") -> list[LaneEntry]:
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

    @property
    def all(self) -> list[LaneEntry]:
        return [*self.new, *self.tried]


async def _lines(connection: HotConnection, rows: Sequence[asyncpg.Record]) -> _Lines:
    """Return what is to be pushed; what cannot be read is set aside in the caller's transaction."""
    read = read_entries(sorted(rows, key=_accepted))
    await set_aside(connection, read.unreadable, reason=UNREADABLE)
    before = {row["message_id"] for row in rows if row["waits_for"] is not None}
    return _Lines(
        [entry for entry in read.entries if entry.message_id not in before],
        [entry for entry in read.entries if entry.message_id in before],
    )


def _tell(away: set[str]) -> None:
    if away:
        raise RedisUnavailable(f"nothing could be pushed into the lanes of {', '.join(sorted(away))}")


def _by_route(lines: _Lines) -> dict[str, _Lines]:
    found: dict[str, _Lines] = {}
    for entry in lines.new:
        found.setdefault(entry.route, _Lines([], [])).new.append(entry)
    for entry in lines.tried:
        found.setdefault(entry.route, _Lines([], [])).tried.append(entry)
    return found


def _accepted(row: asyncpg.Record) -> UUID:
    message_id: UUID = row["message_id"]
    return message_id
