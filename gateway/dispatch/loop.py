"""
The dispatcher of one route: claim → mark → call once → record.

No transaction is open during a call. A claim is at most what is free in flight, so what a kill leaves
unknown is what was on the wire, not what was waiting. SIGTERM stops the claims and lets the calls end.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence

import asyncpg
import structlog

from gateway.carrier.ports import Carrier, NotSent, OutboundText, Sent
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.dispatch.mark import MarkedMessage, mark
from gateway.dispatch.record import Expired, Recorder
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import Claimed
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.messages.keys import DataKeys, body_context, number_context
from gateway.telemetry import metrics
from tenants.errors import TenantsError
from tenants.ids import created_at, new_uuid

_log = structlog.get_logger(__name__)

_GATHER_S = 0.01
_IDLE_S = 1.0
_PAUSE_S = 0.5
_MIN_TTL_S = 5
"""AWS's least TimeToLive; a message with less life left is not sent."""
_MAX_TTL_S = 259_200
_NOT_OPENED_MS = 30_000
_MARK_IS_FRESH_S = 5.0
"""A worker that was stopped for longer than this after its mark must not send: the lease may be over."""


_NOTHING_LEFT = Claimed(messages=[], epoch_missing=True)
"""What a memory that was not filled by us has to offer, whatever stands in it."""


class Dispatcher:
    """Sends one route's messages, at most `in_flight` at a time."""

    def __init__(
        self,
        *,
        route: str,
        carrier: Carrier,
        lanes: Lanes,
        pool: "asyncpg.Pool[asyncpg.Record]",
        keys: DataKeys,
        recorder: Recorder,
        clock: Clock,
        in_flight: int,
    ) -> None:
        self._route = route
        self._carrier = carrier
        self._lanes = lanes
        self._pool = pool
        self._keys = keys
        self._recorder = recorder
        self._clock = clock
        self._worker = new_uuid()
        self._free = in_flight
        self._most = max(1, in_flight // 2)
        self._enough = max(1, in_flight // 4)
        self._room = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()
        self._memory_seen = False

    async def run(self) -> None:
        """Dispatch until cancelled, then wait for the calls under way and their records."""
        try:
            while True:
                await self._wait_for_room()
                await self._step()
        finally:
            await asyncio.shield(self._drain())

    async def _step(self) -> None:
        try:
            claimed = await _whole(self._take()) if await self._same_memory() else _NOTHING_LEFT
            if claimed.epoch_missing:
                if await rebuild(self._lanes, self._pool, self._route) is None:
                    await asyncio.sleep(_PAUSE_S)  # another process is at it
            elif not claimed.messages:
                await self._lanes.wait_for_work(self._route, _sleep_s(claimed))
        except RedisUnavailable as error:
            self._memory_seen = False
            _log.warning("claim_failed", route=self._route, error=str(error))
            await asyncio.sleep(_PAUSE_S)
        except DATABASE_FAULTS as error:
            # What was claimed stays leased in Redis and is claimed again when the lease is over.
            _log.warning("mark_failed", route=self._route, error=str(error))
            await asyncio.sleep(_PAUSE_S)

    async def _same_memory(self) -> bool:
        """Look once after each connection that was lost whether Redis still is the one that was filled."""
        if not self._memory_seen:
            self._memory_seen = await self._lanes.remembers(self._route)
        return self._memory_seen

    async def _take(self) -> Claimed:
        claimed = await self._lanes.claim(self._route, min(self._free, self._most))
        if claimed.messages:
            await self._dispatch(claimed)
        return claimed

    async def _dispatch(self, claimed: Claimed) -> None:
        await fp(FaultPoint.WORKER_AFTER_CLAIM)
        ids = [message.message_id for message in claimed.messages]
        async with self._pool.acquire() as connection:
            marked = await mark(connection, ids, worker=self._worker, now=self._clock.now())
        await fp(FaultPoint.WORKER_AFTER_MARK)
        self._start_calls(marked)
        await self._lanes.settle(self._route, ids)

    def _start_calls(self, marked: Sequence[MarkedMessage]) -> None:
        marked_at = time.monotonic()
        self._free -= len(marked)
        for message in marked:
            task = asyncio.create_task(self._call(message, marked_at))
            self._calls.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The mark stands; when its lease is over the attempt is unknown, which is what it is.
            _log.error("call_broken", route=self._route, exc_info=error)
        self._free += 1
        self._room.set()

    async def _call(self, message: MarkedMessage, marked_at: float) -> None:
        ttl_s = int((message.expires_at - self._clock.now()).total_seconds())
        if ttl_s < _MIN_TTL_S:
            self._recorder.put(message, Expired())
            return
        try:
            text = await self._text(message, ttl_s)
        except (TenantsError, *DATABASE_FAULTS) as error:
            _log.error("message_not_opened", message_id=str(message.message_id), error=str(error))
            self._recorder.put(message, NotSent(reason="not_opened", retry_after_ms=_NOT_OPENED_MS))
            return
        if time.monotonic() - marked_at > _MARK_IS_FRESH_S:
            self._recorder.put(message, NotSent(reason="mark_too_old", retry_after_ms=0))
            return
        with (
            metrics.DISPATCH_IN_FLIGHT_CALLS.labels(self._route).track_inprogress(),
            metrics.DISPATCH_CALL_SECONDS.labels(self._route).time(),
        ):
            await fp(FaultPoint.WORKER_BEFORE_CALL)
            outcome = await self._carrier.send(text)
            await fp(FaultPoint.WORKER_AFTER_AWS)
        if isinstance(outcome, Sent):
            waited = self._clock.now() - created_at(message.message_id)
            metrics.QUEUE_WAIT_SECONDS.labels(message.type).observe(waited.total_seconds())
        self._recorder.put(message, outcome)

    async def _text(self, message: MarkedMessage, ttl_s: int) -> OutboundText:
        key = await self._keys.of(message.tenant_id)
        return OutboundText(
            message_id=message.message_id,
            attempt=message.attempt,
            destination=key.open(message.to_sealed, context=number_context(message.message_id)).decode(),
            body=key.open(message.body_sealed or b"", context=body_context(message.message_id)).decode(),
            origination_identity=message.sender_arn,
            promotional=message.type == "promotional",
            configuration_set=message.configuration_set,
            max_price_micros=message.max_price_micros,
            ttl_s=min(ttl_s, _MAX_TTL_S),
            context=message.context or {},
        )

    async def _wait_for_room(self) -> None:
        """
        Wait for a quarter of the room, or a moment longer for any.

        A claim takes at most half of the room, so that one half is on the wire while the next is claimed
        and marked; and it is worth its transaction, which a claim for a single free place is not.
        """
        if self._free >= self._enough:
            return
        try:
            async with asyncio.timeout(_GATHER_S):
                await self._room_of(self._enough)
        except TimeoutError:
            await self._room_of(1)

    async def _room_of(self, places: int) -> None:
        while self._free < places:
            self._room.clear()
            await self._room.wait()

    async def _drain(self) -> None:
        if self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)
        await self._recorder.drained()


async def _whole(taking: Coroutine[None, None, Claimed]) -> Claimed:
    """
    Let a claim go through to its calls before a cancel is heard.

    Cut off in the middle, messages would be claimed or marked and sent by nobody: half a minute late, or
    unknown, at every deployment.
    """
    task = asyncio.ensure_future(taking)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


def _sleep_s(claimed: Claimed) -> float:
    return _IDLE_S if claimed.next_open_ms is None else min(_IDLE_S, claimed.next_open_ms / 1000)
