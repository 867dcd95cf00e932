"""Columns travel as strings that Postgres takes apart; nothing may be lost or mistaken on the way."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.columns import packed, unpacked

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(-(10**15), 10**16).map(lambda us: EPOCH + timedelta(microseconds=us))


@given(INSTANTS)
def test_an_instant_travels_to_the_microsecond(instant: datetime) -> None:
    """A due time that is rounded would leave early or never match what was answered."""
    assert EPOCH + timedelta(microseconds=int(packed("timestamptz", [instant]))) == instant


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    """Clients write offsets; the column holds an instant."""
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    shifted = at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert packed("timestamptz", [at]) == packed("timestamptz", [shifted])


def test_nothing_stays_nothing_beside_something() -> None:
    """None is no empty string, and an empty value is not None."""
    assert packed("bytea", [b"", None, b"\x1f\x1e"]) == "\\x\x1f\x1e\x1f\\x1f1e"


def test_json_with_control_characters_holds_no_separator() -> None:
    """A client's context may hold any character; JSON writes control characters as escapes."""
    text = packed("jsonb", [{"a": "\x1f\x1e"}, None])
    assert text == '{"a":"\\u001f\\u001e"}\x1f\x1e'


@pytest.mark.parametrize("word", ["", "a\x1fb"])
def test_a_word_that_is_none_is_refused(word: str) -> None:
    """A separator inside would shift every value behind it into another row."""
    with pytest.raises(ValueError, match="a word is empty or holds a separator"):
        packed("word", [word])


def test_what_is_not_packed_travels_as_it_is() -> None:
    """Free text may hold a separator, so it stays an array."""
    column = ("a\x1fb", None)
    assert packed("text", column) is column
    assert unpacked("text", "$1") == "$1::text[]"
