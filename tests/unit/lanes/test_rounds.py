"""What some rounds take from lines of different lengths, beside rounds played one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.lanes.rounds import NOTHING, Rounds, Waiting, of_line

LINES = some.lists(
    some.builds(
        lambda messages, longer: Waiting(messages * longer, messages),
        some.integers(0, 30),
        some.integers(1, 6),
    ),
    max_size=12,
)


@given(LINES, some.integers(0, 40))
def test_rounds_take_what_one_by_one_would_go(lines, rounds):
    """Each line that has any lets one go in each."""
    left, parts, messages = [[line.messages, line.parts] for line in lines], 0, 0
    for _ in range(rounds):
        for line in left:
            if line[0] > 0:
                mean = line[1] / line[0]
                line[0], line[1] = line[0] - 1, line[1] - mean
                parts, messages = parts + mean, messages + 1
    gone = Rounds(lines).gone(rounds)
    assert (gone.parts, gone.messages) == (pytest.approx(parts), pytest.approx(messages))


@given(LINES, some.floats(0, 40))
def test_the_lines_together_are_the_sum_of_the_lines(lines, rounds):
    """So that one of them can be taken out again."""
    gone = Rounds(lines).gone(rounds)
    each = [of_line(line, rounds) for line in lines]
    assert gone.parts == pytest.approx(sum(one.parts for one in each))
    assert gone.messages == pytest.approx(sum(one.messages for one in each))


def test_a_line_with_nothing_in_it_lets_nothing_go():
    """A lane whose last message is being claimed has parts of nobody."""
    assert of_line(Waiting(3, 0), 1.0) == of_line(NOTHING, 5.0)
