"""
The webhook senders: due deliveries are leased, posted, and their outcome recorded.

A delivery is leased by moving its next attempt a little into the future, so a sender that dies gives it
back by doing nothing; every event is posted at least once. One endpoint gets at most `_PER_ENDPOINT` posts
at a time, so a slow one cannot hold the others' room; what is leased beyond that waits in memory for a place,
which is cheaper than to give it back and lease it anew.
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.engine import connect
from gateway.db.faults import DATABASE_FAULTS
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.keys import DataKeys
from gateway.messages.outbox import WAKE_CHANNEL
from gateway.webhooks.client import WebhookClient
from gateway.webhooks.due import LEASE, DueDelivery, lease_due, postpone
from gateway.webhooks.payload import body_of
from gateway.webhooks.results import Result, write_results
from gateway.webhooks.schedule import Attempt
from gateway.webhooks.signing import signed_headers
from tenants.endpoints.service import live_secrets
from tenants.ids import encode

_log = structlog.get_logger(__name__)

_PER_ENDPOINT = 10
_WAITING_PER_ENDPOINT = 50
_WAITS_AT_MOST_S = LEASE.total_seconds() / 2
"""What has waited for longer is left to its lease: a post must end before another sender takes it."""
_CROWDED = timedelta(milliseconds=100)
_CLAIM = 128
_POLL_S = 1.0
_RETRY_S = 0.5
_GATHER_S = 0.02
"""Between a word of new events and the lease: what comes meanwhile shares its transaction."""
_LINGER_S = 0.025
"""Results gathered for this long share a commit; nobody waits for them."""
_RECORD_BATCH = 128


class WebhookSender:
    """Posts what is due; any number of processes may run one."""

    def __init__(
        self,
        *,
        pool: "asyncpg.Pool[asyncpg.Record]",
        database_url: str,
        client: WebhookClient,
        keys: DataKeys,
        clock: Clock,
        in_flight: int,
    ) -> None:
        self._pool = pool
        self._database_url = database_url
        self._client = client
        self._keys = keys
        self._clock = clock
        self._free = in_flight
        self._short = False
        """More was due than there was room for, so the end of a post is worth a look."""
        self._wake = asyncio.Event()
        self._busy: Counter[UUID] = Counter()
        self._lines: dict[UUID, deque[tuple[float, DueDelivery]]] = {}
        """By endpoint: what waits for one of its posts to end, with the monotonic time of its lease."""
        self._posts: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; posts under way are then finished and recorded."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                group.create_task(self._record_forever())
                group.create_task(self._send_forever())
        finally:
            await self._give_back()
            if self._posts:
                await asyncio.gather(*self._posts, return_exceptions=True)
            if self._results:
                await self._record(self._results)

    async def _listen(self) -> None:
        """Wake at once when an event is written; without the connection, the poll does it."""
        while True:
            try:
                connection = await connect(self._database_url, "worker")
                try:
                    await connection.add_listener(WAKE_CHANNEL, self._woken)
                    while not connection.is_closed():
                        await connection.fetchval("SELECT 1", timeout=5)
                        await asyncio.sleep(_POLL_S)
                finally:
                    await connection.close(timeout=1)
            except DATABASE_FAULTS as error:
                _log.warning("webhook_listener_lost", error=str(error))
            await asyncio.sleep(_POLL_S)

    def _woken(self, *_: object) -> None:
        self._wake.set()

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            try:
                is_more = await self._lease() if self._free > 0 else False
            except DATABASE_FAULTS as error:
                _log.warning("webhook_lease_failed", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if not is_more:
                await self._pause(_CROWDED.total_seconds() if self._short else _POLL_S)

    async def _pause(self, longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_GATHER_S)

    async def _lease(self) -> bool:
        """Begin the posts that are due and have room; True if more may be due that has room, too."""
        now = self._clock.now()
        limit = min(self._free, _CLAIM)
        async with self._pool.acquire() as connection, connection.transaction():
            due = await lease_due(connection, now=now, limit=limit)
            taken, waiting, crowded = self._admit(due)
            await postpone(connection, crowded, until=now + _CROWDED)
        if due:
            await fp(FaultPoint.WEBHOOKS_AFTER_LEASE)
        for delivery in waiting:
            self._lines.setdefault(delivery.endpoint.id, deque()).append((time.monotonic(), delivery))
        for delivery in taken:
            self._start(delivery)
        is_more = len(due) == limit
        self._short = is_more or bool(crowded)
        return is_more and len(crowded) < len(due) and self._free > 0

    def _admit(
        self, due: Sequence[DueDelivery]
    ) -> tuple[list[DueDelivery], list[DueDelivery], list[DueDelivery]]:
        """Split what was leased into what may be posted now, what may wait for it, and the rest."""
        busy = Counter(self._busy)
        room = _PER_ENDPOINT + _WAITING_PER_ENDPOINT
        held = Counter({endpoint: busy[endpoint] + len(line) for endpoint, line in self._lines.items()})
        taken: list[DueDelivery] = []
        waiting: list[DueDelivery] = []
        crowded: list[DueDelivery] = []
        for delivery in due:
            endpoint = delivery.endpoint.id
            if busy[endpoint] < _PER_ENDPOINT:
                busy[endpoint] += 1
                taken.append(delivery)
            else:
                held[endpoint] = max(held[endpoint], busy[endpoint]) + 1
                (waiting if held[endpoint] <= room else crowded).append(delivery)
        return taken, waiting, crowded

    def _start(self, delivery: DueDelivery) -> None:
        self._free -= 1
        self._busy[delivery.endpoint.id] += 1
        task = asyncio.create_task(self._post(delivery))
        self._posts.add(task)
        task.add_done_callback(partial(self._ended, delivery.endpoint.id))

    def _ended(self, endpoint: UUID, task: "asyncio.Task[None]") -> None:
        self._posts.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease runs out and the delivery comes again.
            _log.error("webhook_post_broken", exc_info=error)
        self._free += 1
        self._busy[endpoint] -= 1
        if not self._busy[endpoint]:
            del self._busy[endpoint]
        self._start_next(endpoint)
        if self._short:
            self._wake.set()

    def _start_next(self, endpoint: UUID) -> None:
        line = self._lines.get(endpoint)
        oldest = time.monotonic() - _WAITS_AT_MOST_S
        while line:
            leased_at, delivery = line.popleft()
            if leased_at > oldest:
                self._start(delivery)
                break
        if not line:
            self._lines.pop(endpoint, None)

    async def _give_back(self) -> None:
        """Let another sender have at once what waits here, when this one stops."""
        waiting = [delivery for line in self._lines.values() for _, delivery in line]
        self._lines.clear()
        if not waiting:
            return
        try:
            async with self._pool.acquire() as connection:
                await postpone(connection, waiting, until=self._clock.now())
        except DATABASE_FAULTS as error:
            _log.warning("webhooks_not_given_back", deliveries=len(waiting), error=str(error))

    async def _post(self, delivery: DueDelivery) -> None:
        attempt = await self._exchange(delivery)
        await fp(FaultPoint.WEBHOOKS_AFTER_POST)
        self._results.append(
            Result(
                delivery=delivery,
                attempt=attempt,
                at=self._clock.now(),
                jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            )
        )
        self._arrived.set()

    async def _exchange(self, delivery: DueDelivery) -> Attempt:
        key = await self._keys.of(delivery.tenant_id)
        now = self._clock.now()
        body = body_of(delivery.event, key)
        headers = signed_headers(
            live_secrets(delivery.endpoint, key, now=now),
            webhook_id=encode("evt", delivery.event.id),
            at=now,
            body=body,
        )
        headers["content-type"] = "application/json"
        return await self._client.post(
            delivery.tenant_id, delivery.endpoint.url, headers=headers, body=body.encode()
        )

    async def _record_forever(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_LINGER_S)
            batch, self._results = self._results[:_RECORD_BATCH], self._results[_RECORD_BATCH:]
            if not self._results:
                self._arrived.clear()
            await self._record(batch)

    async def _record(self, batch: Sequence[Result]) -> None:
        while batch:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await write_results(connection, batch)
                    await fp(FaultPoint.WEBHOOKS_IN_COMMIT)
            except DATABASE_FAULTS as error:
                _log.warning("webhook_record_failed", results=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return
