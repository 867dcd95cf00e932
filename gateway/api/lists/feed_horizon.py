"""
Up to which instant the feeds of events and of changed opt-outs are complete (docs/adr/0018).

Postgres dates an event, and a change, after it has numbered its transaction. So whoever looks at the clock,
and then at the next number to be given, knows: transactions from that number on date their events later.
When all before it have ended, no event of an earlier instant can appear any more, however long a
transaction took and whatever a machine's clock says.
"""

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog
from msgspec import Struct

from gateway.db.faults import DATABASE_FAULTS
from gateway.telemetry import metrics

_log = structlog.get_logger(__name__)

_EVERY_S: Final = 0.5
_APART: Final = timedelta(milliseconds=200)
"""Looks that are kept lie so far apart, however often somebody asks."""
_MOST: Final = 18_000
"""Looks that are kept: an hour of them."""
MARGIN: Final = timedelta(seconds=2)
"""So far Postgres's clock may be set back, as when a standby takes over, before an event is missed."""
_LOOK: Final = """
    SELECT at, lowest, lowest + ((age('3'::xid)::bigint + 3 - lowest) & 4294967295) AS next
    FROM (SELECT now() AS at, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS lowest) AS seen
"""
"""
The statement's beginning, then the number of the oldest transaction under way, then the next to be given.

`age` of the first number there is tells the next one, in 32 bits; a snapshot's own `xmax` is only the last
that has ended, plus one, and those under way may be beyond it.
"""


class _Look(Struct, frozen=True):
    at: datetime
    lowest: int
    """What is lower has ended."""
    next: int
    """The first number that was not given yet."""


class FeedHorizon:
    """One per web process; `until` looks by itself, and `run` keeps looks to go back to."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, margin: timedelta = MARGIN) -> None:
        self._pool = pool
        self._margin = margin
        self._looks: deque[_Look] = deque(maxlen=_MOST)
        self._until: datetime | None = None

    async def until(self) -> datetime | None:
        """Return the instant up to which every event is there to be read; None while that is not known."""
        found = await self._pool.fetch(_LOOK)
        look = _Look(*found[0])
        self._judge(look)
        if self._until is None:
            return None
        reached = self._until - self._margin
        metrics.FEED_BEHIND_SECONDS.set((look.at - reached).total_seconds())
        return reached

    async def run(self) -> None:
        """Look now and then until cancelled."""
        while True:
            try:
                await self.until()
            except DATABASE_FAULTS as error:
                _log.warning("feed_horizon_not_seen", error=str(error))
            await asyncio.sleep(_EVERY_S)

    def _judge(self, look: _Look) -> None:
        """Move on to the latest look all of whose transactions have ended by now."""
        while self._looks and self._looks[0].next <= look.lowest:
            self._reach(self._looks.popleft().at)
        if look.next <= look.lowest:
            self._reach(look.at)
        elif not self._looks or look.at - self._looks[-1].at >= _APART:
            self._looks.append(look)

    def _reach(self, at: datetime) -> None:
        self._until = at if self._until is None else max(self._until, at)
