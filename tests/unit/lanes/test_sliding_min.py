"""The smallest of the last seconds, forgotten when it is too old."""

import random

from gateway.lanes.sliding_min import SlidingMin


def test_it_equals_the_smallest_of_what_is_young_enough():
    """Whatever the order of what is measured."""
    dice = random.Random(1)
    measured: list[tuple[float, float]] = []
    smallest, at = SlidingMin(5.0), 0.0
    for _ in range(500):
        at += dice.random()
        measured.append((at, dice.random()))
        young = [value for made_at, value in measured if at - made_at <= 5.0]
        assert smallest.add(*measured[-1]) == min(young)
