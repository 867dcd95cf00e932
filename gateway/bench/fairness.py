"""
`fairness`: what twenty quiet tenants wait beside one that sends a hundred times as much, and without it.

Each quiet tenant sends one text a second, all at the same instant, so they wait for each other already when
they are alone. The hot one sends a hundred texts a second, which is more than is left. Twice: all at one
sender of 100 parts a second, and each at a sender of its own under an account of 100 requests a second. The
time runs from the millisecond inside the message's id to the arrival at a peer that answers at once.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final
from uuid import UUID

from msgspec import Struct

from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.rebuilding import BenchLanes, open_lanes
from gateway.bench.report import Report, Round, Target, percentile, report_of
from gateway.bench.seeding import Owner, Seeder, open_seeder
from gateway.bench.stack import eventually
from gateway.bench.tenant import FAST, Sender

TARGETS: Final = {
    "ratio.sender_p99_ms": Target(at_most=1.2),
    "ratio.account_p99_ms": Target(at_most=1.2),
}
RATE: Final = 100
"""Parts a second of the shared sender, and requests a second of the account."""
QUIET: Final = 20
TIMES: Final = 100
_SHARED: Final = Sender(value="SHARED", parts_per_second=RATE)
_TICKS_PER_S: Final = 20
_LEAD_S: Final = 0.5
"""The hot tenant begins so much earlier: what is measured is a queue that already stands."""
_GONE_WITHIN_S: Final = 60.0


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    seconds: int
    """Of each of the four phases of a round."""


FULL: Final = Sizes(rounds=5, seconds=6)
QUICK: Final = Sizes(rounds=2, seconds=3)


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    return await measured(QUICK if quick else FULL, tell)


async def measured(sizes: Sizes, tell: Tell) -> Report:
    """Build everything and run rounds of these sizes."""
    async with AsyncExitStack() as exits:
        tell("starting a gateway and its tenants")
        ground = await exits.enter_async_context(open_ground(senders=(FAST, _SHARED)))
        lanes = await exits.enter_async_context(open_lanes(ground.stack))
        await ground.lead_to_peer()
        await ground.pool.execute("UPDATE aws_accounts SET sends_per_second = $1", float(RATE))
        shared = await open_seeder(ground, sender=_SHARED.value)
        own = await open_seeder(ground, sender=FAST.value)
        tenants = await own.tenants(QUIET + 1)
        at_sender = _Crowd(ground, lanes, shared, [_beside(each, shared.owner) for each in tenants])
        at_account = _Crowd(ground, lanes, own, tenants)
        await ground.stack.work("dispatcher", "dispatcher")
        await at_sender.wait(1)
        await at_account.wait(1)

        async def once() -> Round:
            figures: dict[str, float] = {}
            baseline: dict[str, float] = {}
            for where, crowd in (("sender", at_sender), ("account", at_account)):
                baseline |= _named(where, await crowd.wait(sizes.seconds))
                figures |= _named(where, await crowd.wait(sizes.seconds, hot=True))
            return Round(figures=figures, baseline=baseline)

        return report_of("fairness", await in_rounds(sizes.rounds, once, tell), TARGETS)


def _beside(owner: Owner, other: Owner) -> Owner:
    """Return the tenant at another's sender."""
    return Owner(owner.tenant_id, other.sender_id)


def _named(where: str, waited: Sequence[float]) -> dict[str, float]:
    return {
        f"{where}_p50_ms": percentile(waited, 0.5),
        f"{where}_p99_ms": percentile(waited, 0.99),
    }


class _Crowd:
    """The quiet tenants and, the last of them, the hot one."""

    def __init__(self, ground: Ground, lanes: BenchLanes, seeder: Seeder, owners: Sequence[Owner]) -> None:
        self._ground = ground
        self._lanes = lanes
        self._seeder = seeder
        self._quiet = list(owners[:-1])
        self._hot = owners[-1]

    async def wait(self, seconds: int, *, hot: bool = False) -> list[float]:
        """Return the milliseconds that the quiet tenants' messages waited, when all are gone."""
        await self._ground.delays_ms()
        heat = asyncio.create_task(self._heat(_LEAD_S + seconds)) if hot else None
        try:
            if heat is not None:
                await asyncio.sleep(_LEAD_S)
            quiet: set[UUID] = set()
            started = time.monotonic()
            for second in range(seconds):
                await asyncio.sleep(started + second - time.monotonic())
                quiet |= await self._push(self._quiet)
            queued = await heat if heat is not None else 0
        finally:
            if heat is not None:
                heat.cancel()
        waited = await self._gone(len(quiet) + queued)
        return [waited[each] for each in quiet]

    async def _heat(self, seconds: float) -> int:
        """Send the hot tenant's texts; returns how many."""
        started, queued = time.monotonic(), 0
        for tick in range(round(seconds * _TICKS_PER_S)):
            await asyncio.sleep(started + tick / _TICKS_PER_S - time.monotonic())
            queued += len(await self._push([self._hot] * (TIMES // _TICKS_PER_S)))
        return queued

    async def _push(self, owners: Sequence[Owner]) -> set[UUID]:
        entries = await self._seeder.queue(owners)
        await self._lanes.lanes.push(entries)
        return {entry.message_id for entry in entries}

    async def _gone(self, count: int) -> dict[UUID, float]:
        waited: dict[UUID, float] = {}

        async def all_gone() -> bool:
            waited.update(await self._ground.delays_ms())
            return len(waited) >= count

        await eventually(all_gone, within_s=_GONE_WITHIN_S)
        return waited
