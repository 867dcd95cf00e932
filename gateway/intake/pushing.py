"""After the commit: into the lanes, then the outbox batch is done. Lost steps are the relay's."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import structlog

from gateway.db.faults import DATABASE_FAULTS
from gateway.faultpoints import FaultPoint, fp
from gateway.intake.commit import Decision, Stored
from gateway.intake.new_message import NewMessage
from gateway.lanes.entry import LaneEntry
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes

_log = structlog.get_logger(__name__)

_DONE_EVERY_S = 0.25


class LanePusher:
    """
    Pushes committed messages and forgets their outbox batches, a few hundred at a time.

    Nothing here may fail a send: the answer is already 202. If Redis is away, the batch row stays and the
    relay pushes it when Redis is back.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", lanes: Lanes) -> None:
        self._pool = pool
        self._lanes = lanes
        self._pushed: list[UUID] = []
        self._pushes: set[asyncio.Task[None]] = set()

    def committed(self, messages: Sequence[NewMessage], decisions: Sequence[Decision]) -> None:
        """Start the push of what one commit stored."""
        stored = [(m, d.batch_id) for m, d in zip(messages, decisions, strict=True) if isinstance(d, Stored)]
        batch_id = stored[0][1] if stored else None
        if batch_id is None:
            return
        entries = [message.entry for message, _ in stored if message.status == "queued"]
        task = asyncio.create_task(self._push(batch_id, entries))
        self._pushes.add(task)
        task.add_done_callback(self._pushes.discard)

    async def run(self) -> None:
        """Delete the batches that were pushed, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(_DONE_EVERY_S)
                await self._forget()
        finally:
            await asyncio.gather(*self._pushes, return_exceptions=True)
            await self._forget()

    async def _push(self, batch_id: UUID, entries: list[LaneEntry]) -> None:
        await fp(FaultPoint.PUSH_BEFORE)
        try:
            left = await self._lanes.push(entries) if entries else []
        except RedisUnavailable as error:
            _log.warning("lane_push_failed", batch_id=str(batch_id), messages=len(entries), error=str(error))
        else:
            await fp(FaultPoint.PUSH_AFTER)
            if not left:
                self._pushed.append(batch_id)

    async def _forget(self) -> None:
        if not self._pushed:
            return
        done, self._pushed = self._pushed, []
        try:
            await self._pool.execute("DELETE FROM outbox_batches WHERE id = ANY($1::uuid[])", done)
        except DATABASE_FAULTS as error:
            _log.warning("outbox_forget_failed", batches=len(done), error=str(error))
            self._pushed.extend(done)
