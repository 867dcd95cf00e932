"""
How guessing is slowed without locking the owner out. Pure.

Three counters see each failure: of the address from one network (tight), of the network (looser), and of the
address from everywhere (loosest, and its wait is short). A stranger who guesses at somebody's address locks
himself out for minutes, and the owner, coming from elsewhere, for a minute at the most.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

FORGOTTEN_AFTER: Final = timedelta(minutes=15)
"""Failures longer ago than this do not count."""


class Limit(Struct, frozen=True, kw_only=True):
    """How many failures are free, and how long is waited after each further one."""

    free: int
    wait: timedelta


PAIR: Final = Limit(free=5, wait=timedelta(minutes=5))
NETWORK: Final = Limit(free=30, wait=timedelta(minutes=5))
ADDRESS: Final = Limit(free=50, wait=timedelta(minutes=1))


def wait_until(limit: Limit, *, failures: int, failed_at: datetime) -> datetime | None:
    """Return until when nobody is let try; None where trying is free."""
    return failed_at + limit.wait if failures >= limit.free else None


def failures_now(failures: int, failed_at: datetime, now: datetime) -> int:
    """Return how many failures still count."""
    return 0 if now - failed_at > FORGOTTEN_AFTER else failures
