r"""
Every pattern of an input ends with `\Z`: msgspec searches, and Python's `$` lets a line break follow.

A trailing line break in a Region, an ARN or an id would be stored, and break whatever is made of it later.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def patterns(code: str) -> Iterator[str]:
    """Return the constant `pattern=` arguments in code."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.keyword) and node.arg == "pattern" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def open_ended(code: str) -> list[str]:
    """Return the patterns that more may follow, or come before."""
    return [each for each in patterns(code) if not (each.startswith("^") and each.endswith(r"\Z"))]


def test_every_pattern_is_of_the_whole_text():
    """Of bodies and queries alike; there are dozens, or nothing was looked at."""
    files = [path for package in ("gateway", "tenants") for path in (ROOT / package).rglob("*.py")]
    assert sum(len(list(patterns(path.read_text()))) for path in files) > 40
    assert {str(path): found for path in files if (found := open_ended(path.read_text()))} == {}


def test_a_pattern_that_lets_a_line_break_follow_is_noticed():
    """The check itself can fail."""
    code = (
        'Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]\nDay = Annotated[str, Meta(pattern=r"^x\\Z")]'
    )
    assert open_ended(code) == ["^[A-Z]{2}$"]
