"""
When an alarm is raised and when it is cleared. Pure.

A figure that wavers about one threshold would raise and clear by the minute. So there are two: the alarm is
raised beyond the one, for some rounds in a row, and cleared only when the figure has come back to the other,
for some rounds in a row.
"""

from typing import Literal

from msgspec import Struct

from gateway.insight.baseline import Usual
from gateway.insight.metrics import DIRECTIONS, Direction, Watched

Against = Literal["static", "baseline"]
Change = Literal["raised", "cleared"]


class Terms(Struct, frozen=True, kw_only=True):
    """When to change."""

    direction: Direction
    raise_at: float
    """Beyond it is trouble; `clear_at` is on its good side, or equal."""
    clear_at: float
    rounds_to_raise: int
    rounds_to_clear: int


class Standing(Struct, frozen=True):
    """Where an alarm stands."""

    raised: bool = False
    streak: int = 0
    """Rounds in a row that spoke for a change."""


def judge(standing: Standing, value: float, terms: Terms) -> tuple[Standing, Change | None]:
    """Return where the alarm stands after one more figure, and what that changes."""
    speaks = _is_well(value, terms) if standing.raised else _is_trouble(value, terms)
    if not speaks:
        return Standing(standing.raised, 0), None
    streak = standing.streak + 1
    needed = terms.rounds_to_clear if standing.raised else terms.rounds_to_raise
    if streak < needed:
        return Standing(standing.raised, streak), None
    return Standing(not standing.raised), "cleared" if standing.raised else "raised"


def limits(
    metric: Watched,
    against: Against,
    usual: Usual | None,
    *,
    raise_at: float,
    clear_at: float,
) -> tuple[float, float] | None:
    """
    Return the figures at which an alarm is raised and cleared; None where there is no baseline yet.

    Against a baseline, shares are compared by their distance from the median, and the pace of spending by the
    multiple of it.
    """
    if against == "static":
        return raise_at, clear_at
    if usual is None:
        return None
    if metric == "spend_pace":
        return usual.median * raise_at, usual.median * clear_at
    sign = 1 if DIRECTIONS[metric] == "above" else -1
    return usual.median + sign * raise_at, usual.median + sign * clear_at


def _is_trouble(value: float, terms: Terms) -> bool:
    return value > terms.raise_at if terms.direction == "above" else value < terms.raise_at


def _is_well(value: float, terms: Terms) -> bool:
    return value <= terms.clear_at if terms.direction == "above" else value >= terms.clear_at
