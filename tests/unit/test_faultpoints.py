"""Named faults: spelt right or refused, planned on purpose or absent, and each a line in the code."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest

import gateway
from gateway.errors import ConfigurationError
from gateway.faultpoints import FaultInjected, FaultPoint, PlannedFault, arm, counted, fp, planned
from gateway.settings import Settings, read_settings, to_environment

REQUIRED = {
    "DATABASE_URL": "postgresql://localhost/x",
    "REDIS_URL": "redis://localhost",
    "TOLLGATE_OPERATOR_KEY": "k" * 16,
    "TOLLGATE_SECRET_KEY": "s" * 16,
}
EMULATED = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4579"}


@pytest.fixture(autouse=True)
def disarmed():
    """No plan outlives its test."""
    with counted():
        yield


def test_a_setting_is_read_as_faults():
    """Name, action and the arrival it befalls; what waits, waits every time."""
    assert planned("worker.after_mark:kill, worker.after_aws:stop:3,accept.before_commit:sleep=500") == [
        PlannedFault(point=FaultPoint.WORKER_AFTER_MARK, action="kill", nth=1),
        PlannedFault(point=FaultPoint.WORKER_AFTER_AWS, action="stop", nth=3),
        PlannedFault(point=FaultPoint.ACCEPT_BEFORE_COMMIT, action="sleep", sleep_ms=500),
    ]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("worker.after_lunch:kill", "no place is called 'worker.after_lunch'"),
        ("worker.after_mark", "is not NAME:kill"),
        ("worker.after_mark:explode", "is not NAME:kill"),
        ("worker.after_mark:sleep", "is not NAME:kill"),
        ("worker.after_mark:kill=9", "is not NAME:kill"),
        ("worker.after_mark:kill:0", "number of an arrival"),
        ("worker.after_mark:kill:x", "number of an arrival"),
    ],
)
def test_a_misspelt_fault_is_refused_with_a_way_out(setting, said):
    """A scenario whose fault never comes would prove nothing."""
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        planned(setting)


async def test_nothing_happens_where_nothing_is_planned():
    """The hot path pays for one look."""
    for point in FaultPoint:
        await fp(point)


async def test_a_fault_befalls_the_arrival_it_was_planned_for():
    """The second, and neither the first nor the third."""
    arm("webhooks.after_post:raise:2")
    await fp(FaultPoint.WEBHOOKS_AFTER_POST)
    with pytest.raises(FaultInjected):
        await fp(FaultPoint.WEBHOOKS_AFTER_POST)
    await fp(FaultPoint.WEBHOOKS_AFTER_POST)


async def test_a_wait_is_as_long_as_it_says():
    """Long enough to let others run, on the loop's own clock."""
    arm("webhooks.after_post:sleep=20")
    began = asyncio.get_running_loop().time()
    await fp(FaultPoint.WEBHOOKS_AFTER_POST)
    assert asyncio.get_running_loop().time() - began >= 0.02


@pytest.mark.parametrize("setting", ["TOLLGATE_FAULTPOINT", "TOLLGATE_FAULT_INJECTION"])
def test_no_fault_can_be_planned_by_one_setting_alone(setting):
    """What was left behind in an environment must not reach production."""
    value = {"TOLLGATE_FAULTPOINT": "worker.after_mark:kill", "TOLLGATE_FAULT_INJECTION": "true"}[setting]
    with pytest.raises(ConfigurationError, match=setting):
        read_settings(REQUIRED | {setting: value})


def test_no_fault_can_be_planned_where_aws_itself_is_called():
    """Texts that people get are no place for experiments."""
    both = {"TOLLGATE_FAULTPOINT": "worker.after_mark:kill", "TOLLGATE_FAULT_INJECTION": "true"}
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL"):
        read_settings(REQUIRED | both)
    settings = read_settings(REQUIRED | both | EMULATED)
    assert (settings.faultpoint, settings.fault_injection) == ("worker.after_mark:kill", True)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_child_process_reads_the_same_settings(allowed):
    """`tollgate dev` hands its settings down as text."""
    settings = msgspec.structs.replace(read_settings(REQUIRED | EMULATED), fault_injection=allowed)
    assert isinstance(settings, Settings)
    assert read_settings(to_environment(settings)) == settings


def test_each_place_is_in_the_code():
    """A name without a line is a fault that never comes; a line without a name cannot be written."""
    root = Path(gateway.__file__).parent
    text = "".join(path.read_text() for path in root.rglob("*.py") if path.name != "faultpoints.py")
    assert set(re.findall(r"await fp\(FaultPoint\.(\w+)\)", text)) == {point.name for point in FaultPoint}


def test_each_place_is_struck_by_a_scenario():
    """Each waits for the process to die or stand still there, so a place that is never reached fails."""
    scenarios = Path(__file__).parents[1] / "scenarios"
    text = "".join(path.read_text() for path in scenarios.glob("test_*.py"))
    assert {point.name for point in FaultPoint} - set(re.findall(r"FaultPoint\.(\w+)", text)) == set()
