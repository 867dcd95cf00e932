"""
From a claim to its calls: mark in Postgres, start the calls, give up the leases in Redis.

It runs beside the claims, which therefore never wait for Postgres. Marks are made one after another, so the
calls begin in the order in which the lanes gave the messages out.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.dispatch.mark import MarkedMessage, mark
from gateway.dispatch.room import Room
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from tenants.ids import new_uuid

_log = structlog.get_logger(__name__)

_PAUSE_S = 0.5


class Handover:
    """Turns claimed messages of one route into calls; the places they need are taken when they come in."""

    def __init__(
        self,
        *,
        route: str,
        lanes: Lanes,
        pool: "asyncpg.Pool[asyncpg.Record]",
        clock: Clock,
        room: Room,
        call: Callable[[MarkedMessage, float], Coroutine[None, None, None]],
    ) -> None:
        self._route = route
        self._lanes = lanes
        self._pool = pool
        self._clock = clock
        self._room = room
        self._call = call
        self._worker = new_uuid()
        self._marking = asyncio.Lock()
        self._able = asyncio.Event()
        self._able.set()
        self._fault: BaseException | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def able(self) -> None:
        """
        Wait while marks fail: what is claimed meanwhile could not be sent.

        Raises:
            Exception: A hand-over ended in a way that nobody expected; the dispatcher must not go on.
        """
        await self._able.wait()
        if self._fault is not None:
            raise self._fault

    def begin(self, claimed: Sequence[ClaimedMessage]) -> None:
        """Take over a claim; its places are given back as its calls end."""
        self._room.take(len(claimed))
        self._start(self._hand_over([message.message_id for message in claimed]), self._handed_over)

    async def drained(self) -> None:
        """Return when everything taken over is marked, called and given up."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _hand_over(self, ids: Sequence[UUID]) -> None:
        await fp(FaultPoint.WORKER_AFTER_CLAIM)
        try:
            async with self._marking:
                await self._mark_and_call(ids)
        except DATABASE_FAULTS as error:
            # What was claimed stays leased in Redis and is claimed again when the lease is over.
            _log.warning("mark_failed", route=self._route, error=str(error))
            await self._rest()
            self._room.give_back(len(ids))
            return
        try:
            await self._lanes.settle(self._route, ids)
        except RedisUnavailable as error:
            # The leases run out and the messages are claimed again; their marks turn the second claim away.
            _log.warning("settle_failed", route=self._route, error=str(error))

    async def _mark_and_call(self, ids: Sequence[UUID]) -> None:
        async with self._pool.acquire() as connection:
            before_mark = time.monotonic()
            marked = await mark(connection, ids, worker=self._worker, now=self._clock.now())
        await fp(FaultPoint.WORKER_AFTER_MARK)
        for message in marked:
            self._start(self._call(message, before_mark), self._called)
        self._room.give_back(len(ids) - len(marked))

    async def _rest(self) -> None:
        self._able.clear()
        await asyncio.sleep(_PAUSE_S)
        self._able.set()

    def _start(self, work: Coroutine[None, None, None], ended: Callable[[asyncio.Task[None]], None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(ended)

    def _handed_over(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = error

    def _called(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._room.give_back()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The mark stands; when its lease is over the attempt is unknown, which is what it is.
            _log.error("call_broken", route=self._route, exc_info=error)
