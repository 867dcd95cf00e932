"""`tollgate prices import|diff`: the changes as a table for people, and as the API's answer for programs."""

import json

import pytest

from tests.unit.cli.test_calling import Api, api, run

__all__ = ["api"]

LINE = {
    "item": "part",
    "country": "US",
    "sender_type": "*",
    "channel": "sms",
    "sell_usd": "0.0079",
    "cost_usd": "0.0069",
    "credits": 1,
}
CHANGES = {
    "added": 1,
    "changed": 0,
    "removed": 0,
    "changes": [
        {
            "change": "added",
            "before": None,
            "after": [
                {"line": LINE, "valid_from": None, "valid_to": "2027-01-01T00:00:00.000Z"},
                {
                    "line": LINE | {"sell_usd": "0.01"},
                    "valid_from": "2027-01-01T00:00:00.000Z",
                    "valid_to": None,
                },
            ],
        }
    ],
}
REMOVED = {
    "added": 0,
    "changed": 0,
    "removed": 1,
    "changes": [{"change": "removed", "before": LINE, "after": []}],
}
BOOKS = "/v1/admin/price-books"


@pytest.fixture
def file(tmp_path):
    """A book as a file; what is in it is the API's to judge."""
    path = tmp_path / "prices.csv"
    path.write_text("country,channel,sell_usd,cost_usd,credits\nUS,sms,0.0079,0.0069,1\n")
    return path


def test_an_import_is_shown_line_by_line(api: Api, file) -> None:
    """Counts first, then each line with its price before and after, and the one that is to come."""
    api.answers = [(200, CHANGES), (200, CHANGES)]
    dry = run(api, "prices", "import", str(file), "--dry-run")
    done = run(api, "prices", "import", str(file), "--book", "vip")
    assert "Would change: 1 added, 0 changed, 0 removed." in dry.output
    assert "Changed: 1 added" in done.output
    assert "0.0079 (0.0069, 1 cr), 0.01 (0.0069, 1 cr) from 2027-01-01" in done.output
    assert [path for _, path, _ in api.asked] == [
        f"{BOOKS}/default/import?dry_run=true",
        f"{BOOKS}/vip/import",
    ]


@pytest.mark.parametrize("words", [("import", "FILE"), ("diff", "default", "--book", "vip")])
def test_json_is_the_answer_as_it_came(api: Api, file, words) -> None:
    """A program reads nothing but JSON: no sentence before it, none in its place where nothing changes."""
    for answer in (CHANGES, CHANGES | {"added": 0, "changes": []}):
        api.answers = [(200, answer)]
        named = [str(file) if each == "FILE" else each for each in words]
        done = run(api, "prices", *named, "--json")
        assert json.loads(done.output) == answer


def test_a_price_that_goes_is_shown_with_its_country(api: Api, file) -> None:
    """A sum first, and a line for each."""
    api.answers = [(200, REMOVED)]
    done = run(api, "prices", "import", str(file))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Changed: 0 added, 0 changed, 1 removed.")
    assert "US" in done.stdout
