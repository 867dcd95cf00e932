"""
What this process's monotonic clock shows at an instant of a route's clock, which is Redis's.

An answer says what Redis's clock showed when it was made; it arrives a little later, and much later on a busy
loop. The smallest difference of the last seconds is the one that was least delayed, so all processes agree
on an instant to within a trip to Redis, however busy each of them is.
"""

import time
from collections.abc import Callable

from gateway.lanes.gates import SECOND_US
from gateway.lanes.sliding_min import SlidingMin

_KEPT_S = 5.0
"""Clocks drift by less than a tenth of a millisecond in that time."""


class RouteClocks:
    """One difference per route: each route's clock has its own history of steps."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._smallest: dict[str, SlidingMin] = {}

    def local(self, route: str, now_us: int) -> float:
        """Return what our clock, in seconds, shows at `now_us`, which an answer has just told."""
        heard_at = self._monotonic()
        if (smallest := self._smallest.get(route)) is None:
            smallest = self._smallest[route] = SlidingMin(_KEPT_S)
        return now_us / SECOND_US + smallest.add(heard_at, heard_at - now_us / SECOND_US)
