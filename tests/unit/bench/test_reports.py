"""A benchmark's verdict is only as good as the arithmetic between the rounds and the report."""

import json

import pytest

from gateway.bench.report import (
    Report,
    Round,
    Target,
    describe_machine,
    judge,
    paired_ratios,
    percentile,
    report_of,
)


def _rounds() -> list[Round]:
    return [
        Round(figures={"sent_per_s": 90.0, "only_ours_ms": 3.0}, baseline={"sent_per_s": 100.0}),
        Round(figures={"sent_per_s": 50.0, "only_ours_ms": 1.0}, baseline={"sent_per_s": 50.0}),
        Round(figures={"sent_per_s": 70.0, "only_ours_ms": 2.0}, baseline={"sent_per_s": 100.0}),
    ]


def _report(targets: dict[str, Target] | None = None) -> Report:
    return report_of("dispatch", _rounds(), targets or {}, machine="a machine")


def test_figures_are_medians_of_the_rounds() -> None:
    """One disturbed round must not decide."""
    report = _report()
    assert report.figures == {"sent_per_s": 70.0, "only_ours_ms": 2.0}
    assert report.baseline == {"sent_per_s": 100.0}
    assert report.runs == 3


def test_ratio_is_taken_inside_each_round_before_the_median() -> None:
    """70 / 100 of the medians would compare minutes that never met; the rounds say 0.9, 1.0 and 0.7."""
    assert _report().ratios == {"sent_per_s": 0.9}


def test_ratio_exists_only_where_both_sides_measured_and_the_bare_side_is_not_zero() -> None:
    """A bare component without Postgres uses none of its time."""
    measured = Round(figures={"a": 1.0, "b": 2.0, "c": 3.0}, baseline={"a": 2.0, "b": 0.0, "d": 4.0})
    assert paired_ratios(measured) == {"a": 0.5}


def test_spread_shows_the_least_and_the_greatest_of_each_figure_and_ratio() -> None:
    """Readers judge a median by how far the rounds lay apart."""
    assert _report().spread == {
        "sent_per_s": (50.0, 90.0),
        "only_ours_ms": (1.0, 3.0),
        "ratio.sent_per_s": (0.7, 1.0),
    }


@pytest.mark.parametrize(
    ("target", "measured", "held"),
    [
        (Target(at_least=0.9), 0.9, True),
        (Target(at_least=0.9), 0.89, False),
        (Target(at_most=50.0), 50.0, True),
        (Target(at_most=50.0), 50.1, False),
        (Target(at_least=1.0, at_most=2.0), 3.0, False),
    ],
)
def test_target_holds_on_its_bound_and_not_beyond(target: Target, measured: float, *, held: bool) -> None:
    """The bound itself is promised."""
    assert judge(target, measured).held is held


def test_limit_that_must_hold_in_every_round_is_judged_by_the_worst() -> None:
    """The median of (1, 2, 3) is below 2.5; the limit was broken all the same."""
    strict = Target(at_most=2.5, in_every_round=True)
    assert not _report({"only_ours_ms": strict}).held
    assert _report({"only_ours_ms": strict}).targets["only_ours_ms"].measured == 3.0
    assert _report({"sent_per_s": Target(at_least=50.0, in_every_round=True)}).held


def test_report_holds_only_if_every_target_does() -> None:
    """The exit status of the command hangs on it."""
    good, bad = Target(at_least=0.5), Target(at_most=1.0)
    assert _report({"ratio.sent_per_s": good}).held
    assert not _report({"ratio.sent_per_s": good, "only_ours_ms": bad}).held


def test_target_of_something_not_measured_is_an_error() -> None:
    """A renamed figure must not silently lose its target."""
    with pytest.raises(KeyError):
        _report({"ratio.sent_per_minute": Target(at_least=1.0)})


def test_report_without_rounds_is_an_error() -> None:
    """There is no median of nothing."""
    with pytest.raises(ValueError, match="at least one round"):
        report_of("dispatch", [], {})


def test_json_has_the_members_of_the_public_form() -> None:
    """Machines read it: name, machine, runs, figures, baseline, ratios, targets, held."""
    read = json.loads(_report({"ratio.sent_per_s": Target(at_least=0.95)}).to_json())
    assert read["name"] == "dispatch"
    assert read["machine"] == "a machine"
    assert read["runs"] == 3
    assert read["figures"]["sent_per_s"] == 70.0
    assert read["baseline"] == {"sent_per_s": 100.0}
    assert read["ratios"] == {"sent_per_s": 0.9}
    assert read["targets"] == {"ratio.sent_per_s": {"measured": 0.9, "held": False, "at_least": 0.95}}
    assert read["held"] is False


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.99, 0.0),
        ([7.0], 0.5, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([3.0, 1.0, 2.0], 1.0, 3.0),
        ([3.0, 1.0, 2.0], 0.0, 1.0),
    ],
)
def test_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    """Nearest rank: no latency is invented between two that somebody waited."""
    assert percentile(values, share) == expected


def test_machine_is_described_by_its_kind_alone() -> None:
    """Figures are compared across machines; the names of hosts are nobody's business."""
    words = describe_machine()
    assert "vCPU" in words
    assert words.endswith(", loopback")
