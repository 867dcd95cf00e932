"""The benchmarks by name, and how one is run."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import uvloop
from msgspec import Struct

from gateway.bench import (
    accept,
    admission,
    dispatch,
    emulator,
    exactness,
    fairness,
    growth,
    ledger,
    life,
    priority,
    receipts,
    webhooks,
)
from gateway.bench.progress import Tell
from gateway.bench.report import Report


class Measure(Protocol):
    """Measures; `quick` means fewer and shorter rounds, `tell` takes what is being done."""

    def __call__(self, *, quick: bool, tell: Tell) -> Awaitable[Report]:
        """Run the rounds and return their report."""
        ...


class Benchmark(Struct, frozen=True, kw_only=True):
    """One benchmark."""

    name: str
    summary: str
    """What it measures beside what, in one line."""
    measure: Measure


_ALL: Final = (
    Benchmark(
        name="accept",
        summary="sends taken over HTTP, beside bare Litestar with one EVALSHA",
        measure=accept.measure,
    ),
    Benchmark(
        name="dispatch",
        summary="a backlog drained to AWS's wire, beside a bare aioboto3 loop",
        measure=dispatch.measure,
    ),
    Benchmark(
        name="receipts",
        summary="delivery events into status, ledger and outbox, beside verification alone and raw COPY",
        measure=receipts.measure,
    ),
    Benchmark(
        name="life",
        summary="CPU of a message's whole life, beside a bare request and a bare call",
        measure=life.measure,
    ),
    Benchmark(
        name="exactness",
        summary="the rate that eight dispatchers keep, seen at the emulator, beside a bucket of burst = rate",
        measure=exactness.measure,
    ),
    Benchmark(
        name="priority",
        summary="OTPs beside a campaign of a million, beside an empty queue",
        measure=priority.measure,
    ),
    Benchmark(
        name="fairness",
        summary="what quiet tenants wait beside one that sends a hundred times as much, beside their calm",
        measure=fairness.measure,
    ),
    Benchmark(
        name="growth",
        summary="CPU, memory and rebuild with 10,000 tenants and a million queued, beside ten and a thousand",
        measure=growth.measure,
    ),
    Benchmark(
        name="admission",
        summary="verdicts of the admission gate, beside a one-line script through plain redis-py",
        measure=admission.measure,
    ),
    Benchmark(
        name="ledger",
        summary="the cost of an accept with the ledger, beside the same accept without it",
        measure=ledger.measure,
    ),
    Benchmark(
        name="webhooks",
        summary="signed webhooks out of the outbox, beside a bare aiohttp loop",
        measure=webhooks.measure,
    ),
    Benchmark(
        name="emulator",
        summary="calls the AWS emulator answers, beside a constant answer",
        measure=emulator.measure,
    ),
)


def benchmarks() -> Mapping[str, Benchmark]:
    """Return every benchmark by its name, in the order of a message's road."""
    return MappingProxyType({each.name: each for each in _ALL})


def run(name: str, *, quick: bool, tell: Tell) -> Report:
    """
    Run one benchmark to its end; it takes one to six minutes. SIGTERM ends it with all that it started.

    Raises:
        KeyError: There is no benchmark of that name.
        GatewayError: A process or a store did not start.
    """
    chosen = benchmarks()[name]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_told(chosen.measure(quick=quick, tell=tell)))


async def _until_told(measuring: Awaitable[Report]) -> Report:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit, 128 + signal.SIGTERM)
    return await measuring
