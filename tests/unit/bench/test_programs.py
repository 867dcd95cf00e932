"""What the command line relies on."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog
from rich.console import Console

from gateway.bench import program
from gateway.bench.life import pace
from gateway.bench.load import Outcome, WrongAnswers
from gateway.bench.program import NAMES
from gateway.bench.progress import Tell
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.run import benchmarks
from gateway.bench.table import bound, number, table_of
from gateway.bench.tenant import Sends


def _outcome(statuses: dict[int, int]) -> Outcome:
    return Outcome(
        completed=sum(statuses.values()),
        statuses=statuses,
        per_second=1.0,
        p50_ms=1.0,
        p99_ms=1.0,
        began_at_ms=0.0,
        elapsed_s=1.0,
        cpu_s=1.0,
    )


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """A command configures the process's logs, and these tests are one process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


_PROMISED = """
    accept dispatch receipts life exactness priority fairness growth admission ledger webhooks emulator
"""


def test_every_promised_benchmark_can_be_named() -> None:
    """The contract names twelve."""
    assert set(_PROMISED.split()) == set(NAMES)
    assert all(name == each.name and each.summary for name, each in benchmarks().items())


@pytest.mark.parametrize(("bound", "status"), [(1.0, 0), (3.0, 1)])
def test_standard_output_is_one_object_and_the_status_says_whether_targets_held(
    capsys: pytest.CaptureFixture[str], bound: float, status: int
) -> None:
    """A pipe into `jq` must not stumble over what the run had to say meanwhile."""

    def run_it(name: str, *, quick: bool, tell: Tell) -> Report:
        assert quick
        tell("round 1 of 1")
        structlog.get_logger().warning("something_happened")
        return report_of(name, [Round(figures={"a": 2.0})], {"a": Target(at_least=bound)})

    assert program.run("growth", as_json=True, quick=True, run_it=run_it) == status
    told = capsys.readouterr()
    assert json.loads(told.out)["name"] == "growth"
    assert told.out.count("\n") == 1
    assert "round 1 of 1" in told.err


def test_what_keeps_a_benchmark_from_measuring_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither held nor missed: status 2."""

    def run_it(name: str, *, quick: bool, tell: Tell) -> Report:
        raise TimeoutError(f"{name} {quick} {tell.__name__}")

    assert program.run("growth", as_json=True, quick=False, run_it=run_it) == 2
    assert "growth could not be measured" in capsys.readouterr().err


def test_wrong_answers_end_a_measurement() -> None:
    """A server that refuses everything is fast."""
    _outcome({202: 10}).require(202, 10)
    with pytest.raises(WrongAnswers, match="429"):
        _outcome({202: 9, 429: 1}).require(202)
    with pytest.raises(WrongAnswers, match="wanted 11"):
        _outcome({202: 10}).require(202, 11)


def test_every_prepared_send_has_its_own_number_and_key() -> None:
    """Equal keys would be replays, and one recipient gets one text a second."""
    requests = Sends("tg_live_x").next(50)
    keys = {line for each in requests for line in each.split(b"\r\n") if line.startswith(b"idempotency-key")}
    assert len(keys) == 50
    assert len(set(requests)) == 50


@pytest.mark.parametrize(
    ("cpu_ms", "cores", "expected"), [(4.0, 2, 300.0), (4.1, 2, 290.0), (100.0, 2, 50.0), (4.0, 4, 600.0)]
)
def test_pace_uses_three_fifths_of_the_cores(cpu_ms: float, cores: int, expected: float) -> None:
    """Above that a queue would grow, and its memory would be what is measured."""
    assert pace(cpu_ms, cores) == expected


def test_table_shows_missed_targets_by_name() -> None:
    """Whoever runs it wants to see what to look at."""
    rounds = [Round(figures={"sent_per_s": 1234.0}, baseline={"sent_per_s": 2000.0, "bare_ms": 0.125})]
    report = report_of("dispatch", rounds, {"ratio.sent_per_s": Target(at_least=0.9)}, machine="a machine")
    console = Console(file=io.StringIO(), width=120)
    console.print(table_of(report))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1,234" in shown
    assert "bare_ms" in shown
    assert ">= 0.9" in shown
    assert "Missed: ratio.sent_per_s." in shown


def test_numbers_have_as_many_digits_as_they_deserve() -> None:
    """Four digits of noise are not precision."""
    assert [number(value) for value in (None, 0.12345, 12.34, 123.4, 12345.6)] == [
        "-",
        "0.123",
        "12.3",
        "123",
        "12,346",
    ]


def test_bound_names_both_sides() -> None:
    """A target may have two."""
    judged = report_of("x", [Round(figures={"a": 1.0})], {"a": Target(at_least=1.0, at_most=2.0)}).targets[
        "a"
    ]
    assert bound(judged) == ">= 1 and <= 2"
