"""
Carrying bodies to endpoints, with the retry rules of SNS.

A 2xx is delivered, a 4xx is given up at once, anything else (another status, a refused connection, a timeout)
is tried again as the subscription's delivery policy says, or else ``retries`` times, ``retry_delay_s`` apart.
Connections are kept alive and deliveries run side by side up to a limit; what is over it waits in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import aiohttp
import msgspec

from gateway.emulator.sns.delivery_policy import HealthyRetryPolicy
from gateway.emulator.stats import Stats
from gateway.emulator.timeline import Timeline

UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What a delivery that gets no answer raises; ValueError is an endpoint that is no URL."""

IDLE_CONNECTION_S = 2.0
"""Less than servers usually keep an idle connection, so that few are closed under a delivery."""

OK, REDIRECT, CLIENT_ERROR, SERVER_ERROR = 200, 300, 400, 500


class Parcel(msgspec.Struct, gc=True):
    """One body on its way to one endpoint."""

    url: str
    headers: dict[str, str]
    body: bytes
    done: Callable[[bool], None]
    """Called once, with whether it arrived."""
    attempts: int = 0
    retried_by_sender: bool = False
    """The sender has its own plan for a failure."""
    policy: HealthyRetryPolicy | None = None
    """How the subscription wants to be retried; None for the courier's own rules."""


class CourierRules(msgspec.Struct, frozen=True):
    """How hard delivery is tried."""

    retries: int
    retry_delay_s: float
    timeout_s: float
    connections: int


class Courier:
    """Delivers parcels over HTTP."""

    def __init__(self, rules: CourierRules, timeline: Timeline, stats: Stats) -> None:
        self._rules = rules
        self._timeline = timeline
        self._stats = stats
        self._waiting: deque[Parcel] = deque()
        self._runners: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def send(self, parcel: Parcel) -> None:
        """Deliver a parcel as soon as a connection is free."""
        if self._closed:
            return
        self._waiting.append(parcel)
        if len(self._runners) < self._rules.connections:
            runner = asyncio.get_running_loop().create_task(self._run())
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)

    def waiting(self) -> int:
        """Return how many parcels wait for a connection or are under way."""
        return len(self._waiting) + len(self._runners)

    async def close(self) -> None:
        """Stop delivering; what was not delivered is known to the journal."""
        self._closed = True
        for runner in list(self._runners):
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _run(self) -> None:
        while self._waiting:
            parcel = self._waiting.popleft()
            parcel.attempts += 1
            self._stats.delivery_attempts += 1
            self._settle(parcel, await self._attempt(parcel))

    async def _attempt(self, parcel: Parcel) -> int | None:
        """Return the status of the answer, or None if there was none."""
        try:
            return await self._post(parcel)
        except aiohttp.ClientConnectorError:
            return None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return await self._again_on_a_fresh_connection(parcel)
        except UNREACHABLE:
            return None

    async def _again_on_a_fresh_connection(self, parcel: Parcel) -> int | None:
        """Repeat what an endpoint cut off: it closed an idle connection while this was on its way."""
        try:
            return await self._post(parcel)
        except UNREACHABLE:
            return None

    async def _post(self, parcel: Parcel) -> int:
        async with self._open_session().post(
            parcel.url, data=parcel.body, headers=parcel.headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status

    def _settle(self, parcel: Parcel, status: int | None) -> None:
        if status is not None and OK <= status < REDIRECT:
            parcel.done(True)  # noqa: FBT003 - callbacks have no names to give
        elif (status is not None and CLIENT_ERROR <= status < SERVER_ERROR) or (
            delay_s := self._delay_s(parcel)
        ) is None:
            parcel.done(False)  # noqa: FBT003 - same
        else:
            self._timeline.after(delay_s * 1000.0, lambda: self.send(parcel))

    def _delay_s(self, parcel: Parcel) -> float | None:
        """Return the pause before the next try, or None when there is none."""
        if parcel.retried_by_sender:
            return None
        if parcel.policy is not None:
            return parcel.policy.delay_s(parcel.attempts)
        return self._rules.retry_delay_s if parcel.attempts <= self._rules.retries else None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._rules.connections, keepalive_timeout=IDLE_CONNECTION_S
                ),
                timeout=aiohttp.ClientTimeout(total=self._rules.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session
