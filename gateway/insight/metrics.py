"""What is measured of messages, and how a figure of an hour or of a window is made of counts. Pure."""

from typing import Final, Literal, get_args

from msgspec import Struct

Metric = Literal["conversion", "delivery_rate", "failure_rate", "block_rate", "pending_rate", "spend_pace"]
"""
- `conversion`: of the messages that asked for feedback, the share that was received or used
- `delivery_rate`: of the messages that came to an end, the share that was delivered
- `failure_rate`: the share of them that was not
- `block_rate`: the share of them that was blocked or judged spam
- `pending_rate`: of the messages that left, the share whose receipt is overdue
- `spend_pace`: what is spent in an hour
"""
METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
Watched = Literal[
    "conversion",
    "delivery_rate",
    "failure_rate",
    "block_rate",
    "pending_rate",
    "spend_pace",
    "throttle_rate",
]
"""What an alarm may watch: those, and `throttle_rate`, the share of the calls to AWS that AWS throttled."""
WATCHED: Final[tuple[Watched, ...]] = get_args(Watched)
Direction = Literal["above", "below"]
DIRECTIONS: Final[dict[Watched, Direction]] = {
    "conversion": "below",
    "delivery_rate": "below",
    "failure_rate": "above",
    "block_rate": "above",
    "pending_rate": "above",
    "spend_pace": "above",
    "throttle_rate": "above",
}
"""On which side of a threshold the trouble is."""
MICROS: Final = 1_000_000


class Counts(Struct, frozen=True, kw_only=True):
    """What is counted of some messages."""

    accepted: int = 0
    dispatched: int = 0
    pending: int = 0
    """Left, and without a final receipt."""
    delivered: int = 0
    concluded: int = 0
    """Came to an end: delivered, undelivered, failed, expired, unknown. Not canceled."""
    blocked: int = 0
    asked: int = 0
    """Left, and their send asked for feedback."""
    received: int = 0
    """Of those, the received."""
    spent: float = 0.0
    """Dollars, or credits."""


class Reading(Struct, frozen=True):
    """A figure, and how many messages stand behind it."""

    value: float
    of: int


def reading(metric: Metric, counts: Counts, *, hours: float = 1.0) -> Reading:
    """Return the figure of some messages; 0 of 0 where there are none."""
    match metric:
        case "conversion":
            return _share(counts.received, counts.asked)
        case "delivery_rate":
            return _share(counts.delivered, counts.concluded)
        case "failure_rate":
            return _share(counts.concluded - counts.delivered, counts.concluded)
        case "block_rate":
            return _share(counts.blocked, counts.concluded)
        case "pending_rate":
            return _share(counts.pending, counts.dispatched)
        case "spend_pace":
            return Reading(counts.spent / hours, counts.accepted)


def _share(part: int, whole: int) -> Reading:
    return Reading(part / whole if whole else 0.0, whole)
