"""Public ids: one UUID, one text, and nothing else is an id."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.errors import InvalidId
from tenants.ids import PREFIXES, created_at, decode, encode, new_uuid


@given(value=st.uuids(), prefix=st.sampled_from(sorted(PREFIXES)))
def test_an_id_survives_the_wire(value: UUID, prefix: str) -> None:
    """All 128 bits of it."""
    assert decode(prefix, encode(prefix, value)) == value


@given(one=st.uuids(), two=st.uuids())
def test_ids_sort_as_their_uuids_do(one: UUID, two: UUID) -> None:
    """A list that is sorted by its texts is sorted by time."""
    assert (one < two) == (encode("msg", one) < encode("msg", two))


def test_an_id_is_read_in_either_case() -> None:
    """People type what they see on a screen."""
    value = new_uuid()
    prefix, _, digits = encode("msg", value).partition("_")
    assert decode("msg", f"{prefix}_{digits.lower()}") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "msg",
        "msg_",
        "ten_" + "0" * 26,
        "msg_" + "0" * 25,
        "msg_" + "0" * 27,
        "msg_" + "U" * 26,
        "msg_" + "Z" * 26,
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    """Another prefix, another length, another letter, or more than 128 bits."""
    with pytest.raises(InvalidId):
        decode("msg", text)


def test_an_id_says_when_it_was_made() -> None:
    """The partition of a row follows from it, to the millisecond; the example is that of RFC 9562."""
    example = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert created_at(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_later_ids_sort_after_earlier_ones() -> None:
    """Cursors depend on it."""
    made = [encode("msg", new_uuid()) for _ in range(1000)]
    assert made == sorted(made)


def test_an_id_from_beyond_the_calendar_has_an_instant_all_the_same():
    """Anyone can write such an id into a URL or an event; it must name nothing, not break the answer."""
    assert created_at(UUID(int=2**128 - 1)).year == 9999
