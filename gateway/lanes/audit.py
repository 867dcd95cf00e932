"""
Finds messages that Redis forgot without losing its epoch, and puts them back.

A Redis that came back from an older dump, or a replica promoted while it lagged, still has its epoch, so no
claim notices; yet what was pushed since is gone, and its outbox rows with it. Now and then the parts that
Postgres holds as queued are compared with those that stand in the lanes. Redis is read first, then Postgres
a moment later, and only rows that are old enough to have been pushed long ago: whatever was claimed in
between has been marked by then, so Postgres can only hold more if something is missing.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild

_log = structlog.get_logger(__name__)

OLD_ENOUGH = timedelta(seconds=60)
"""Twice a lease: what a dead dispatcher had claimed is back in its lane by then."""
SETTLES_WITHIN_S = 2.0
_UUID_TAIL_BITS = 80

_QUEUED = """
    SELECT route, sum((lane->>'parts')::int)::bigint AS parts FROM dispatch_queue
    WHERE state = 'queued' AND message_id < $1 GROUP BY route
"""


class LaneAudit:
    """One comparison at a time; two at once are harmless, since a rebuild has a lock."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        lanes: Lanes,
        clock: Clock,
        *,
        settles_within_s: float = SETTLES_WITHIN_S,
    ) -> None:
        self._pool = pool
        self._lanes = lanes
        self._clock = clock
        self._settles_within_s = settles_within_s

    async def audit(self) -> list[str]:
        """Compare every route that has queued messages; returns the routes that were rebuilt."""
        newest = _first_id_at(self._clock.now() - OLD_ENOUGH)
        routes = await self._queued(newest)
        if not routes:
            return []
        standing = {route: sum((await self._lanes.backlog(route)).values()) for route in routes}
        await asyncio.sleep(self._settles_within_s)
        still_queued = await self._queued(newest)
        forgotten = [route for route, parts in still_queued.items() if parts > standing.get(route, parts)]
        for route in forgotten:
            _log.warning(
                "lanes_forgot", route=route, queued_parts=still_queued[route], standing_parts=standing[route]
            )
            await rebuild(self._lanes, self._pool, route)
        return forgotten

    async def _queued(self, newest: UUID) -> Mapping[str, int]:
        rows = await self._pool.fetch(_QUEUED, newest)
        return {row["route"]: row["parts"] for row in rows}


def _first_id_at(instant: datetime) -> UUID:
    """Return the smallest UUIDv7 of a millisecond: ids below it were made before."""
    return UUID(int=int(instant.timestamp() * 1000) << _UUID_TAIL_BITS)
