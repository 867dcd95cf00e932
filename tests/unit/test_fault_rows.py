"""The table of faults names tests, fault points and broken builds that exist, in one file each."""

import re
from pathlib import Path

import pytest

from gateway.faultpoints import FaultPoint
from tests.harness.broken import BROKEN

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "explanation" / "faults.md").read_text().partition("## Which test holds what")[2]
LINES = [re.findall(r" ([^|]+) \|", line) for line in TABLE.splitlines() if line.startswith("| ")]
ROWS = [row for row in LINES if row[0] != "Fault"]
FILES = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}


def named(cell: str) -> list[str]:
    """Return what stands in a cell as code."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(("fault", "struck_at", "held_by", "broken"), ROWS, ids=[row[0] for row in ROWS])
def test_a_fault_is_struck_held_and_broken_in_one_file(fault, struck_at, held_by, broken):
    """A row that names what was renamed or taken out would promise what nobody checks."""
    tests, builds = named(held_by), named(broken)
    assert tests, fault
    assert builds, fault
    assert set(builds) <= BROKEN.keys()
    assert set(named(struck_at)) <= set(FaultPoint)
    [text] = [text for text in FILES.values() if f"async def {tests[0]}(" in text]
    for name in tests:
        assert any(f"async def {name}(" in each for each in FILES.values()), name
    for build in builds:
        assert f'"{build}"' in text, build
    for point in named(struck_at):
        assert f"FaultPoint.{FaultPoint(point).name}" in text, point
