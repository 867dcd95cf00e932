"""`tollgate bench` behind its options: run, print, and say by the exit status whether every target held."""

import sys
from typing import Final

from rich.console import Console

from gateway.bench.run import benchmarks
from gateway.bench.run import run as run_benchmark
from gateway.bench.table import table_of
from gateway.errors import GatewayError

NAMES: Final = tuple(benchmarks())


def run(name: str, *, as_json: bool, quick: bool) -> int:
    """
    Run one benchmark and print its report on standard output.

    Returns 0 if every target held, 1 if one did not, 2 if nothing could be measured.
    """
    words = Console(stderr=True)
    try:
        with words.status(f"measuring {name}: {benchmarks()[name].summary}"):
            report = run_benchmark(name, quick=quick)
    except (GatewayError, OSError, TimeoutError) as error:
        words.print(f"{name} could not be measured: {error}", markup=False, highlight=False)
        return 2
    if as_json:
        sys.stdout.write(f"{report.to_json()}\n")
    else:
        Console().print(table_of(report))
    return 0 if report.held else 1
