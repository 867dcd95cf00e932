"""
``python -m gateway.bench.load``: sends prepared requests over kept connections and measures the answers.

A process of its own, on bare asyncio protocols: the requests are whole byte strings made beforehand, so a
request costs the generator some 20 us and the machine belongs to what is measured.

It reads a `Job` as a line of JSON, connects, writes `"ready"`, waits for a line, runs, writes an `Outcome`.
"""

import asyncio
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from gateway.bench.http_wire import MessageReader, status_of
from gateway.bench.report import percentile
from gateway.errors import GatewayError

_MS = 1000.0
_TICK_S = 0.001
_LOST = 0
"""The status under which a connection that broke is counted."""


class WrongAnswers(GatewayError):
    """What was measured is not what the benchmark is about."""


class Job(Struct, frozen=True, kw_only=True):
    """One run."""

    requests: str
    """A file with a msgpack array of whole requests; the run ends early when they are used up."""
    targets: list[tuple[str, int]]
    """Host and port of each server; connections are dealt out evenly."""
    connections: int
    seconds: float
    warm_up_s: float = 0.5
    """The first part of the run, in which nothing is measured."""
    per_second: float | None = None
    """None: every connection sends its next request as soon as it has the answer. Else the pace of arrivals;
    the latency then counts from the instant at which the request was due."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What a run measured; `completed` and `statuses` are of the whole run, the rest without the warm-up."""

    completed: int
    statuses: dict[int, int]
    per_second: float
    p50_ms: float
    p99_ms: float
    elapsed_s: float
    """Of the whole run."""
    began_at_ms: float
    """Epoch milliseconds; with a pace, request `n` (from 0) was due `n / per_second` later."""
    cpu_s: float
    """The generator's own."""

    def require(self, status: int, count: int | None = None) -> None:
        """
        Insist on one status for every request; a rate of refusals would look splendid.

        Raises:
            WrongAnswers: There were others, or not `count` of them.
        """
        if set(self.statuses) != {status} or count not in {None, self.completed}:
            raise WrongAnswers(f"wanted {count or 'only'} answers {status}, got {self.statuses}")


class _Connection(asyncio.Protocol):
    def __init__(self, load: "Load") -> None:
        self._load = load
        self._reader = MessageReader()
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases

    def send(self, request: bytes, due: float) -> None:
        assert self._transport is not None  # noqa: S101 - the load sends after connecting
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        for head, _ in self._reader.feed(data):
            self._load.answered(self, status_of(head), self._due)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._load.lost()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Load:
    """One run over its connections."""

    def __init__(self, job: Job, requests: list[bytes]) -> None:
        self._job = job
        self._requests = iter(requests)
        self._connections: list[_Connection] = []
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        self._statuses: Counter[int] = Counter()
        self._ended_at: list[float] = []
        self._latencies: list[float] = []
        self._in_flight = 0
        self._open = True
        self._deadline = 0.0
        self._done = asyncio.Event()
        self._began_at_ms = 0.0

    async def connect(self) -> None:
        """Open every connection."""
        loop = asyncio.get_running_loop()
        for number in range(self._job.connections):
            host, port = self._job.targets[number % len(self._job.targets)]
            _, connection = await loop.create_connection(lambda: _Connection(self), host, port)
            self._connections.append(connection)

    async def run(self) -> Outcome:
        """Send until the time or the requests are over, then wait for the last answers."""
        started, cpu = time.perf_counter(), time.process_time()
        self._began_at_ms = time.time() * _MS
        self._deadline = started + self._job.seconds
        self._idle.extend(self._connections)
        if self._job.per_second is None:
            for connection in self._connections:
                self._send(connection, time.perf_counter())
        else:
            await self._pace(started, self._job.per_second)
        await self._done.wait()
        for connection in self._connections:
            connection.close()
        return self._outcome(started, time.process_time() - cpu)

    def answered(self, connection: _Connection, status: int, due: float) -> None:
        """Note an answer and use its connection again."""
        now = time.perf_counter()
        self._in_flight -= 1
        self._statuses[status] += 1
        self._ended_at.append(now)
        self._latencies.append(now - due)
        if self._job.per_second is None:
            self._send(connection, now)
        elif self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)
            self._finish_if_idle()

    def lost(self) -> None:
        """Count a connection that broke while it was needed."""
        if not self._done.is_set():
            self._statuses[_LOST] += 1
            self._done.set()

    async def _pace(self, started: float, per_second: float) -> None:
        sent = 0
        while self._open and (now := time.perf_counter()) < self._deadline:
            while self._open and (due := started + sent / per_second) <= now:
                sent += 1
                if self._idle:
                    self._send(self._idle.popleft(), due)
                else:
                    self._waiting.append(due)
            await asyncio.sleep(_TICK_S)
        self._open = False
        self._finish_if_idle()

    def _send(self, connection: _Connection, due: float) -> None:
        request = None
        if self._job.per_second is not None or due < self._deadline:
            request = next(self._requests, None)
        if request is None:
            self._open = False
            self._waiting.clear()
            self._finish_if_idle()
            return
        self._in_flight += 1
        connection.send(request, due)

    def _finish_if_idle(self) -> None:
        if not self._open and not self._in_flight and not self._waiting:
            self._done.set()

    def _outcome(self, started: float, cpu_s: float) -> Outcome:
        measured_from = started + self._job.warm_up_s
        last = max(self._ended_at, default=started)
        until = min(last, self._deadline)
        window = [at for at in self._ended_at if measured_from <= at <= until]
        latencies = [
            latency * _MS
            for at, latency in zip(self._ended_at, self._latencies, strict=True)
            if at - latency >= measured_from
        ]
        return Outcome(
            completed=len(self._ended_at),
            statuses=dict(self._statuses),
            per_second=len(window) / (until - measured_from) if until > measured_from else 0.0,
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            elapsed_s=last - started,
            began_at_ms=self._began_at_ms,
            cpu_s=cpu_s,
        )


async def _main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    requests = msgspec.msgpack.decode(Path(job.requests).read_bytes(), type=list[bytes])  # noqa: ASYNC240 - before the run
    load = Load(job, requests)
    await load.connect()
    print('"ready"', flush=True)
    sys.stdin.readline()
    print(msgspec.json.encode(await load.run()).decode(), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
