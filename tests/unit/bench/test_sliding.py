"""The ruler of `exactness`: a window that is off by one would pass a limiter that is."""

import pytest

from gateway.admission.segments import measure
from gateway.bench.bare_calls import text_of
from gateway.bench.exactness import LONGEST, RATES, spread_evenly, texts_of
from gateway.bench.sliding import Came, longest_gap_ms, parts_over, peak_parts, utilisation


def _came(*each: tuple[float, int]) -> list[Came]:
    return [Came(at_ms, parts) for at_ms, parts in each]


def test_second_slides_to_where_most_parts_are() -> None:
    """Counting by whole seconds would see two and two here."""
    assert peak_parts(_came((0, 2), (900, 2), (1100, 2), (1950, 3))) == 5
    assert peak_parts([]) == 0


def test_a_message_exactly_one_second_later_is_in_another_second() -> None:
    """A rate of one a second allows it."""
    assert peak_parts(_came((0, 1), (1000, 1), (2000, 1))) == 1
    assert peak_parts(_came((0, 1), (999.9, 1))) == 2


@pytest.mark.parametrize(
    ("came", "rate", "over"),
    [
        (_came((0, 4)), 3, -2),
        (_came((0, 2), (700, 4)), 3, 0),
        (_came((0, 3), (700, 4)), 3, 1),
        (_came((0, 17), (10, 3)), 20, 0),
        (_came((0, 18), (10, 3)), 20, 1),
    ],
)
def test_slow_rates_may_end_a_message_beyond_them_and_fast_ones_not(
    came: list[Came], rate: int, over: int
) -> None:
    """Rate + parts - 1 below 20 parts a second, the rate itself above."""
    assert parts_over(came, rate) <= 0 if over <= 0 else parts_over(came, rate) == over


def test_utilisation_counts_what_filled_the_time_between_first_and_last() -> None:
    """The last message's own parts come after it."""
    assert utilisation(_came((0, 2), (100, 1), (150, 4)), 20) == pytest.approx(1.0)
    assert utilisation(_came((0, 2), (200, 1)), 20) == pytest.approx(0.5)
    assert utilisation(_came((0, 2)), 20) == 0.0


def test_gap_is_the_longest_silence() -> None:
    """It tells a slow limiter from a stalled one."""
    assert longest_gap_ms(_came((0, 1), (10, 1), (60, 1))) == 50.0


def test_texts_fill_the_burst_and_mix_with_the_other_rates() -> None:
    """Every rate has something to send from the first moment on."""
    texts = {rate: texts_of(rate, 10) for rate in RATES}
    assert all(rate * 10 <= sum(of_rate) < rate * 10 + LONGEST for rate, of_rate in texts.items())
    order = spread_evenly(texts)
    assert len(order) == sum(map(len, texts.values()))
    assert {rate for rate, _ in order[:4]} == set(RATES)


def test_a_text_has_the_parts_it_is_named_by() -> None:
    """The bare component and the gateway send the same."""
    assert [measure(text_of(parts)).parts for parts in range(1, LONGEST + 1)] == [1, 2, 3, 4]
