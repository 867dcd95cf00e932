"""`tollgate prices`: what is printed of a book's changes, for people and for machines."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_calling import Api, api, run

__all__ = ["api"]

LINE = {
    "item": "part",
    "country": "US",
    "sender_type": "*",
    "channel": "sms",
    "sell_usd": "0.01",
    "cost_usd": "0.005",
    "credits": 1,
}
CHANGED = {
    "added": 0,
    "changed": 0,
    "removed": 1,
    "changes": [{"change": "removed", "before": LINE, "after": []}],
}
NOTHING = {"added": 0, "changed": 0, "removed": 0, "changes": []}


@pytest.fixture
def book(tmp_path: Path) -> str:
    """A file; what is in it is the API's to judge."""
    path = tmp_path / "book.csv"
    path.write_text("country,channel\n")
    return str(path)


@pytest.mark.parametrize("answer", [CHANGED, NOTHING])
def test_changes_are_json_for_whoever_asks_for_it(api: Api, book: str, answer: dict[str, Any]) -> None:
    """What stood before it could be read by no program, and of no change there was no JSON at all."""
    for arguments in (("import", book), ("import", book, "--dry-run"), ("diff", "default", "--book", "vip")):
        api.answers = [(200, answer)]
        done = run(api, "prices", *arguments, "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == answer


def test_a_price_that_goes_is_shown_with_its_country(api: Api, book: str) -> None:
    """A sum first, and a line for each."""
    api.answers = [(200, CHANGED)]
    done = run(api, "prices", "import", book)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Changed: 0 added, 0 changed, 1 removed.")
    assert "US" in done.stdout
