"""
`ledger`: what an accept costs with the ledger, beside the same accept without it.

Both sides are the whole API process on the same stores, under the same load, in turns: durable, idempotent,
pushed into the lane. The bare one leaves out only the ledger's part of the commit: the lock on the balance,
the transfer and the change of the balance. Counted are the API, Postgres and Redis.
"""

from msgspec import structs

from gateway.bench.children import free_port
from gateway.bench.ground import open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import Stack, us_per_message
from gateway.bench.tenant import Sends

TARGETS = {"ratio.cpu_us": Target(at_most=1.35)}
_ACCEPTED = 202
_MOST_PER_S = 6_000
"""More than either side reaches on two cores: requests are prepared for so many."""


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    seconds, rounds = (3.0, 3) if quick else (5.0, 7)
    async with open_ground() as ground:
        bare = await _bare(ground.stack)
        measured = await in_rounds(
            rounds, lambda: _round(ground.stack, ground.sends, ground.api, bare, seconds), tell
        )
    return report_of("ledger", measured, TARGETS)


async def _bare(stack: Stack) -> tuple[str, int]:
    settings = structs.replace(stack.settings, port=free_port())
    started = await stack.start("bare", "gateway.bench.no_ledger_api", settings=settings)
    await stack.answers(started, f"http://{settings.host}:{settings.port}/readyz")
    return settings.host, settings.port


async def _round(
    stack: Stack, sends: Sends, api: tuple[str, int], bare: tuple[str, int], seconds: float
) -> Round:
    figures = await _side(stack, sends, api, seconds, "api")
    return Round(figures=figures, baseline=await _side(stack, sends, bare, seconds, "bare"))


async def _side(
    stack: Stack, sends: Sends, target: tuple[str, int], seconds: float, server: str
) -> dict[str, float]:
    requests = sends.next(round(_MOST_PER_S * seconds))
    outcome, cpu_s = await stack.load(requests, targets=[target], seconds=seconds)
    outcome.require(_ACCEPTED)
    spent = us_per_message(cpu_s, outcome.completed, (server, "postgres", "redis"))
    return {
        "accepted_per_s": outcome.per_second,
        "p99_ms_saturated": outcome.p99_ms,
        "cpu_us": sum(spent.values()),
        "api_us": spent[server],
        "postgres_us": spent["postgres"],
    }
