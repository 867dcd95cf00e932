"""
`accept`: how many sends a second are taken, beside bare Litestar with one EVALSHA.

A send here is durable (the 202 follows the commit), has an Idempotency-Key, holds its price in the ledger
and is pushed into its lane. The bare component has none of that, but the same server, as many connections,
redis-py and the same Redis; a second one asks Redis through the gateway's own client (docs/adr/0022).
"""

from collections.abc import Sequence
from typing import Literal

from gateway.bench.children import free_port
from gateway.bench.ground import open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import Stack, us_per_message
from gateway.bench.tenant import Sends

TARGETS = {
    "ratio.accepted_per_s": Target(at_least=0.65),
    "p99_ms_at_half_load": Target(at_most=50.0),
}
_ACCEPTED = 202
_MOST_PER_S = 6_000
"""More than either side reaches on two cores: requests are prepared for so many."""
_HALF = 0.5
_BESIDE_OWN = "accepted_per_s_own_client"


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    seconds, rounds = (3.0, 3) if quick else (5.0, 5)
    async with open_ground() as ground:
        stack, sends, api = ground.stack, ground.sends, [ground.api]
        bare, own = [await _bare(stack, "bare")], await _bare(stack, "own", client="own")

        async def with_own() -> Round:
            return await _beside_own(
                await _round(stack, sends, api, bare, seconds), stack, sends, own, seconds
            )

        one = await in_rounds(rounds, with_own, tell)
        half = _HALF * sorted(each.figures["accepted_per_s"] for each in one)[len(one) // 2]
        paced = await in_rounds(rounds, lambda: _paced(stack, sends, api, half, seconds), tell)
        api.append(await stack.api("api_2", port=free_port()))
        bare.append(await _bare(stack, "bare_2"))
        two = await in_rounds(rounds, lambda: _round(stack, sends, api, bare, seconds), tell)
    merged = [_merged(*parts) for parts in zip(one, paced, two, strict=True)]
    return report_of("accept", merged, TARGETS)


async def _bare(
    stack: Stack, name: str, *, client: Literal["redis-py", "own"] = "redis-py"
) -> tuple[str, int]:
    port = free_port()
    started = await stack.start(name, "gateway.bench.bare_api", str(port), stack.settings.redis_url, client)
    await started.hear()
    return "127.0.0.1", port


async def _round(
    stack: Stack,
    sends: Sends,
    api: Sequence[tuple[str, int]],
    bare: Sequence[tuple[str, int]],
    seconds: float,
) -> Round:
    figures = await _side(stack, sends, api, seconds, ("api", "api_2"))
    return Round(figures=figures, baseline=await _side(stack, sends, bare, seconds, ("bare", "bare_2")))


async def _beside_own(
    measured: Round, stack: Stack, sends: Sends, own: tuple[str, int], seconds: float
) -> Round:
    """Add to a round what the bare component with the gateway's own client takes."""
    rate = (await _side(stack, sends, [own], seconds, ("own",)))["accepted_per_s"]
    return Round(
        figures={**measured.figures, _BESIDE_OWN: measured.figures["accepted_per_s"]},
        baseline={**measured.baseline, _BESIDE_OWN: rate},
    )


async def _side(
    stack: Stack, sends: Sends, targets: Sequence[tuple[str, int]], seconds: float, servers: Sequence[str]
) -> dict[str, float]:
    requests = sends.next(round(_MOST_PER_S * seconds))
    outcome, cpu_s = await stack.load(requests, targets=list(targets), seconds=seconds)
    outcome.require(_ACCEPTED)
    spent = us_per_message(cpu_s, outcome.completed, (*servers, "postgres", "redis"))
    server = sum(spent.pop(name, 0.0) for name in servers)
    return {
        "accepted_per_s": outcome.per_second,
        "p50_ms_saturated": outcome.p50_ms,
        "p99_ms_saturated": outcome.p99_ms,
        "cpu_us": server + spent["postgres"] + spent["redis"],
        "api_us": server,
        "postgres_us": spent["postgres"],
        "redis_us": spent["redis"],
        "generator_us": outcome.cpu_s * 1e6 / outcome.completed,
    }


async def _paced(
    stack: Stack, sends: Sends, api: Sequence[tuple[str, int]], per_second: float, seconds: float
) -> Round:
    requests = sends.next(round(per_second * seconds) + 1)
    outcome, _ = await stack.load(requests, targets=list(api), seconds=seconds, per_second=per_second)
    outcome.require(_ACCEPTED)
    return Round(
        figures={
            "half_load_per_s": per_second,
            "p50_ms_at_half_load": outcome.p50_ms,
            "p99_ms_at_half_load": outcome.p99_ms,
        }
    )


def _merged(one: Round, paced: Round, two: Round) -> Round:
    figures = {**one.figures, **paced.figures} | {f"{name}_2_workers": v for name, v in two.figures.items()}
    baseline = {**one.baseline} | {f"{name}_2_workers": value for name, value in two.baseline.items()}
    return Round(figures=figures, baseline=baseline)
