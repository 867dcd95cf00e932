"""A benchmark's lanes, filled from Postgres as a dispatcher fills them, and what they occupy in Redis."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from msgspec import Struct

from gateway.bench.stack import Stack, eventually
from gateway.db.engine import create_pool
from gateway.errors import GatewayError
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect

_REWRITTEN_WITHIN_S: Final = 120.0


class NotRebuilt(GatewayError):
    """Nothing was queued, or another process was at it."""


class Rebuilt(Struct, frozen=True, kw_only=True):
    """What a rebuild did."""

    messages: int
    per_s: float
    redis_bytes_each: float


class BenchLanes:
    """A connection to the lanes of one stack, for pushing and rebuilding."""

    def __init__(self, redis: Any, pool: Any) -> None:
        self._redis = redis
        self._pool = pool
        self.lanes = Lanes(RedisScripts(redis))

    async def rebuild(self, route: str) -> Rebuilt:
        """Empty Redis and fill one route with what Postgres has queued; a dispatcher does the others."""
        await self._redis.flushall()
        before = await self._memory()
        started = time.monotonic()
        queued = await rebuild(self.lanes, self._pool, route)
        elapsed_s = time.monotonic() - started
        if not queued:
            raise NotRebuilt(f"{route} has nothing queued, or somebody else was rebuilding it")
        occupied = await self._memory() - before
        await self._rewrite_log()
        return Rebuilt(messages=queued, per_s=queued / elapsed_s, redis_bytes_each=occupied / queued)

    async def _memory(self) -> int:
        return int((await self._redis.info("memory"))["used_memory"])

    async def _rewrite_log(self) -> None:
        """A rewrite of the append-only file is due after so much; let it be over before the measurement."""
        await eventually(self._rewritten, within_s=_REWRITTEN_WITHIN_S)  # Redis may have begun one by itself
        await self._redis.bgrewriteaof()
        await eventually(self._rewritten, within_s=_REWRITTEN_WITHIN_S)

    async def _rewritten(self) -> bool:
        found = await self._redis.info("persistence")
        return not found["aof_rewrite_in_progress"] and not found["aof_rewrite_scheduled"]


@asynccontextmanager
async def open_lanes(stack: Stack) -> AsyncGenerator[BenchLanes]:
    """Connect to the stack's Redis and, in a worker's role, to its Postgres."""
    redis: Any = connect(stack.settings.redis_url)
    try:
        async with await create_pool(stack.settings.database_url, "worker", size=2) as pool:
            yield BenchLanes(redis, pool)
    finally:
        await redis.aclose()
