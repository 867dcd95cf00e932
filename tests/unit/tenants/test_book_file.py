"""A price book from a file: what is refused, at its line, and what a file changes."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from tenants.credits.book_diff import Held, difference, planned
from tenants.credits.book_file import read_book
from tenants.errors import InvalidInputs

HEAD = "country,channel,sell_usd,cost_usd,credits,item,sender_type,valid_from,valid_to"
ALL = "*,sms,0.25,0.225,24,,,,"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def book(*lines: str) -> str:
    return "\n".join((HEAD, ALL, *lines))


def stored(*lines: str) -> list[Held]:
    changes = difference([], read_book(book(*lines)), NOW - timedelta(days=1))
    return [line for change in changes for line in planned(change, NOW - timedelta(days=1))]


def test_the_example_is_a_book_that_could_be_imported() -> None:
    """And says of itself that it is an example, nobody's price list."""
    text = files("tenants.credits").joinpath("example_prices.csv").read_text(encoding="utf-8")
    assert text.startswith("# EXAMPLE ONLY")
    assert len(read_book(text)) == 59


def test_amounts_are_read_to_the_last_of_six_decimals() -> None:
    """No float is ever made."""
    (_, line) = read_book(book("US,sms,0.006451,0.00581,1,part,TEN_DLC,2026-12-01,2027-01-01T00:00:00Z"))
    assert (line.line.sell_micros, line.line.cost_micros, line.line.credits) == (6451, 5810, 1)
    assert line.line.key == ("part", "US", "TEN_DLC", "sms")
    assert (line.valid_from, line.valid_to) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("lines", "field", "code"),
    [
        (["US,sms,-0.01,0.005,1,,,,"], "/csv/line/3/sell_usd", "amount_negative"),
        (["US,sms,0.0000001,0.005,1,,,,"], "/csv/line/3/sell_usd", "amount_too_precise"),
        (["US,sms,0.01,645,1,,,,"], "/csv/line/3/cost_usd", "amount_too_large"),
        (["US,sms,0.01,1e-3,1,,,,"], "/csv/line/3/cost_usd", "invalid_amount"),
        (["US,sms,0.01,0.005,1.5,,,,"], "/csv/line/3/credits", "invalid_amount"),
        (["US,sms,0.01,0.005,99999,,,,"], "/csv/line/3/credits", "amount_too_large"),
        (["QQ,sms,0.01,0.005,1,,,,"], "/csv/line/3/country", "unknown_country"),
        (["us,sms,0.01,0.005,1,,,,"], "/csv/line/3/country", "unknown_country"),
        (["US,fax,0.01,0.005,1,,,,"], "/csv/line/3/channel", "unknown"),
        (["US,sms,0.01,0.005,1,bribe,,,"], "/csv/line/3/item", "unknown"),
        (["US,mms,1,1,1,lease,,,"], "/csv/line/3/channel", "other_channel"),
        (["US,voice,1,1,1,registration,,,"], "/csv/line/3/channel", "other_channel"),
        (["US,sms,0.01,0.005,1,,PIGEON,,"], "/csv/line/3/sender_type", "unknown"),
        (["US,sms,0.01,0.005,1,,,soon,"], "/csv/line/3/valid_from", "invalid_date"),
        (["US,sms,0.01,0.005,1,,,2026-12-02,2026-12-01"], "/csv/line/3/valid_to", "ends_before_it_begins"),
        (["US,sms,0.01,0.005"], "/csv/line/3", "cells"),
        (["US,sms,0.01,0.005,1,,,,", "US,sms,0.02,0.005,1,,,,"], "/csv/line/4", "duplicate"),
        (["US,sms,0.01,0.005,1,,,,2026-12-02", "US,sms,0.02,0.005,1,,,2026-12-01,"],
         "/csv/line/4/valid_from", "overlap"),
        (["US,sms,0.01,0.005,1,,,,2026-12-02", "US,sms,0.02,0.005,1,,,2026-12-03,"],
         "/csv/line/4/valid_from", "gap"),
        (["US,voice,0.01,0.005,1,,,,"], "/csv", "no_line_for_every_country"),
        (["*,mms,0.01,0.005,1,,,,2026-12-03"], "/csv", "no_line_for_every_country"),
    ],
)  # fmt: skip
def test_a_file_that_could_charge_wrongly_is_refused_at_its_line(
    lines: list[str], field: str, code: str
) -> None:
    """As a whole: half a price book is none."""
    with pytest.raises(InvalidInputs) as refusal:
        read_book(book(*lines))
    assert [(fault.field, fault.code) for fault in refusal.value.faults] == [(field, code)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("# a note", "empty"),
        ("country,channel", "columns"),
        (f"{HEAD},tax", "columns"),
        (HEAD, "empty"),
    ],
)
def test_a_file_without_lines_or_columns_is_refused(text: str, code: str) -> None:
    """An empty file would end every price."""
    with pytest.raises(InvalidInputs) as refusal:
        read_book(text)
    assert refusal.value.faults[0].code == code


@pytest.mark.parametrize(("lines", "row"), [((f"US,sms,{'1' * 140_000},0.005,1,,,,",), 3), ((), 1)])
def test_a_line_that_is_no_csv_is_refused_at_its_line(lines: tuple[str, ...], row: int) -> None:
    """A cell may be longer than the reader takes; whoever sent it has to hear which."""
    text = book(*lines) if lines else "x" * 140_000
    with pytest.raises(InvalidInputs) as refusal:
        read_book(text)
    (fault,) = refusal.value.faults
    assert (fault.field, fault.code) == (f"/csv/line/{row}", "not_csv")


def test_the_mark_that_spreadsheets_put_first_is_no_part_of_a_name() -> None:
    """Excel writes a byte order mark before UTF-8."""
    assert read_book("\ufeff" + book()) == read_book(book())


def test_every_fault_is_named_at_once() -> None:
    """An operator corrects a file once, not once per line."""
    with pytest.raises(InvalidInputs) as refusal:
        read_book(book("QQ,sms,1,1,1,,,,", "US,sms,x,1,1,,,,"))
    assert len(refusal.value.faults) == 2


def test_the_same_file_again_changes_nothing() -> None:
    """So an import that was interrupted is simply repeated."""
    lines = (
        "US,sms,0.01,0.005,1,,,,2026-12-01",
        "US,sms,0.02,0.005,1,,,2026-12-01,",
        "CA,sms,0.01,0.005,1,,,,",
    )
    assert difference(stored(*lines), read_book(book(*lines)), NOW) == []


def test_a_file_adds_changes_and_ends() -> None:
    """What it does not name ends; what was sold before keeps its price, since the old line keeps its time."""
    before = stored("US,sms,0.01,0.005,1,,,,", "CA,sms,0.01,0.005,1,,,,")
    wanted = read_book(book("US,sms,0.02,0.005,1,,,2026-01-01,", "FR,sms,0.05,0.04,5,,,,"))
    changes = {change.key[1]: change for change in difference(before, wanted, NOW)}
    assert {country: change.change for country, change in changes.items()} == {
        "US": "changed",
        "CA": "removed",
        "FR": "added",
    }
    (line,) = planned(changes["US"], NOW)
    assert (line.valid_from, line.valid_to, line.line.sell_micros) == (NOW, None, 20_000)


def test_an_open_line_ends_where_the_next_one_begins() -> None:
    """A price rise is two lines, and the first one needs no end."""
    wanted = read_book(book("US,sms,0.01,0.005,1,,,,", "US,sms,0.02,0.005,1,,,2026-12-01,"))
    (change,) = [each for each in difference([], wanted, NOW) if each.key[1] == "US"]
    rise = datetime(2026, 12, 1, tzinfo=UTC)
    assert [(line.valid_from, line.valid_to) for line in planned(change, NOW)] == [(NOW, rise), (rise, None)]


def test_a_rise_that_has_come_is_the_only_line_left() -> None:
    """A file that keeps its old prices is imported after the rise as it was before it, and says the same."""
    lines = (
        "US,sms,0.01,0.005,1,,,,",
        "US,sms,0.02,0.005,1,,,2026-01-01,",
        "US,sms,0.03,0.005,1,,,2026-07-01,",
    )
    (change,) = [each for each in difference([], read_book(book(*lines)), NOW) if each.key[1] == "US"]
    (line,) = planned(change, NOW)
    assert (line.valid_from, line.valid_to, line.line.sell_micros) == (NOW, None, 30_000)
    assert difference(stored(*lines), read_book(book(*lines)), NOW) == []


def test_a_key_whose_lines_are_all_over_is_no_change() -> None:
    """What never held here and is over needs no line."""
    wanted = read_book(book("US,sms,0.01,0.005,1,,,2025-01-01,2026-01-01"))
    assert [each.key[1] for each in difference([], wanted, NOW)] == ["*"]
