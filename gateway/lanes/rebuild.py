"""Putting the lanes back from Postgres after Redis forgot them."""

import asyncio
from uuid import UUID

import asyncpg
import structlog

from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import LaneEntry
from gateway.lanes.lanes import Lanes
from gateway.lanes.stored import UNREADABLE, read_entries, set_aside
from tenants.ids import new_uuid

_log = structlog.get_logger(__name__)

_PAGE = 20_000
"""Messages of ten thousand tenants then come a few to a flow, which Redis is told of once a page."""
_QUEUED = """
    SELECT message_id, lane::text AS lane FROM dispatch_queue
    WHERE route = $1 AND state = 'queued' ORDER BY message_id
"""


async def rebuild(lanes: Lanes, pool: "asyncpg.Pool[asyncpg.Record]", route: str) -> int | None:
    """
    Rebuild one route's lanes; returns the messages queued, or None if another process is at it.

    Raises:
        RedisUnavailable: Redis went away again; the next claim finds the epoch missing and comes back.
    """
    epoch = f"{await lanes.memory_id()}.{new_uuid()}"
    if not await lanes.begin_rebuild(route, epoch):
        return None
    await fp(FaultPoint.REBUILD_BEGUN)
    queued, unreadable = await _fill(lanes, pool, route, epoch)
    await set_aside(pool, unreadable, reason=UNREADABLE)
    if not await lanes.finish_rebuild(route, epoch):
        return None
    _log.info("lanes_rebuilt", route=route, messages=queued)
    return queued


async def _fill(
    lanes: Lanes, pool: "asyncpg.Pool[asyncpg.Record]", route: str, epoch: str
) -> tuple[int, list[UUID]]:
    """Push all that Postgres has queued; returns how many, and the rows that could not be read."""
    queued, unreadable = 0, list[UUID]()
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        cursor = await connection.cursor(_QUEUED, route)
        rows = await cursor.fetch(_PAGE)
        while rows:
            read = read_entries(rows)
            unreadable += read.unreadable
            read.entries.sort(key=_tenant)
            rows, _ = await asyncio.gather(cursor.fetch(_PAGE), lanes.push(read.entries, rebuild_epoch=epoch))
            queued += len(read.entries)
            await fp(FaultPoint.REBUILD_MIDWAY)
    return queued, unreadable


def _tenant(entry: LaneEntry) -> int:
    """Bring a flow's messages together, which stay in their order: Redis is told of a flow once."""
    return entry.tenant_id.int
