"""
`admission`: verdicts a second in one process, beside a script of one line called through plain redis-py.

The gate's calls of one turn of the loop travel as one pipeline; the bare component pays redis-py's whole
price for each. Two dozen gates must not cost more than one bare call.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.admission.gate import AdmissionGate
from gateway.admission.verdict import Admitted
from gateway.bench.bare_api import ADMISSION, POLICY, nobody
from gateway.bench.ground import open_ground
from gateway.bench.load import WrongAnswers
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import CONNECTIONS, Stack
from gateway.lanes.scripts import RedisScripts, connect

TARGETS = {"ratio.decided_per_s": Target(at_least=1.0)}
_ONE_BY_ONE = "return redis.call('TIME')"


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    count, rounds = (5_000, 3) if quick else (20_000, 5)
    async with open_ground() as ground:
        client: Any = connect(ground.stack.settings.redis_url)
        try:
            gate = AdmissionGate(RedisScripts(client))
            await gate.project(POLICY, nobody)
            digest = await client.script_load(_ONE_BY_ONE)

            async def decide() -> None:
                if not isinstance(await gate.decide(ADMISSION), Admitted):
                    raise WrongAnswers("a gate of the benchmark's own tenant is closed")

            async def call() -> None:
                await client.evalsha(digest, 1, "{bench}")

            async def once() -> Round:
                return Round(
                    figures=await _timed(ground.stack, decide, count),
                    baseline=await _timed(ground.stack, call, count),
                )

            return report_of("admission", await in_rounds(rounds, once, tell), TARGETS)
        finally:
            await client.aclose()


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
