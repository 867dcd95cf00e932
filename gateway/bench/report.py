"""
From rounds to a report: medians, paired ratios, targets. Pure.

A round measures the gateway and its bare component one after the other. A ratio is taken inside each round
and the median of those ratios is reported: the quotient of two medians would mix a fast minute of one with
a slow minute of the other.
"""

import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import msgspec
from msgspec import Struct


class Round(Struct, frozen=True, kw_only=True):
    """What one round measured; units are in the names of the figures."""

    figures: Mapping[str, float]
    """Of the gateway."""
    baseline: Mapping[str, float] = {}
    """Of the bare component."""


class Target(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A bound that a figure or a ratio must keep; one of the two bounds is set."""

    at_least: float | None = None
    at_most: float | None = None
    in_every_round: bool = False
    """Judge the worst round instead of the median: a limit that holds mostly is none."""


class JudgedTarget(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target, what was measured for it, and whether it held."""

    measured: float
    held: bool
    at_least: float | None = None
    at_most: float | None = None


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one benchmark; `to_json` is the public form."""

    name: str
    machine: str
    runs: int
    """Rounds behind each median."""
    figures: dict[str, float]
    baseline: dict[str, float]
    ratios: dict[str, float]
    """Gateway divided by bare component, for every figure that both have."""
    spread: dict[str, tuple[float, float]]
    """Least and greatest value of each figure and ratio over the rounds; ratios are named `ratio.…`."""
    targets: dict[str, JudgedTarget]
    held: bool

    def to_json(self) -> str:
        """Return the report as one JSON object."""
        return msgspec.json.encode(self).decode()


def report_of(
    name: str, rounds: Sequence[Round], targets: Mapping[str, Target], *, machine: str | None = None
) -> Report:
    """
    Return the report of some rounds.

    Args:
        targets: By the name of a figure, or of a ratio as `ratio.…`; each must have been measured.

    Raises:
        ValueError: There is no round.
        KeyError: A target names something that was not measured.
    """
    if not rounds:
        raise ValueError("a report needs at least one round")
    figures = _columns(each.figures for each in rounds)
    baseline = _columns(each.baseline for each in rounds)
    ratios = _columns(paired_ratios(each) for each in rounds)
    named = figures | {f"ratio.{key}": values for key, values in ratios.items()}
    judged = {key: judge(target, _decisive(target, named[key])) for key, target in targets.items()}
    return Report(
        name=name,
        machine=machine or describe_machine(),
        runs=len(rounds),
        figures=_medians(figures),
        baseline=_medians(baseline),
        ratios=_medians(ratios),
        spread={key: (_rounded(min(values)), _rounded(max(values))) for key, values in named.items()},
        targets=judged,
        held=all(each.held for each in judged.values()),
    )


def paired_ratios(measured: Round) -> dict[str, float]:
    """Return gateway / bare component for what both sides measured; a zero on the bare side has no ratio."""
    return {
        name: value / measured.baseline[name]
        for name, value in measured.figures.items()
        if measured.baseline.get(name)
    }


def _decisive(target: Target, values: Sequence[float]) -> float:
    if not target.in_every_round:
        return median(values)
    return min(values) if target.at_least is not None else max(values)


def judge(target: Target, measured: float) -> JudgedTarget:
    """Hold a measured value to its bounds; a value on the bound holds."""
    low = target.at_least is None or measured >= target.at_least
    high = target.at_most is None or measured <= target.at_most
    return JudgedTarget(
        measured=_rounded(measured), held=low and high, at_least=target.at_least, at_most=target.at_most
    )


def percentile(values: Sequence[float], share: float) -> float:
    """
    Return the value that `share` (0 to 1) of the values do not exceed; 0.0 where there are none.

    The nearest rank, not an interpolation: it is a latency that somebody waited.
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def describe_machine() -> str:
    """Return the hardware in the words that make figures comparable, without a name of the host."""
    try:
        system = platform.freedesktop_os_release()
        named = f"{system['NAME'].split()[0]} {system.get('VERSION_ID', '')}".strip()
    except (OSError, KeyError):
        named = platform.system()
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{cores()} vCPU, {named}, Python {python}, loopback"


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _columns(rows: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


def _medians(columns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: _rounded(median(values)) for name, values in columns.items()}


def _rounded(value: float) -> float:
    """Four significant digits are more than the machine's noise leaves true."""
    return float(f"{value:.4g}")
