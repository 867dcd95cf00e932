"""
How messages usually go: medians and percentiles of the hours of eight weeks. Pure.

What is usual differs by country, type, weekday and hour, so the narrowest comparison that has enough behind
it is taken: the same hour of the same weekday, the same hour of any day, or any hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Final, Literal

from msgspec import Struct, structs

from gateway.insight.metrics import Counts, Metric, reading

HISTORY: Final = timedelta(weeks=8)
YOUNGEST: Final = timedelta(hours=2)
"""A younger hour has not had its receipts yet."""
FEWEST_HOURS: Final = 4
"""The same hour of the same weekday comes eight times in the history; half of them are enough."""
FEWEST_MESSAGES: Final = 20
"""Behind a share; an hour with fewer says nothing of it."""

Level = Literal["weekday_hour", "hour", "all"]
LEVELS: Final[tuple[Level, ...]] = ("weekday_hour", "hour", "all")


class Hour(Struct, frozen=True, kw_only=True):
    """One hour's counts of one country and type, or of several together."""

    at: datetime
    country: str | None = None
    type: str | None = None
    counts: Counts
    receipt_s: float | None = None
    """The time within which 95 % of the final receipts came."""


class Usual(Struct, frozen=True, kw_only=True):
    """What a figure usually is."""

    level: Level
    """What was compared: the same hour of the same weekday, the same hour of any day, or any hour."""
    hours: int
    """Behind it."""
    p10: float
    median: float
    p90: float


def values(metric: Metric, hours: Iterable[Hour]) -> list[float]:
    """Return the figures of those hours that have enough behind them."""
    found = [reading(metric, hour.counts) for hour in hours]
    fewest = 1 if metric == "spend_pace" else FEWEST_MESSAGES
    return [each.value for each in found if each.of >= fewest]


def usual(metric: Metric, hours: Sequence[Hour], *, at: datetime) -> Usual | None:
    """Return what the figure usually is at an instant, or None where there is too little history."""
    for level in LEVELS:
        found = summed_up(values(metric, alike(hours, at, level)), level)
        if found is not None:
            return found
    return None


def usual_receipt_s(hours: Sequence[Hour], *, at: datetime) -> float | None:
    """Return within how many seconds 95 % of the receipts usually come, or None where that is not known."""
    for level in LEVELS:
        found = summed_up(receipt_times(alike(hours, at, level)), level)
        if found is not None:
            return found.median
    return None


def receipt_times(hours: Iterable[Hour]) -> list[float]:
    """Return the times of those hours that have enough receipts behind them."""
    return [
        hour.receipt_s
        for hour in hours
        if hour.receipt_s is not None and hour.counts.concluded >= FEWEST_MESSAGES
    ]


def alike(hours: Iterable[Hour], at: datetime, level: Level) -> list[Hour]:
    """Return the hours that compare with an instant; of a weekday and hour in UTC."""
    key = place(at, level)
    return [hour for hour in hours if place(hour.at, level) == key]


def place(at: datetime, level: Level) -> tuple[int | None, int | None]:
    """Return the weekday (1 is Monday) and the hour that a level tells apart; None where it does not."""
    utc = at.astimezone(UTC)
    match level:
        case "weekday_hour":
            return utc.isoweekday(), utc.hour
        case "hour":
            return None, utc.hour
        case "all":
            return None, None


class Group(Struct, frozen=True):
    """What hours have in common; None for what they need not."""

    country: str | None
    type: str | None
    weekday: int | None
    hour: int | None


def grouped(hours: Iterable[Hour], level: Level) -> dict[Group, list[Hour]]:
    """Return the hours by country, type and what a level tells apart, in that order."""
    groups: dict[Group, list[Hour]] = defaultdict(list)
    for hour in hours:
        groups[Group(hour.country, hour.type, *place(hour.at, level))].append(hour)
    return dict(sorted(groups.items(), key=lambda item: _order(item[0])))


def _order(group: Group) -> list[str]:
    return [str(part).zfill(2) for part in structs.astuple(group)]


def summed_up(found: Sequence[float], level: Level) -> Usual | None:
    """Return the percentiles of figures, or None of too few."""
    if len(found) < FEWEST_HOURS:
        return None
    tenths = quantiles(found, n=10, method="inclusive")
    return Usual(level=level, hours=len(found), p10=tenths[0], median=median(found), p90=tenths[-1])
