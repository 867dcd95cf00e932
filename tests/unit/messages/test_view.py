"""How instants and amounts are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages.view import price_view, timestamp

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "instant",
    [NOON, NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), NOON.replace(microsecond=123999)],
)
def test_an_instant_is_shown_in_utc_whatever_its_offset_was(instant):
    """A send scheduled in a tenant's own offset must not be shown as that hour in UTC."""
    assert timestamp(instant) == "2026-01-31T12:00:00.123Z"


@given(st.integers(-(10**15), 10**16))
def test_an_instant_is_cut_to_the_millisecond_and_not_rounded(microseconds):
    """A time that is shown lies never after the one that is stored."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert timestamp(instant) == instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_no_instant_is_shown_as_none():
    """Times that are still to come are null, not empty strings."""
    assert timestamp(None) is None


def test_a_price_is_shown_in_the_unit_its_tenant_pays_in():
    """Dollars as decimal strings, credits as a number: never both."""
    dollars = price_view(unit="micros", estimated=6450, final=None)
    credits_ = price_view(unit="credits", estimated=2, final=1)
    assert (dollars.estimated, dollars.final, dollars.credits) == ("0.00645", None, None)
    assert (credits_.estimated, credits_.credits) == (None, 1)
