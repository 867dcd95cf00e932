"""
How late messages reached the carrier, told to the gates that counted them at their instants.

Between an instant and the carrier lie a timer, a signature, a socket, and on a busy machine the turns of
other processes. Nobody tells when a request arrived, but it did before its answer came. So what an answer
came later than the fastest answers do is the most that its request can have been late. What is more than the
gates have play for moves in their last second; nothing has to wait for it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.gates import SECOND_US
from gateway.lanes.lanes import Lanes, LateMessage
from gateway.lanes.sliding_min import SlidingMin

_log = structlog.get_logger(__name__)

PLAY_S: Final = 0.005
"""A quarter of what the gates allow for; the clocks and the fastest answer's own way have the rest."""
OF_NO_USE_S: Final = 1.0
"""The second of a message that late is over."""
_TOLD_WITHIN_S: Final = 0.02
_FASTEST_OF_S: Final = 300.0
_COMPARABLE_FROM: Final = 12
"""The first calls open connections side by side, so the fastest of them is slow too; all of each counts."""


class Lateness:
    """One per route and process."""

    def __init__(self, lanes: Lanes, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lanes = lanes
        self._monotonic = monotonic
        self._fastest = SlidingMin(_FASTEST_OF_S)
        self._answers = 0
        self._late: list[LateMessage] = []
        self._telling: asyncio.Task[None] | None = None

    def answered(self, message: ClaimedMessage) -> None:
        """Take in that the carrier has just answered for a message; its release is the one it went at."""
        now = self._monotonic()
        took_s = now - message.release_at
        fastest_s = self._fastest.add(now, took_s)
        if self._answers < _COMPARABLE_FROM:
            self._answers, fastest_s = self._answers + 1, 0.0
        late_s = took_s - fastest_s - PLAY_S
        if message.by_lanes and 0 < late_s < OF_NO_USE_S:
            self._late.append(LateMessage(message, round(late_s * SECOND_US)))
            if self._telling is None:
                self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Tell what has come together; a Redis that is away forgets its seconds anyway."""
        await asyncio.sleep(_TOLD_WITHIN_S)
        late, self._late, self._telling = self._late, [], None
        try:
            await self._lanes.arrived_late(late)
        except RedisUnavailable as error:
            _log.warning("lateness_not_told", messages=len(late), error=str(error))
