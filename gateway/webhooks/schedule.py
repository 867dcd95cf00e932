"""
When a webhook is tried again, and when we stop. Pure: the caller brings the time and the dice.

The figures of `DELAYS` are delays *between* attempts, as Svix reads the Standard Webhooks example: the second
attempt comes 5 s after the first failed, the third 5 min after the second, and so on. Ten attempts, 75.6 h
from first to last, each delay stretched or shrunk by up to 20 % so that a receiver that comes back is not met
by everything at once.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

DELAYS: Final[tuple[timedelta, ...]] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The delay before each attempt, counted from the failure of the one before it."""

MAX_ATTEMPTS: Final = len(DELAYS)
JITTER: Final = 0.2
RETRY_AFTER_CAP: Final = timedelta(hours=1)
"""A receiver may slow us down, not park its deliveries."""
DISABLE_AFTER: Final = timedelta(hours=120)
"""An endpoint that only failed for this long is switched off, with notice."""

_GONE = 410
_SLOW_DOWN = frozenset({429, 503})

FailureKind = Literal[
    "url_refused",
    "address_refused",
    "dns",
    "connect",
    "tls",
    "timeout",
    "disconnected",
    "bad_reply",
    "redirect",
    "status",
    "unsigned",
]
"""
Also a metric label. `status` is a reply outside 2xx and 3xx; `bad_reply` is one that is not HTTP; `unsigned`
is a post that was not made, since the endpoint's secret does not open.
"""


class Delivered(Struct, frozen=True, kw_only=True, tag="delivered"):
    """The receiver answered 2xx."""

    status: int
    body_excerpt: str
    duration_ms: int


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """The receiver did not answer 2xx."""

    kind: FailureKind
    status: int | None
    """The HTTP status, if a status line came."""
    retry_after_s: float | None
    """What the receiver asked for, uncapped; None if it did not ask."""
    detail: str
    """One line for the tenant's delivery log."""
    body_excerpt: str
    duration_ms: int


Attempt = Delivered | Failed


class Done(Struct, frozen=True, kw_only=True, tag="done"):
    """Delivered; nothing more to do."""


class RetryAt(Struct, frozen=True, kw_only=True, tag="retry_at"):
    """Try this delivery again at `at`."""

    at: datetime
    pause_endpoint_until: datetime | None = None
    """Set when the receiver asked to be left alone: its other deliveries wait too."""


class Exhausted(Struct, frozen=True, kw_only=True, tag="exhausted"):
    """The last attempt failed; the delivery stays listed as failed and can be replayed by hand."""


class DisableEndpoint(Struct, frozen=True, kw_only=True, tag="disable_endpoint"):
    """The receiver said it is gone for good (410); no delivery to it is tried again."""


Decision = Done | RetryAt | Exhausted | DisableEndpoint


def decide(outcome: Attempt, *, attempt: int, now: datetime, jitter: float) -> Decision:
    """
    Return what follows an attempt.

    Args:
        outcome: What the attempt came to.
        attempt: Attempts made so far with this one, counting from 1.
        now: When the attempt ended.
        jitter: 0.0 to 1.0, drawn by the caller; 0.5 leaves the delay as it is.
    """
    if isinstance(outcome, Delivered):
        return Done()
    if outcome.status == _GONE:
        return DisableEndpoint()
    if attempt >= MAX_ATTEMPTS:
        return Exhausted()
    planned = now + delay_before(attempt + 1, jitter=jitter)
    asked = _asked_pause(outcome)
    if asked is None:
        return RetryAt(at=planned)
    return RetryAt(at=max(planned, now + asked), pause_endpoint_until=now + asked)


def delay_before(attempt: int, *, jitter: float) -> timedelta:
    """
    Return how long to wait before attempt number `attempt` (1 to 10), within ±20 %.

    Args:
        attempt: The attempt to come, counting from 1; the first is immediate.
        jitter: 0.0 to 1.0.
    """
    return DELAYS[attempt - 1] * (1 - JITTER + 2 * JITTER * jitter)


def _asked_pause(outcome: Failed) -> timedelta | None:
    if outcome.status not in _SLOW_DOWN or outcome.retry_after_s is None:
        return None
    return timedelta(seconds=min(max(outcome.retry_after_s, 0.0), RETRY_AFTER_CAP.total_seconds()))


def failing_since(outcome: Attempt, *, before: datetime | None, now: datetime) -> datetime | None:
    """
    Return since when an endpoint has only failed, or None if it works.

    Args:
        outcome: What the attempt came to.
        before: The same answer after the attempt before this one.
        now: When the attempt ended.
    """
    if isinstance(outcome, Delivered):
        return None
    return now if before is None else before


def must_disable(failing: datetime | None, *, now: datetime) -> bool:
    """Whether an endpoint that has only failed since `failing` is to be switched off."""
    return failing is not None and now - failing >= DISABLE_AFTER
