"""All processes must mean the same moment by one instant."""

import pytest

from gateway.lanes.route_clock import RouteClocks


class Hands:
    """A monotonic clock that is turned."""

    seconds = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clocks(hands) -> RouteClocks:
    return RouteClocks(hands)


def test_an_answer_heard_late_does_not_move_the_clock(clocks, hands):
    """A busy loop hears an answer 40 ms after it was made; a quick one has shown the difference before."""
    assert clocks.local("main", 5_000_000) == pytest.approx(100.0)
    hands.seconds += 1.04
    assert clocks.local("main", 6_000_000) == pytest.approx(101.0)


def test_a_quicker_answer_corrects_the_clock_at_once(clocks, hands):
    """The least delayed answer is the nearest to the truth."""
    clocks.local("main", 5_000_000)
    hands.seconds += 0.99
    assert clocks.local("main", 6_000_000) == pytest.approx(100.99)


def test_a_clock_that_was_set_back_is_believed_after_a_few_seconds(clocks, hands):
    """Another Redis took over, whose clock is behind."""
    clocks.local("main", 5_000_000)
    for _ in range(7):
        hands.seconds += 1
        here = clocks.local("main", int(hands.seconds * 1_000_000) - 100_000_000)
    assert here == pytest.approx(hands.seconds)


def test_each_route_has_its_own_clock(clocks):
    """Their histories of steps differ."""
    clocks.local("main", 5_000_000)
    assert clocks.local("other", 9_000_000) == pytest.approx(100.0)
