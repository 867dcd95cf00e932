"""
An endpoint's circuit: when it is left alone, and how it is tried again. Pure.

Five failures in a row open it; so does a receiver that asks for a pause (429 or 503 with Retry-After). While
it is open nothing is posted, and no delivery uses up an attempt: a dead receiver costs one post per pause
instead of ten places. When the pause ends the circuit is half open: one delivery, the probe, is posted, and
its outcome closes the circuit or opens it for twice as long.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct, structs

from gateway.webhooks.schedule import JITTER, Attempt, Delivered, failing_since

OPENS_AFTER: Final = 5
"""Failures in a row."""
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=5)
"""How late a receiver that came back is noticed at the most."""
_MOST_FAILURES: Final = 32

PauseReason = Literal["asked", "failing"]


class Health(Struct, frozen=True, kw_only=True):
    """What is known of an endpoint, as its row has it."""

    failures: int = 0
    paused_until: datetime | None = None
    pause_reason: PauseReason | None = None
    failing_since: datetime | None = None
    """Since when every attempt failed; days of it switch the endpoint off."""


class Seen(Struct, frozen=True, kw_only=True):
    """One attempt, as far as it concerns its endpoint."""

    attempt: Attempt
    at: datetime
    """When it ended; aware."""
    asked_until: datetime | None = None
    """Until when the receiver asked to be left alone."""
    is_probe: bool = False
    jitter: float = 0.5
    """0.0 to 1.0."""


def is_paused(health: Health, *, now: datetime) -> bool:
    """Return whether nothing may be posted."""
    return health.paused_until is not None and health.paused_until > now


def wants_probe(health: Health, *, now: datetime) -> bool:
    """Return whether the pause is over and one delivery may be posted to learn how it is."""
    return health.failures >= OPENS_AFTER and not is_paused(health, now=now)


def after(health: Health, seen: Sequence[Seen]) -> Health:
    """Return what is known after some attempts, which may come in any order."""
    for each in sorted(seen, key=lambda one: one.at):
        health = _after_one(health, each)
    return health


def _after_one(health: Health, seen: Seen) -> Health:
    since = failing_since(seen.attempt, before=health.failing_since, now=seen.at)
    health = structs.replace(health, failing_since=since)
    if isinstance(seen.attempt, Delivered):
        is_asked = health.pause_reason == "asked" and is_paused(health, now=seen.at)
        if is_asked and not seen.is_probe:
            return health  # it answered one that was under way, and asked to be left alone all the same
        return structs.replace(health, failures=0, paused_until=None, pause_reason=None)
    if seen.asked_until is not None:
        return _paused(health, max(health.failures, OPENS_AFTER), seen.asked_until, "asked")
    if seen.is_probe:
        failures = min(max(health.failures, OPENS_AFTER) + 1, _MOST_FAILURES)
    elif health.failures >= OPENS_AFTER:
        return health  # it was under way when the circuit opened, and says nothing new
    else:
        failures = health.failures + 1
    if failures < OPENS_AFTER:
        return structs.replace(health, failures=failures)
    return _paused(health, failures, seen.at + pause(failures, jitter=seen.jitter), "failing")


def pause(failures: int, *, jitter: float) -> timedelta:
    """Return how long an open circuit waits for its next probe, within ±20 %."""
    doubled = min(FIRST_PAUSE * (1 << (failures - OPENS_AFTER)), LONGEST_PAUSE)
    return doubled * (1 - JITTER + 2 * JITTER * jitter)


def _paused(health: Health, failures: int, until: datetime, reason: PauseReason) -> Health:
    return structs.replace(health, failures=failures, paused_until=until, pause_reason=reason)
