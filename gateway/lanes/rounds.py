"""
How much goes of several lines that take turns. Pure.

Lines that share a gate are served one message each, round by round, for as long as they have any. So while
one of them lets k messages go, every other lets k go, or all that it has. What stands in the longest line
then says little about how long a short one waits.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from msgspec import Struct


class Waiting(Struct, frozen=True):
    """What stands in one lane; claimed messages no longer count."""

    parts: int
    messages: int

    def __add__(self, other: "Waiting") -> "Waiting":
        """Return both together."""
        return Waiting(self.parts + other.parts, self.messages + other.messages)


NOTHING: Final = Waiting(0, 0)


class Gone(Struct, frozen=True):
    """What leaves in some rounds; a share of a message is its mean."""

    parts: float
    messages: float


class Rounds:
    """Of the lines as they stand: what some rounds take from all of them together."""

    def __init__(self, lines: Iterable[Waiting]) -> None:
        some = sorted((line for line in lines if line.messages > 0), key=lambda line: line.messages)
        self._lengths = [line.messages for line in some]
        self._messages = list(accumulate(self._lengths, initial=0))
        self._parts = list(accumulate((line.parts for line in some), initial=0))
        means = [line.parts / line.messages for line in some]
        self._means = [*accumulate(reversed(means), initial=0.0)][::-1]

    def gone(self, rounds: float) -> Gone:
        """Return what leaves of all lines in so many rounds."""
        emptied = bisect_left(self._lengths, rounds)
        longer = len(self._lengths) - emptied
        return Gone(
            parts=self._parts[emptied] + rounds * self._means[emptied],
            messages=self._messages[emptied] + rounds * longer,
        )


def of_line(line: Waiting, rounds: float) -> Gone:
    """Return what leaves of one line in so many rounds."""
    if line.messages <= 0:
        return Gone(0.0, 0.0)
    messages = min(float(line.messages), rounds)
    return Gone(parts=messages * line.parts / line.messages, messages=messages)
