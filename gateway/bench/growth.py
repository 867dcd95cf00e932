"""
`growth`: what a message costs among 10,000 tenants and a million queued, beside ten tenants and a thousand.

Two gateways, each with stores of its own, take turns. While a dispatcher drains a backlog as fast as it can,
as many messages as leave are queued behind, so the backlog stays what it is; both sides pay for that. Each
tenant has a sender of its own. The dispatcher first warms up and visits every tenant once, for it keeps their
keys; measured is at least one more visit of each. Records that fall behind would not be seen in less.
Counted are the dispatcher, Redis and Postgres; the calls go to a peer that answers at once.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle, islice
from typing import Final

from msgspec import Struct

from gateway.bench.drain import WITHIN_S, watch
from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.rebuilding import BenchLanes, open_lanes
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.seeding import Owner, Seeder, open_seeder
from gateway.embedded import Sizing
from gateway.lanes.entry import LaneEntry
from gateway.lanes.lanes import QUANTUM

TARGETS: Final = {
    "ratio.cpu_us": Target(at_most=1.15),
    "redis_bytes_per_message": Target(at_most=200.0),
    "rebuilt_per_s": Target(at_least=100_000.0),
}
_SIZING: Final = Sizing(
    postgres={
        "shared_buffers": "2GB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "autovacuum": "off",
    },
    redis={"auto-aof-rewrite-min-size": "2gb"},
)
"""
Of both: as on a server that holds a million messages, and not on a laptop.

Their rows are more than a gigabyte: out of 64 MB of buffers nearly each would be read from a file and written
back. The log that a laptop keeps has room for a few seconds of such changes; checkpoints come as often, and
after one each page goes into the log whole once more. Redis writes its file anew whenever that has doubled:
the whole queue, every 40,000 messages. Vacuums and checkpoints are `settle`'s. A vacuum of a million rows is
due once in two hundred thousand changes, and in a round it would be all that is seen.
"""
_PROCESSES: Final = ("dispatcher", "postgres", "redis")
_FEED: Final = 250
"""Messages queued at a time."""
_FEED_S: Final = 0.02
_SLOWEST_PER_S: Final = 200
"""Whoever sends fewer a second is taken to stand still."""
_SEEDED_AT_ONCE: Final = 10_000


class Scene(Struct, frozen=True, kw_only=True):
    """Who is there and what waits."""

    tenants: int
    queued: int


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    warm_up: int
    """Sent first, at the least: a fresh dispatcher opens connections, and its plans and caches are cold."""
    messages: int
    """Sent and measured in a round, at the least; among many tenants it is a visit of each."""
    small: Scene
    large: Scene


FULL: Final = Sizes(
    rounds=5,
    warm_up=8_000,
    messages=16_000,
    small=Scene(tenants=10, queued=1_000),
    large=Scene(tenants=10_000, queued=1_000_000),
)
QUICK: Final = Sizes(
    rounds=2,
    warm_up=2_000,
    messages=4_000,
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
        small = _Side(exits, await exits.enter_async_context(open_ground(sizing=_SIZING)), sizes.small, sizes)
        large = _Side(exits, await exits.enter_async_context(open_ground(sizing=_SIZING)), sizes.large, sizes)
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
        visits = scene.tenants * QUANTUM
        self._warm_up = max(sizes.warm_up, visits)
        self._messages = max(sizes.messages, visits)
        self._rounds = sizes.rounds
        self._lanes: BenchLanes
        self._seeder: Seeder
        self._turns: Iterator[Owner]

    @property
    def _goes(self) -> int:
        """Messages that leave in a round: to warm up, at least a visit of each tenant, and measured."""
        return self._warm_up + self._messages

    async def seed(self) -> None:
        self._lanes = await self._exits.enter_async_context(open_lanes(self._ground.stack))
        self._seeder = await open_seeder(self._ground)
        await self._ground.lead_to_peer()
        owners = await self._seeder.tenants(self.scene.tenants)
        self._turns = cycle(owners)
        # Twice what leaves: the rest of a flow is never its head, so it need not open.
        within_reach = min(self.scene.queued, self._goes * self._rounds * 2)
        await self._queue(within_reach)
        await self._seeder.queue_unreachable(owners, (self.scene.queued - within_reach) // len(owners))

    async def rebuild(self) -> dict[str, float]:
        """Rebuild the lanes from Postgres and return how fast that was and what they occupy."""
        rebuilt = await self._lanes.rebuild(self._seeder.route)
        return {"rebuilt_per_s": rebuilt.per_s, "redis_bytes_per_message": rebuilt.redis_bytes_each}

    async def drain(self) -> dict[str, float]:
        """Return microseconds of CPU per message while a dispatcher works."""
        await self._seeder.settle()
        stack, before = self._ground.stack, await self._sent()
        async with stack.passing("dispatcher", *stack.role("dispatcher")):
            feeding = asyncio.create_task(self._feed(before))
            try:
                drained = await watch(
                    stack,
                    self._sent,
                    before=before + self._warm_up,
                    total=self._messages,
                    within_s=WITHIN_S + self._warm_up / _SLOWEST_PER_S,
                )
                await feeding
            finally:
                feeding.cancel()
        # What a quick dispatcher took before it had stopped comes back.
        await self._lanes.lanes.push(await self._queue(max(0, self.scene.queued - await self._waiting())))
        us = {name: drained.us[name] for name in _PROCESSES}
        return {"cpu_us": sum(us.values()), **{f"{name}_us": each for name, each in us.items()}}

    async def _feed(self, before: int) -> None:
        """Queue as many as leave, until all of the round have left."""
        fed = 0
        while (gone := await self._sent() - before) < self._goes:
            while fed < gone:
                await self._lanes.lanes.push(await self._queue(_FEED))
                fed += _FEED
            await asyncio.sleep(_FEED_S)

    async def _queue(self, count: int) -> list[LaneEntry]:
        entries: list[LaneEntry] = []
        while len(entries) < count:
            owners: list[Owner] = list(islice(self._turns, min(_SEEDED_AT_ONCE, count - len(entries))))
            entries += await self._seeder.queue(owners)
        return entries

    async def _waiting(self) -> int:
        count: int = await self._ground.pool.fetchval("SELECT count(*) FROM dispatch_queue")
        return count

    async def _sent(self) -> int:
        return await self._ground.counted("sends")
