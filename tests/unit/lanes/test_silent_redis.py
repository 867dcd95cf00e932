"""A Redis that takes connections and says nothing: what a caller waits for it is bounded."""

import asyncio
import time
from typing import cast

import asyncpg
import pytest
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.clock import SystemClock
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.queues import Queues
from gateway.lanes.redis_line import RedisLine
from gateway.lanes.scripts import RedisScripts, connect
from gateway.lanes.survey import LaneSurvey

SOON_S = 2.0


async def listening(silent: asyncio.Event) -> tuple[asyncio.Server, int]:
    """Take connections, and say nothing on them until `silent` is set; returns the port, too."""

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_redis_that_takes_connections_and_says_nothing_keeps_nobody_waiting_in_a_row() -> None:
    """A process that stands still: each would wait for its own try behind all others, minutes for a send."""
    silent, within_s, callers = asyncio.Event(), 0.4, 20

    async def failing(line: RedisLine) -> float:
        began = time.monotonic()
        with pytest.raises((exceptions.RedisError, OSError)):
            await line.ask([("ECHO", "anybody?")])
        return time.monotonic() - began

    server, port = await listening(silent)
    no_retry = Retry(NoBackoff(), 0)
    async with server, Redis(port=port, socket_timeout=within_s, retry=no_retry) as client:
        line = RedisLine(client, answer_within_s=within_s)
        at_first = await asyncio.gather(*(failing(line) for _ in range(callers)))
        afterwards = [await failing(line) for _ in range(5)]
        await line.aclose()
        silent.set()
    assert max(at_first) < within_s * callers / 4
    assert max(afterwards) < within_s


async def test_whoever_asks_what_waits_is_told_soon_that_nobody_can_say() -> None:
    """The operator looks at the lanes when something is wrong, and waited five seconds for an answer."""
    silent = asyncio.Event()
    server, port = await listening(silent)
    async with server, connect(f"redis://127.0.0.1:{port}") as client:
        queues = Queues(Lanes(RedisScripts(client)))
        survey = LaneSurvey(cast("asyncpg.Pool[asyncpg.Record]", None), queues, SystemClock())
        began = time.monotonic()
        with pytest.raises(RedisUnavailable):
            await survey.of("acc_1")
        assert time.monotonic() - began < SOON_S
        silent.set()
