"""
`exactness`: what eight dispatchers let through, seen where AWS would see it, beside a bucket of burst = rate.

Four senders of 1, 3, 20 and 100 message parts a second have been idle and then get ten seconds' worth of
texts of one to four parts at once, through the REST API. Arrivals are taken from the emulator's own steady
clock; it is strict, and a throttled send counts as one that came. The bare component is what limiters do
that count hits per window: each of eight workers asks a GCRA script that lets one second's worth go at once.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from gateway.bench.bare_calls import text_of
from gateway.bench.bare_gcra import Plan
from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.sliding import Came, longest_gap_ms, parts_over, peak_parts, utilisation
from gateway.bench.stack import eventually
from gateway.bench.tenant import FAST, PARTS_PER_SECOND, Sender

RATES: Final = (1, 3, 20, 100)
DISPATCHERS: Final = 8
LONGEST: Final = 4
"""Parts of the longest text."""
TARGETS: Final = {
    "parts_over": Target(at_most=0.0, in_every_round=True),
    "throttled": Target(at_most=0.0, in_every_round=True),
    **{f"utilisation_{rate}": Target(at_least=0.95) for rate in RATES},
}
_BARE_RATES: Final = (20, 100)
"""A bucket of three parts never lets a text of four go, so the bare component is not asked for less."""
_LATE_S: Final = 30.0
_SPARE_USD: Final = 1_000_000

_SENDERS: Final = {rate: Sender(value=f"RATE{rate}", parts_per_second=rate) for rate in RATES}


class _Arrival(Struct, frozen=True, array_like=True):
    """As the emulator lists it."""

    at_ms: float
    identity: str | None
    country: str
    parts: int
    throttled: bool


class _Page(Struct, frozen=True):
    data: list[_Arrival]
    total: int


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    burst_s: int
    """Seconds that the burst needs at its rate."""
    idle_s: float
    dispatchers: int = DISPATCHERS


FULL: Final = Sizes(rounds=5, burst_s=10, idle_s=3.0)
QUICK: Final = Sizes(rounds=2, burst_s=10, idle_s=1.5)


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    return await measured(QUICK if quick else FULL, tell)


async def measured(sizes: Sizes, tell: Tell) -> Report:
    """Build everything and run rounds of these sizes."""
    tell(f"starting {sizes.dispatchers} dispatchers")
    async with open_ground(senders=(FAST, *_SENDERS.values()), emulator=_strict()) as ground:
        await ground.let_carrier("SILENT")
        await asyncio.gather(
            ground.stack.work("scheduler", "scheduler"),
            *(ground.stack.work(f"dispatcher_{number}", "dispatcher") for number in range(sizes.dispatchers)),
        )
        bench = _Bench(ground, sizes)
        return report_of("exactness", await in_rounds(sizes.rounds, bench.round, tell), TARGETS)


def _strict() -> list[str]:
    """An account that had its quotas raised, and its senders' rates not."""
    raised = [f"--mps={each.value}={each.parts_per_second}" for each in _SENDERS.values()]
    quick = [f"--mps={FAST.value}={PARTS_PER_SECOND}", f"--requests=*={PARTS_PER_SECOND}"]
    return ["--strict", f"--max-spend-usd={_SPARE_USD}", *raised, *quick]


class _Bench:
    def __init__(self, ground: Ground, sizes: Sizes) -> None:
        self._ground = ground
        self._sizes = sizes

    async def round(self) -> Round:
        """First the gateway, then the bare component, each after the identities were idle."""
        figures = await self._gateway()
        return Round(figures=figures, baseline=await self._bare())

    async def _gateway(self) -> dict[str, float]:
        texts = spread_evenly({rate: texts_of(rate, self._sizes.burst_s) for rate in RATES})
        sends = self._ground.sends
        requests = [sends.one(body=text_of(parts), sender=_SENDERS[rate].value) for rate, parts in texts]
        await asyncio.sleep(self._sizes.idle_s)
        seen, _ = await self._arrivals(0)
        outcome, _ = await self._ground.stack.load(
            requests, targets=[self._ground.api], seconds=_LATE_S, warm_up_s=0.0
        )
        outcome.require(202, len(requests))
        came = await self._all_come(seen, len(requests))
        return _figures(came, RATES) | {"accepted_in_s": outcome.elapsed_s}

    async def _bare(self) -> dict[str, float]:
        texts = {rate: texts_of(rate, self._sizes.burst_s) for rate in _BARE_RATES}
        plan = Plan(
            endpoint=self._ground.emulator_url,
            redis_url=self._ground.stack.settings.redis_url,
            texts={_SENDERS[rate].value: parts for rate, parts in texts.items()},
            rates={_SENDERS[rate].value: rate for rate in _BARE_RATES},
        )
        path = self._ground.stack.folder / "gcra-plan"
        path.write_bytes(msgspec.json.encode(plan))
        async with self._ground.stack.passing("bare", "gateway.bench.bare_gcra", str(path)) as bare:
            await bare.hear()
            await asyncio.sleep(self._sizes.idle_s)
            seen, _ = await self._arrivals(0)
            await bare.say("go")
            await bare.hear()
        _, came = await self._arrivals(seen)
        return _figures(came, _BARE_RATES)

    async def _all_come(self, seen: int, count: int) -> list[_Arrival]:
        """Wait until so many were taken; what was throttled comes again."""

        async def complete() -> list[_Arrival] | None:
            _, came = await self._arrivals(seen)
            return came if sum(not each.throttled for each in came) >= count else None

        came = await eventually(complete, within_s=self._sizes.burst_s + _LATE_S, every_s=0.5)
        assert came is not None  # noqa: S101 - `eventually` returns what is true
        return came

    async def _arrivals(self, seen: int) -> tuple[int, list[_Arrival]]:
        async with self._ground.http.get(
            f"{self._ground.emulator_url}/_emulator/arrivals", params={"after": str(seen)}
        ) as response:
            page = msgspec.json.decode(await response.read(), type=_Page)
        return page.total, page.data


def texts_of(rate: int, seconds: int) -> list[int]:
    """Return the parts of texts that together need so many seconds; the same for every round."""
    dice = random.Random(rate)
    texts: list[int] = []
    while sum(texts) < rate * seconds:
        texts.append(dice.randint(1, LONGEST))
    return texts


def spread_evenly(texts: Mapping[int, Sequence[int]]) -> list[tuple[int, int]]:
    """Return rate and parts of all texts in the order of sending, in which no rate waits for another's."""
    placed = [
        (at / len(of_rate), rate, parts)
        for rate, of_rate in texts.items()
        for at, parts in enumerate(of_rate)
    ]
    return [(rate, parts) for _, rate, parts in sorted(placed)]


def _figures(came: Sequence[_Arrival], rates: Iterable[int]) -> dict[str, float]:
    by_rate = {rate: _of(came, _SENDERS[rate].value) for rate in rates}
    figures: dict[str, float] = {
        "parts_over": max(parts_over(of_rate, rate) for rate, of_rate in by_rate.items()),
        "throttled": sum(each.throttled for each in came),
    }
    for rate, of_rate in by_rate.items():
        figures |= {
            f"peak_over_rate_{rate}": peak_parts(of_rate) / rate,
            f"utilisation_{rate}": utilisation(of_rate, rate),
            f"longest_gap_ms_{rate}": longest_gap_ms(of_rate),
        }
    return figures


def _of(came: Sequence[_Arrival], identity: str) -> list[Came]:
    return [Came(each.at_ms, each.parts) for each in came if each.identity == identity]
