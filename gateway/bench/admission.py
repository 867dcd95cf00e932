"""
`admission`: verdicts a second in one process, beside a script of one line called through plain redis-py.

The gate's calls of one turn of the loop travel as one pipeline; the bare component pays redis-py's whole
price for each. Two dozen gates must not cost more than one bare call.

Then a tenant with as much policy as one may have: how long Redis works on one of its verdicts, beside one
call of the line, and what an opted-out number occupies.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

from msgspec import Struct
from redis.asyncio import Redis

from gateway.admission.gate import ADMIT, AdmissionGate
from gateway.admission.verdict import Admission, Admitted
from gateway.bench.bare_api import ADMISSION, POLICY, nobody
from gateway.bench.crowded import Crowd, CrowdedTenant
from gateway.bench.ground import open_ground
from gateway.bench.load import WrongAnswers
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, percentile, report_of
from gateway.bench.server_time import ServerTimes, server_times
from gateway.bench.stack import CONNECTIONS, Stack
from gateway.lanes.scripts import RedisScripts, connect

TARGETS: Final = {
    "ratio.decided_per_s": Target(at_least=1.0),
    "crowded_calls": Target(at_least=1.0, at_most=1.0),
    "crowded_p99_us": Target(at_most=1000.0),
    "bytes_per_opted_out": Target(at_most=100.0),
}
_ONE_BY_ONE: Final = "return redis.call('TIME')"
_LOG_ROOM: Final = 30
"""Entries for each call: what a script calls is logged too, and what else speaks to Redis meanwhile."""


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    calls: int
    """Of each side in a round."""
    timed: int
    """Verdicts for the crowded tenant in a round."""
    crowd: Crowd


FULL: Final = Sizes(
    rounds=5,
    calls=20_000,
    timed=2_000,
    crowd=Crowd(templates=10_000, opted_out=1_000_000, overrides=10_000),
)
QUICK: Final = Sizes(
    rounds=3, calls=5_000, timed=1_000, crowd=Crowd(templates=10_000, opted_out=100_000, overrides=10_000)
)


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    return await measured(QUICK if quick else FULL, tell)


async def measured(sizes: Sizes, tell: Tell) -> Report:
    """Project both tenants and run rounds of these sizes."""
    async with open_ground() as ground:
        url = ground.stack.settings.redis_url
        library: Any = Redis  # its keywords are not annotated
        scripts, client = RedisScripts(connect(url)), library.from_url(url)
        async with aclosing(scripts), client:
            sides = await _Sides.prepare(client, AdmissionGate(scripts), sizes, tell)

            async def once() -> Round:
                figures = await _timed(ground.stack, sides.decide, sizes.calls)
                baseline = await _timed(ground.stack, sides.call, sizes.calls)
                return await sides.in_a_crowd(figures, baseline)

            return report_of("admission", await in_rounds(sizes.rounds, once, tell), TARGETS)


class _Sides:
    """The gate by the gateway's client and the bare line by redis-py as it ships, on one Redis."""

    def __init__(self, client: Any, gate: AdmissionGate, crowded: CrowdedTenant, sizes: Sizes) -> None:
        self._client = client
        self._gate = gate
        self._crowded = crowded
        self._timed = sizes.timed
        self._digest = ""

    @classmethod
    async def prepare(cls, client: Any, gate: AdmissionGate, sizes: Sizes, tell: Tell) -> "_Sides":
        sides = cls(client, gate, CrowdedTenant(sizes.crowd), sizes)
        await gate.project(POLICY, nobody)
        tell(f"projecting {sizes.crowd.opted_out:,} opted-out numbers")
        await sides._crowded.project(gate)
        sides._digest = await client.script_load(_ONE_BY_ONE)
        return sides

    async def decide(self, admission: Admission = ADMISSION) -> None:
        if not isinstance(await self._gate.decide(admission), Admitted):
            raise WrongAnswers("a gate of the benchmark's own tenant is closed")

    async def call(self) -> None:
        await self._client.evalsha(self._digest, 1, "{bench}")

    async def in_a_crowd(self, figures: dict[str, float], baseline: dict[str, float]) -> Round:
        """Add what Redis spends on the crowded tenant's verdicts, and on the line as often."""
        async with server_times(self._client, room=self._timed * _LOG_ROOM) as times:
            verdicts = await self._logged(times, lambda: self.decide(self._crowded.next()), ADMIT.digest)
            lines = await self._logged(times, self.call, self._digest)
        return Round(
            figures=figures
            | _spent(verdicts, self._timed)
            | {"bytes_per_opted_out": await self._crowded.bytes_per_opted_out(self._client)},
            baseline=baseline | _spent(lines, self._timed),
        )

    async def _logged(
        self, times: ServerTimes, once: Callable[[], Awaitable[None]], digest: str
    ) -> list[int]:
        await times.forget()
        for _ in range(self._timed):
            await once()
        return await times.of(digest)


def _spent(durations_us: list[int], asked: int) -> dict[str, float]:
    return {
        "crowded_calls": len(durations_us) / asked,
        "crowded_p50_us": percentile(durations_us, 0.5),
        "crowded_p99_us": percentile(durations_us, 0.99),
    }


async def _timed(stack: Stack, once: Callable[[], Awaitable[None]], count: int) -> dict[str, float]:
    """Run `once` so often, by as many callers as a load has connections."""

    async def caller() -> None:
        for _ in range(count // CONNECTIONS):
            await once()

    redis, own, started = stack.cpu()["redis"], time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
    elapsed, own, redis = (
        time.perf_counter() - started,
        time.process_time() - own,
        stack.cpu()["redis"] - redis,
    )
    done = count // CONNECTIONS * CONNECTIONS
    return {"decided_per_s": done / elapsed, "client_us": own * 1e6 / done, "redis_us": redis * 1e6 / done}
