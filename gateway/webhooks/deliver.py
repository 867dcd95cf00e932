"""
The webhook senders: due deliveries are leased, posted, and their outcome recorded.

A delivery is leased by moving its next attempt a little into the future, so a sender that dies gives it
back by doing nothing; every event is posted at least once. An endpoint that is paused, or has no room left,
holds its deliveries outside the line of what is due; they are fetched when its turn comes.
"""

import asyncio
from functools import partial

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.engine import connect
from gateway.db.faults import DATABASE_FAULTS
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.outbox import WAKE_CHANNEL
from gateway.webhooks.due import DueDelivery, give_up, lease_due, release
from gateway.webhooks.gatekeeper import Gatekeeper
from gateway.webhooks.places import Place, Places
from gateway.webhooks.posting import Poster, Unreadable
from gateway.webhooks.recorder import Recorder

_log = structlog.get_logger(__name__)

_CLAIM = 128
_POLL_S = 1.0
_RETRY_S = 0.5
_CROWDED_S = 0.1
"""Between two looks at what is due while there was more of it than room."""
_GATHER_S = 0.02
"""Between a word of new events and the lease: what comes meanwhile shares its transaction."""


class WebhookSender:
    """Posts what is due; any number of processes may run one."""

    def __init__(
        self,
        *,
        pool: "asyncpg.Pool[asyncpg.Record]",
        database_url: str,
        poster: Poster,
        clock: Clock,
        in_flight: int,
    ) -> None:
        self._pool = pool
        self._database_url = database_url
        self._poster = poster
        self._clock = clock
        self._places = Places(in_flight)
        self._gatekeeper = Gatekeeper(pool, clock)
        self._recorder = Recorder(pool)
        self._short = False
        """More was due than there was room for, so the end of a post is worth a look."""
        self._wake = asyncio.Event()
        self._posts: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Send until cancelled; posts under way are then finished and recorded."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                group.create_task(self._recorder.run())
                group.create_task(self._send_forever())
        finally:
            await self._give_back()
            if self._posts:
                await asyncio.gather(*self._posts, return_exceptions=True)
            await self._recorder.finish()

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
                is_more = await self._lease() if self._places.free() > 0 else False
                await self._fetch_held()
            except DATABASE_FAULTS as error:
                _log.warning("webhook_lease_failed", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            self._begin_ready()
            if not is_more:
                await self._pause(_CROWDED_S if self._short else _POLL_S)

    async def _pause(self, longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_GATHER_S)

    async def _lease(self) -> bool:
        """Take what is due and has room; True if more may be due that has room, too."""
        limit = min(self._places.free(), _CLAIM)
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                due = await lease_due(connection, now=self._clock.now(), limit=limit)
            if due:
                await fp(FaultPoint.WEBHOOKS_AFTER_LEASE)
            let_in, shut = await self._gatekeeper.sort(connection, due)
            await self._gatekeeper.hold(connection, [*shut, *self._places.line_up(let_in)])
        self._begin_ready()
        self._short = len(due) == limit
        return self._short and self._places.free() > 0

    async def _fetch_held(self) -> None:
        found = await self._gatekeeper.fetch(self._places)
        if not found:
            return
        await fp(FaultPoint.WEBHOOKS_AFTER_LEASE)
        excess = self._places.line_up(found)
        if excess:
            async with self._pool.acquire() as connection:
                await self._gatekeeper.hold(connection, excess)

    def _begin_ready(self) -> None:
        for delivery in self._places.ready():
            place = self._places.take(delivery)
            task = asyncio.create_task(self._post(delivery))
            self._posts.add(task)
            task.add_done_callback(partial(self._ended, place))

    async def _post(self, delivery: DueDelivery) -> None:
        result = await self._poster.post(delivery)
        if isinstance(result, Unreadable):
            async with self._pool.acquire() as connection:
                await give_up(connection, [delivery], error="event_unreadable")
            return
        await fp(FaultPoint.WEBHOOKS_AFTER_POST)
        self._recorder.add(result)

    def _ended(self, place: Place, task: "asyncio.Task[None]") -> None:
        self._posts.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease runs out and the delivery comes again.
            _log.error("webhook_post_broken", exc_info=error)
        self._places.leave(place)
        if self._stopping:
            return
        self._begin_ready()
        needs_more = self._gatekeeper.serves(place.endpoint) and self._places.is_low(place.endpoint)
        if self._short or needs_more:
            self._wake.set()

    async def _give_back(self) -> None:
        """Let another sender have at once what waits here, when this one stops."""
        self._stopping = True
        waiting = self._places.empty_lines()
        if not waiting:
            return
        try:
            async with self._pool.acquire() as connection:
                await release(connection, waiting, at=self._clock.now())
        except DATABASE_FAULTS as error:
            _log.warning("webhooks_not_given_back", deliveries=len(waiting), error=str(error))
