"""How long a message would wait in its line, answered from memory and refreshed a few times a second."""

import asyncio
import time
from collections.abc import Callable, Mapping
from uuid import UUID

from gateway.lanes.entry import Priority
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import LaneKey, Lanes

_MILLISECONDS = 1000
_BEFORE = {priority: tuple(each for each in Priority if each <= priority) for priority in Priority}
"""Whose messages go before a new one: those of the same and of more urgent priorities."""


class _RouteBacklog:
    """What waits in one route, as last read, plus what this process has admitted since."""

    def __init__(self) -> None:
        self.read_at = float("-inf")
        self.parts: Mapping[LaneKey, int] = {}
        self.admitted: dict[LaneKey, int] = {}
        self.reading = asyncio.Lock()

    def waiting(self, lane: LaneKey) -> int:
        return self.parts.get(lane, 0) + self.admitted.get(lane, 0)


class BacklogView:
    """
    Estimates waits without a call per message.

    Args:
        max_age_s: How old the figures may be; the first question after that reads them anew, the others that
            come meanwhile wait for the same answer.
    """

    def __init__(
        self, lanes: Lanes, *, max_age_s: float = 0.25, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._lanes = lanes
        self._max_age_s = max_age_s
        self._monotonic = monotonic
        self._routes: dict[str, _RouteBacklog] = {}

    async def estimated_wait_ms(
        self, route: str, identity: UUID, country: str, priority: Priority, *, rate: float
    ) -> int:
        """
        Return how long the lane needs, at `rate` parts per second, for all that goes before a new message.

        Messages of the same and of more urgent priorities go before it. With Redis down the last figures
        stand: Postgres accepts, and the estimate is only worse.
        """
        backlog = self._routes.get(route)
        if backlog is None or self._is_old(backlog):
            backlog = await self._fresh(route)
        ahead = sum(backlog.waiting(LaneKey(identity, country, each)) for each in _BEFORE[priority])
        return round(ahead * _MILLISECONDS / rate)

    def admitted(self, route: str, identity: UUID, country: str, priority: Priority, parts: int) -> None:
        """Count a message that was accepted here and that the figures do not know yet."""
        counted = self._of(route).admitted
        lane = LaneKey(identity, country, priority)
        counted[lane] = counted.get(lane, 0) + parts

    def _of(self, route: str) -> _RouteBacklog:
        if (backlog := self._routes.get(route)) is None:
            backlog = self._routes[route] = _RouteBacklog()
        return backlog

    def _is_old(self, backlog: _RouteBacklog) -> bool:
        return self._monotonic() - backlog.read_at > self._max_age_s

    async def _fresh(self, route: str) -> _RouteBacklog:
        backlog = self._of(route)
        if self._is_old(backlog):
            async with backlog.reading:
                if self._is_old(backlog):
                    await self._read(route, backlog)
        return backlog

    async def _read(self, route: str, backlog: _RouteBacklog) -> None:
        try:
            backlog.parts = await self._lanes.backlog(route)
            backlog.admitted.clear()
        except RedisUnavailable:
            pass
        finally:
            backlog.read_at = self._monotonic()
