"""What passed in a sliding second, and how much of a rate was used. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

SECOND_MS = 1000.0
WHOLE_MESSAGE_FITS_FROM = 20
"""Parts per second from which a message has to fit into the second as a whole."""


class Came(Struct, frozen=True):
    """One message as it reached AWS."""

    at_ms: float
    parts: int


def peak_parts(came: Sequence[Came]) -> int:
    """Return the most parts that came within one second, wherever it began; `came` is in order."""
    return max((parts for parts, _ in _seconds(came)), default=0)


def parts_over(came: Sequence[Came], rate: int) -> int:
    """
    Return by how many parts the worst second broke the rate; zero or less where none did.

    A slow identity may end a message beyond its rate if it began it within: rate + parts - 1.
    """
    if rate >= WHOLE_MESSAGE_FITS_FROM:
        return peak_parts(came) - rate
    return max((parts - (rate + last - 1) for parts, last in _seconds(came)), default=0)


def utilisation(came: Sequence[Came], rate: float) -> float:
    """
    Return the share of the rate that was used from the first message to the last, whose parts come after it.

    0.0 where fewer than two came.
    """
    if len(came) < 2:
        return 0.0
    elapsed_s = (came[-1].at_ms - came[0].at_ms) / SECOND_MS
    return sum(each.parts for each in came[:-1]) / rate / elapsed_s


def longest_gap_ms(came: Sequence[Came]) -> float:
    """Return the longest time in which nothing came, between two that did."""
    return max((after.at_ms - before.at_ms for before, after in pairwise(came)), default=0.0)


def _seconds(came: Sequence[Came]) -> list[tuple[int, int]]:
    """Return for each message the parts of the second that ends with it, and its own."""
    seconds: list[tuple[int, int]] = []
    first, parts = 0, 0
    for each in came:
        parts += each.parts
        while came[first].at_ms <= each.at_ms - SECOND_MS:
            parts -= came[first].parts
            first += 1
        seconds.append((parts, each.parts))
    return seconds
