"""
`growth`: what a message costs among 10,000 tenants and a million queued, beside ten tenants and a thousand.

Two gateways, each with stores of its own, take turns. While a dispatcher drains a backlog as fast as it can,
as many messages as leave are queued behind, so the backlog stays what it is; both sides pay for that. Each
tenant has a sender of its own. The dispatcher first visits every tenant once, for it keeps their keys.
Counted are the dispatcher, Redis and Postgres; the calls go to a peer that answers at once.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from itertools import cycle, islice
from typing import Any, Final

from msgspec import Struct

from gateway.bench.drain import watch
from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.seeding import Owner, Seeder, open_seeder
from gateway.bench.stack import eventually
from gateway.db.engine import create_pool
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect

TARGETS: Final = {
    "ratio.cpu_us": Target(at_most=1.15),
    "redis_bytes_per_message": Target(at_most=200.0),
    "rebuilt_per_s": Target(at_least=100_000.0),
}
_PROCESSES: Final = ("dispatcher", "postgres", "redis")
_FEED: Final = 250
"""Messages queued at a time."""
_FEED_S: Final = 0.02
_SEEDED_AT_ONCE: Final = 10_000


class Scene(Struct, frozen=True, kw_only=True):
    """Who is there and what waits."""

    tenants: int
    queued: int


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    messages: int
    """Between the marks of a round."""
    small: Scene
    large: Scene


FULL: Final = Sizes(
    rounds=5,
    messages=4_000,
    small=Scene(tenants=10, queued=1_000),
    large=Scene(tenants=10_000, queued=1_000_000),
)
QUICK: Final = Sizes(
    rounds=2,
    messages=2_000,
    small=Scene(tenants=10, queued=1_000),
    large=Scene(tenants=1_000, queued=100_000),
)


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    return await measured(QUICK if quick else FULL, tell)


async def measured(sizes: Sizes, tell: Tell) -> Report:
    """Build both gateways and run rounds of these sizes."""
    async with AsyncExitStack() as exits:
        tell("starting two gateways")
        small = _Side(exits, await exits.enter_async_context(open_ground()), sizes.small, sizes)
        large = _Side(exits, await exits.enter_async_context(open_ground()), sizes.large, sizes)
        for side in (small, large):
            tell(f"queueing {side.scene.queued:,} messages of {side.scene.tenants:,} tenants")
            await side.seed()

        async def once() -> Round:
            rebuilt = await large.rebuild()
            figures, baseline = await large.drain(), await small.drain()
            return Round(figures=figures | rebuilt, baseline=baseline)

        await small.rebuild()
        return report_of("growth", await in_rounds(sizes.rounds, once, tell), TARGETS)


class _Side:
    def __init__(self, exits: AsyncExitStack, ground: Ground, scene: Scene, sizes: Sizes) -> None:
        self.scene = scene
        self._exits = exits
        self._ground = ground
        self._messages = sizes.messages
        self._rounds = sizes.rounds
        self._redis: Any = connect(ground.stack.settings.redis_url)
        self._lanes = Lanes(RedisScripts(self._redis))
        self._seeder: Seeder
        self._turns: Any
        self._pool: Any

    @property
    def _goes(self) -> int:
        """Messages that leave in a round: the first visits, and what is measured."""
        return self.scene.tenants + self._messages

    async def seed(self) -> None:
        self._exits.push_async_callback(self._redis.aclose)
        settings = self._ground.stack.settings
        self._pool = await self._exits.enter_async_context(
            await create_pool(settings.database_url, "worker", size=2)
        )
        self._seeder = await open_seeder(self._ground)
        await self._ground.pool.execute("UPDATE aws_accounts SET endpoint_url = $1", self._ground.peer_url)
        owners = await self._seeder.tenants(self.scene.tenants)
        self._turns = cycle(owners)
        within_reach = min(self.scene.queued, self._goes * self._rounds * 2)
        await self._queue(within_reach)
        behind, each = self.scene.queued - within_reach, max(1, self.scene.queued // len(owners))
        await self._seeder.queue_unreachable(owners[: behind // each], each)
        await self._seeder.settle()

    async def rebuild(self) -> dict[str, float]:
        """Rebuild the lanes from Postgres and return how fast that was and what they occupy."""
        await self._redis.flushall()
        before = await self._memory()
        started = time.monotonic()
        queued = await rebuild(self._lanes, self._pool, self._seeder.route)
        elapsed_s = time.monotonic() - started
        if not queued:
            raise RuntimeError("nothing was there to be rebuilt")
        occupied = await self._memory() - before
        await self._rewrite_log()
        return {"rebuilt_per_s": queued / elapsed_s, "redis_bytes_per_message": occupied / queued}

    async def drain(self) -> dict[str, float]:
        """Return microseconds of CPU per message while a dispatcher works."""
        stack, before = self._ground.stack, await self._sent()
        async with stack.passing("dispatcher", *stack.role("dispatcher")):
            feeding = asyncio.create_task(self._feed(before))
            try:
                drained = await watch(
                    stack, self._sent, before=before + self.scene.tenants, total=self._messages
                )
                await feeding
            finally:
                feeding.cancel()
        us = {name: drained.us[name] for name in _PROCESSES}
        return {"cpu_us": sum(us.values()), **{f"{name}_us": each for name, each in us.items()}}

    async def _feed(self, before: int) -> None:
        """Queue as many as leave, until all of the round have left."""
        fed = 0
        while (gone := await self._sent() - before) < self._goes:
            while fed < gone:
                await self._lanes.push(await self._queue(_FEED))
                fed += _FEED
            await asyncio.sleep(_FEED_S)

    async def _queue(self, count: int) -> list[Any]:
        entries: list[Any] = []
        while len(entries) < count:
            owners: list[Owner] = list(islice(self._turns, min(_SEEDED_AT_ONCE, count - len(entries))))
            entries += await self._seeder.queue(owners)
        return entries

    async def _sent(self) -> int:
        return await self._ground.counted("sends")

    async def _memory(self) -> int:
        return int((await self._redis.info("memory"))["used_memory"])

    async def _rewrite_log(self) -> None:
        """A rewrite of the append-only file is due after so much; let it be over before CPU is counted."""
        await self._redis.bgrewriteaof()

        async def rewritten() -> bool:
            found = await self._redis.info("persistence")
            return not found["aof_rewrite_in_progress"] and not found["aof_rewrite_scheduled"]

        await eventually(rewritten, within_s=60.0)
