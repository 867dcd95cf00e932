"""
Finds messages that Redis forgot without losing its epoch, and puts them back.

A Redis that came back from an older dump, or a replica promoted while it lagged, still has its epoch, so no
claim notices; yet what was pushed since is gone, and its outbox rows with it. Now and then the parts that
Postgres holds as queued are compared, lane by lane, with those that stand in Redis. Redis is read first, then
Postgres a moment later, and only rows that are old enough to have been pushed long ago: whatever was claimed
in between has been marked by then, so Postgres can only hold more if something is missing. What a dispatcher
that died had claimed is not missing: its lease brings it back, and counts how often that had to happen, which
takes out a message that ends its dispatchers; a rebuild would forget the count.

A Redis whose `maxmemory-policy` lets it evict throws away a queue and keeps what counts it, so the counts
would agree for ever. It says how many keys it has thrown away: where these have become more, the lanes are
rebuilt, too, and so they are where somebody else wrote into what counts.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.lanes.entry import Priority
from gateway.lanes.errors import ScriptFailed
from gateway.lanes.lanes import LaneKey, Lanes
from gateway.lanes.rebuild import rebuild
from tenants.ids import first_at

_log = structlog.get_logger(__name__)

OLD_ENOUGH = timedelta(seconds=5)
"""A living process pushes within milliseconds, the relay within four seconds. What is younger hides a loss of
its own size until the next audit."""
SETTLES_WITHIN_S = 2.0

_QUEUED = """
    SELECT route, lane->>'identity' AS identity, lane->>'country' AS country,
        (lane->>'priority')::int AS priority, sum((lane->>'parts')::int)::bigint AS parts
    FROM dispatch_queue
    WHERE state = 'queued' AND message_id < $1 AND (due_at IS NULL OR due_at < $2)
    GROUP BY 1, 2, 3, 4
"""
"""`due_at` of a queued row is when it was queued, where that was not at the accept."""

_Lane = tuple[str, LaneKey]
Leased = Mapping[UUID, tuple[LaneKey, int]]
"""Line and parts of claimed messages."""


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
        self._evictions: dict[str, int] = {}
        """By the Redis of each route up to the last audit; before the first one of this process, none."""

    async def audit(self) -> list[str]:
        """Compare every route that has queued messages; returns the routes that were rebuilt."""
        newest = self._clock.now() - OLD_ENOUGH
        queued = await self._queued(newest)
        if not queued:
            return []
        routes = {route for route, _ in queued}
        counted = {route: await self._counted(route) for route in routes}
        backlogs = {route: each[0] for route, each in counted.items() if each is not None}
        leased = {route: each[1] for route, each in counted.items() if each is not None}
        await asyncio.sleep(self._settles_within_s)
        still_queued = await self._queued(newest)
        for route, backlog in backlogs.items():
            _add_stranded(backlog, leased[route], await self._lanes.leased(route))
        forgotten = sorted(
            {
                route
                for (route, lane), parts in still_queued.items()
                if route in backlogs and parts > backlogs[route].get(lane, 0)
            }
        )
        evictions = {route: await self._lanes.evictions(route) for route in routes}
        evicted = {route for route, number in evictions.items() if number > self._evictions.get(route, 0)}
        for route in evicted:
            _log.error("redis_evicts", route=route, way_out="CONFIG SET maxmemory-policy noeviction")
        for route in forgotten:
            _log.warning("lanes_forgot", route=route)
        mended = sorted(evicted.union(forgotten, routes - backlogs.keys()))
        for route in mended:
            await rebuild(self._lanes, self._pool, route)
        self._evictions |= evictions
        return mended

    async def _counted(self, route: str) -> tuple[dict[LaneKey, int], Leased] | None:
        """Return what waits and what is claimed; None where somebody else wrote into it."""
        try:
            return await self._lanes.backlog(route), await self._lanes.leased(route)
        except ScriptFailed:
            return None

    async def _queued(self, newest: datetime) -> Mapping[_Lane, int]:
        """Return the parts that were queued before `newest` and are queued still, by lane."""
        rows = await self._pool.fetch(_QUEUED, first_at(newest), newest)
        return {(row["route"], _lane_of(row)): row["parts"] for row in rows}


def _add_stranded(backlog: dict[LaneKey, int], before: Leased, after: Leased) -> None:
    """Count what was leased all the while: a living dispatcher settles within milliseconds."""
    for lane, parts in (before[message_id] for message_id in before.keys() & after.keys()):
        backlog[lane] = backlog.get(lane, 0) + parts


def _lane_of(row: asyncpg.Record) -> LaneKey:
    return LaneKey(UUID(row["identity"]), row["country"], Priority(row["priority"]))
