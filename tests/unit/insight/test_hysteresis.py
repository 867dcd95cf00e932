"""Alarms that waver about a threshold do not raise and clear by the minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.insight.baseline import Usual
from gateway.insight.hysteresis import Standing, Terms, judge, limits

FRESH = Standing()
shares = st.floats(0, 1, allow_nan=False)


@st.composite
def terms(draw) -> Terms:
    """Thresholds in the right order, and any numbers of rounds."""
    low, high = sorted((draw(shares), draw(shares)))
    direction = draw(st.sampled_from(["above", "below"]))
    raise_at, clear_at = (high, low) if direction == "above" else (low, high)
    return Terms(
        direction=direction,
        raise_at=raise_at,
        clear_at=clear_at,
        rounds_to_raise=draw(st.integers(1, 5)),
        rounds_to_clear=draw(st.integers(1, 5)),
    )


def told(values, given_terms, standing=FRESH) -> list[tuple[int, str]]:
    """What the alarm says of a row of figures, and at which."""
    changes = []
    for number, value in enumerate(values):
        standing, change = judge(standing, value, given_terms)
        if change is not None:
            changes.append((number, change))
    return changes


@given(terms(), st.lists(shares, max_size=60))
def test_it_is_raised_and_cleared_in_turn_and_never_too_soon(given_terms, values) -> None:
    """A change needs its rounds in a row since the last change; the first is a raise."""
    last = -1
    for number, (at, change) in enumerate(told(values, given_terms)):
        assert change == ("raised" if number % 2 == 0 else "cleared")
        needed = given_terms.rounds_to_raise if change == "raised" else given_terms.rounds_to_clear
        assert at - last >= needed
        row = values[at - needed + 1 : at + 1]
        above = given_terms.direction == "above"
        if change == "raised":
            assert all((v > given_terms.raise_at) if above else (v < given_terms.raise_at) for v in row)
        else:
            assert all((v <= given_terms.clear_at) if above else (v >= given_terms.clear_at) for v in row)
        last = at


@given(terms(), st.lists(shares, max_size=40), st.booleans())
def test_between_the_thresholds_nothing_ever_changes(given_terms, values, raised) -> None:
    """The band is what keeps it quiet: from either side, whatever moves inside it."""
    low, high = sorted((given_terms.raise_at, given_terms.clear_at))
    inside = [low + value * (high - low) for value in values]
    strictly = [value for value in inside if low < value < high]
    assert told(strictly, given_terms, Standing(raised)) == []


@given(terms(), st.lists(shares, min_size=1, max_size=40))
def test_one_sample_the_other_way_begins_the_count_again(given_terms, values) -> None:
    """`in a row` means in a row: the streak is at most the length of the last run."""
    standing = Standing()
    for value in values:
        before = standing
        standing, change = judge(standing, value, given_terms)
        assert standing.streak in {0, before.streak + 1}
        assert change is None or standing.streak == 0


def test_a_short_dip_raises_nothing_and_a_long_one_once() -> None:
    """OTP conversion is 85 % usually; the alarm stands at 80 %, and 84 % clears it."""
    otp = Terms(direction="below", raise_at=0.80, clear_at=0.84, rounds_to_raise=2, rounds_to_clear=3)
    assert told([0.85, 0.70, 0.85, 0.75, 0.86], otp) == []
    wavering = [0.85, 0.79, 0.79, 0.81, 0.79, 0.82, 0.83, 0.84, 0.85, 0.83, 0.85, 0.85, 0.85]
    assert told(wavering, otp) == [(2, "raised"), (12, "cleared")]


def test_against_a_baseline_the_thresholds_move_with_it() -> None:
    """95 % may be superb for one country and poor for another."""
    usual = Usual(level="all", hours=8, p10=0.5, median=0.6, p90=0.7)
    apart = {"raise_at": 0.1, "clear_at": 0.05}
    assert limits("delivery_rate", "baseline", usual, **apart) == pytest.approx((0.5, 0.55))
    assert limits("block_rate", "baseline", usual, **apart) == pytest.approx((0.7, 0.65))
    assert limits("spend_pace", "baseline", usual, raise_at=2, clear_at=1.5) == pytest.approx((1.2, 0.9))
    assert limits("spend_pace", "static", None, raise_at=2, clear_at=1.5) == (2, 1.5)


def test_without_a_baseline_there_is_nothing_to_compare_with() -> None:
    """A new tenant's first Monday must not alarm against nothing."""
    assert limits("delivery_rate", "baseline", None, raise_at=0.1, clear_at=0.05) is None
