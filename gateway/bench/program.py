"""`tollgate bench` behind its options: run, print, and say by the exit status whether every target held."""

import sys
import time
from typing import Final, Protocol

from rich.console import Console
from rich.status import Status

from gateway.bench.progress import Tell
from gateway.bench.report import Report
from gateway.bench.run import benchmarks
from gateway.bench.run import run as run_benchmark
from gateway.bench.table import table_of
from gateway.errors import GatewayError
from gateway.telemetry.logs import configure

NAMES: Final = tuple(benchmarks())


class Run(Protocol):
    """Runs one benchmark to its end, as `gateway.bench.run.run` does."""

    def __call__(self, name: str, *, quick: bool, tell: Tell) -> Report:
        """Return its report."""
        ...


def run(name: str, *, as_json: bool, quick: bool, run_it: Run = run_benchmark) -> int:
    """
    Run one benchmark and print its report on standard output, and nothing else there.

    Returns 0 if every target held, 1 if one did not, 2 if nothing could be measured.
    """
    words = Console(stderr=True)
    configure("console", "warning")  # logs go to stderr, too
    try:
        summary = benchmarks()[name].summary
        with words.status(f"measuring {name}: {summary}") as status:
            report = run_it(name, quick=quick, tell=_teller(words, status, name))
    except (GatewayError, OSError, TimeoutError) as error:
        words.print(f"{name} could not be measured: {error}", markup=False, highlight=False)
        return 2
    if as_json:
        sys.stdout.write(f"{report.to_json()}\n")
    else:
        Console().print(table_of(report))
    return 0 if report.held else 1


def _teller(words: Console, status: Status, name: str) -> Tell:
    """A terminal shows the last word in place, a log gets a line for each."""
    started = time.monotonic()

    def tell(what: str) -> None:
        line = f"{name} after {time.monotonic() - started:.0f} s: {what}"
        if words.is_terminal:
            status.update(line)
        else:
            words.print(line, markup=False, highlight=False)

    return tell
