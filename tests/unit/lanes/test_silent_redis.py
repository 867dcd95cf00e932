"""A Redis that takes connections and says nothing: what a caller waits for it is bounded."""

import asyncio
import time

import pytest
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.lanes.redis_line import RedisLine


async def test_a_redis_that_takes_connections_and_says_nothing_keeps_nobody_waiting_in_a_row() -> None:
    """A process that stands still: each would wait for its own try behind all others, minutes for a send."""
    silent, within_s, callers = asyncio.Event(), 0.4, 20

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    async def failing(line: RedisLine) -> float:
        began = time.monotonic()
        with pytest.raises((exceptions.RedisError, OSError)):
            await line.ask([("ECHO", "anybody?")])
        return time.monotonic() - began

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    no_retry = Retry(NoBackoff(), 0)
    async with server, Redis(port=port, socket_timeout=within_s, retry=no_retry) as client:
        line = RedisLine(client, answer_within_s=within_s)
        at_first = await asyncio.gather(*(failing(line) for _ in range(callers)))
        afterwards = [await failing(line) for _ in range(5)]
        await line.aclose()
        silent.set()
    assert max(at_first) < within_s * callers / 4
    assert max(afterwards) < within_s
