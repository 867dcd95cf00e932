"""Admission, exactness, priority, fairness and growth in their smallest form, with real processes."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.bench import admission, exactness, fairness, growth, priority
from gateway.bench.crowded import Crowd
from gateway.bench.progress import Tell
from gateway.bench.report import Report

pytestmark = pytest.mark.scenario


async def _admission(tell: Tell) -> Report:
    crowd = Crowd(templates=50, opted_out=2_000, overrides=50)
    return await admission.measured(admission.Sizes(rounds=1, calls=256, timed=100, crowd=crowd), tell)


async def _priority(tell: Tell) -> Report:
    return await priority.measured(priority.Sizes(rounds=1, seconds=1.0, queued=300), tell)


async def _fairness(tell: Tell) -> Report:
    return await fairness.measured(fairness.Sizes(rounds=1, seconds=1), tell)


async def _growth(tell: Tell) -> Report:
    small, large = growth.Scene(tenants=2, queued=50), growth.Scene(tenants=20, queued=2_000)
    # The kernel counts in hundredths of a second, and of a Redis with less to do it may count none.
    return await growth.measured(
        growth.Sizes(rounds=1, warm_up=100, messages=1_000, small=small, large=large), tell
    )


@pytest.mark.parametrize(
    ("measured", "shared", "own"),
    [
        (
            _admission,
            {"decided_per_s", "crowded_p50_us", "crowded_p99_us", "crowded_calls"},
            {"bytes_per_opted_out"},
        ),
        (_priority, {"otp_p50_ms", "otp_p99_ms"}, {"otp_p99_ms_added"}),
        (_fairness, {"sender_p99_ms", "account_p99_ms"}, set()),
        (_growth, {"cpu_us", "redis_us"}, {"rebuilt_per_s", "redis_bytes_per_message"}),
    ],
    ids=["admission", "priority", "fairness", "growth"],
)
async def test_smallest_run_measures_both_sides_and_judges_every_target(
    measured: Callable[[Tell], Awaitable[Report]], shared: set[str], own: set[str]
) -> None:
    """Figures of so small a run say nothing; that they are all there, beside their baseline, does."""
    words: list[str] = []
    _check_shape(await measured(words.append), shared=shared, own=own)
    assert words[-1] == "round 1 of 1"


async def test_exactness_catches_a_bucket_of_burst_equal_to_rate() -> None:
    """The deliberately broken build: a checker that passes it could not be believed about the gateway."""
    sizes = exactness.Sizes(rounds=1, burst_s=2, idle_s=0.5, dispatchers=2)
    report = await exactness.measured(sizes, lambda _: None)
    _check_shape(
        report,
        shared={"parts_over", "peak_over_rate_20", "utilisation_100"},
        own={"utilisation_1", "peak_over_rate_3", "throttled"},
    )
    assert report.baseline["peak_over_rate_20"] >= 1.5
    assert report.baseline["parts_over"] > 0
    assert report.baseline["throttled"] > 0


def _check_shape(report: Report, *, shared: set[str], own: set[str]) -> None:
    read: dict[str, Any] = json.loads(report.to_json())
    assert {"name", "machine", "runs", "figures", "baseline", "ratios", "targets", "held"} <= read.keys()
    assert shared <= read["figures"].keys() & read["baseline"].keys() & read["ratios"].keys()
    assert own <= read["figures"].keys()
    assert read["targets"]
    assert read["held"] is all(target["held"] for target in read["targets"].values())
