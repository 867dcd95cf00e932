"""
From a claim to its calls: mark in Postgres, start the calls, give up the leases in Redis.

It runs beside the claims, which therefore never wait for Postgres. Marks are made one after another, so the
calls begin in the order in which the lanes gave the messages out.

A message that a lease ran out with is a suspect: whoever held it may have died of it. It is handed over alone
and its count in Postgres comes first (`quarantine`). A mark that Postgres did not answer is taken back as
soon as it answers again, for no call was made, and the messages return to the front of their lines: an outage
leaves neither unknowns nor suspects.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS, REFUSED_ROWS
from gateway.dispatch.mark import LEASE, MarkedMessage, mark, unmark
from gateway.dispatch.quarantine import count_tries, may_try, uncount_tries
from gateway.dispatch.room import Room
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.stored import UNREADABLE, set_aside
from tenants.ids import new_uuid

_log = structlog.get_logger(__name__)

_PAUSE_S = 0.5
_UNDO_WITHIN_S = 600.0
"""Longer than a database takes to fail over; nothing could be marked meanwhile."""


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
        call: Callable[[MarkedMessage, ClaimedMessage, float], Coroutine[None, None, None]],
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

    @property
    def marking(self) -> bool:
        """Whether a mark is under way: what comes now would wait for it."""
        return self._marking.locked()

    def begin(self, claimed: Sequence[ClaimedMessage]) -> None:
        """Take over a claim; its places are given back as its calls end."""
        self._room.take(len(claimed))
        if fresh := [message for message in claimed if message.claims == 1]:
            self._start(self._hand_over(fresh), self._handed_over)
        for suspect in (message for message in claimed if message.claims > 1):
            self._start(self._hand_over([suspect], suspicious=True), self._handed_over)

    async def drained(self) -> None:
        """Return when everything taken over is marked, called and given up."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _hand_over(self, claimed: Sequence[ClaimedMessage], *, suspicious: bool = False) -> None:
        await fp(FaultPoint.WORKER_AFTER_CLAIM)
        by_id = {message.message_id: message for message in claimed}
        now = self._clock.now()
        fallen: Sequence[ClaimedMessage] = claimed
        try:
            async with self._marking:
                if await self._counted(claimed, now, suspicious=suspicious):
                    fallen = await self._mark_and_call(by_id, now)
        except REFUSED_ROWS as error:
            await self._apart(claimed, error)
            return
        except DATABASE_FAULTS as error:
            _log.warning("mark_failed", route=self._route, error=str(error))
            await self._take_back(claimed, leased_until=now + LEASE)
            return
        if claimed[0].by_lanes:
            await self._settle(claimed, fallen)

    async def _settle(self, claimed: Sequence[ClaimedMessage], fallen: Sequence[ClaimedMessage]) -> None:
        """Give up the leases, and the place in line of what was canceled, expired or moved meanwhile."""
        try:
            await self._lanes.settle(self._route, [message.message_id for message in claimed])
            await self._lanes.fell_away(fallen)
        except RedisUnavailable as error:
            # The leases run out and the messages are claimed again; their marks turn the second claim away.
            _log.warning("settle_failed", route=self._route, error=str(error))

    async def _counted(self, claimed: Sequence[ClaimedMessage], now: datetime, *, suspicious: bool) -> bool:
        """Count what nobody else counts, before it can do harm; False where it has done enough."""
        if suspicious:
            return await self._may_try(claimed[0], now)
        if not claimed[0].by_lanes:
            async with self._pool.acquire() as connection:
                await count_tries(connection, [message.message_id for message in claimed])
        return True

    async def _may_try(self, suspect: ClaimedMessage, now: datetime) -> bool:
        async with self._pool.acquire() as connection:
            allowed = await may_try(connection, suspect.message_id, now=now)
        if not allowed:
            self._room.give_back()
        return allowed

    async def _mark_and_call(
        self, claimed: Mapping[UUID, ClaimedMessage], now: datetime
    ) -> Sequence[ClaimedMessage]:
        """Start the calls; returns those that will not be made, as the rows or the suspended tenant say."""
        await fp(FaultPoint.WORKER_BEFORE_MARK)
        identities = {message_id: message.identity for message_id, message in claimed.items()}
        async with self._pool.acquire() as connection:
            before_mark = time.monotonic()
            marked = await mark(
                connection,
                list(claimed),
                worker=self._worker,
                now=now,
                identities=identities,
                route=self._route,
            )
        await fp(FaultPoint.WORKER_AFTER_MARK)
        for message in marked:
            self._start(self._call(message, claimed[message.message_id], before_mark), self._called)
        called = {message.message_id for message in marked if not message.suspended}
        if len(called) == len(claimed):
            return ()
        self._room.give_back(len(claimed) - len(marked))
        return [message for message_id, message in claimed.items() if message_id not in called]

    async def _apart(self, claimed: Sequence[ClaimedMessage], error: Exception) -> None:
        """Mark each by itself, so that a row the database refuses does not hold up the others."""
        _log.error("mark_refused", route=self._route, messages=len(claimed), error=str(error))
        if len(claimed) > 1:
            for message in claimed:
                await self._hand_over([message])
            return
        self._room.give_back()
        await set_aside(self._pool, [claimed[0].message_id], reason=UNREADABLE)

    async def _take_back(self, claimed: Sequence[ClaimedMessage], *, leased_until: datetime) -> None:
        """
        Undo what may be marked, claim nothing meanwhile, and give the messages back.

        A mark whose lease is over while Postgres is away stays what it was: whoever counts it as unknown
        needs Postgres, too. If that one is first, it is an unknown, as after a death.
        """
        self._able.clear()
        try:
            await self._undo(claimed, leased_until)
            leased = [message for message in reversed(claimed) if message.by_lanes]
            await asyncio.gather(*(self._lanes.requeue(message, delay_ms=0) for message in leased))
        except RedisUnavailable as error:
            _log.warning("give_back_failed", route=self._route, error=str(error))
        finally:
            self._room.give_back(len(claimed))
            self._able.set()

    async def _undo(self, claimed: Sequence[ClaimedMessage], leased_until: datetime) -> None:
        last_try = time.monotonic() + _UNDO_WITHIN_S
        # The database tells nobody that it is back, so there is no event to wait for.
        while not await self._undone(claimed, leased_until) and time.monotonic() < last_try:  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_S)

    async def _undone(self, claimed: Sequence[ClaimedMessage], leased_until: datetime) -> bool:
        ids = [message.message_id for message in claimed]
        counted = [message.message_id for message in claimed if not message.by_lanes]
        try:
            async with self._pool.acquire() as connection:
                await unmark(
                    connection, ids, worker=self._worker, leased_until=leased_until, now=self._clock.now()
                )
                if counted:
                    await uncount_tries(connection, counted)
        except DATABASE_FAULTS as error:
            _log.warning("mark_not_undone", route=self._route, error=str(error))
            return False
        return True

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
