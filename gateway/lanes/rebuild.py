"""Putting the lanes back from Postgres after Redis forgot them."""

import asyncpg
import msgspec
import structlog

from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import LaneEntry
from gateway.lanes.lanes import Lanes
from tenants.ids import new_uuid

_log = structlog.get_logger(__name__)

_PAGE = 5_000
_QUEUED = """
    SELECT message_id, lane FROM dispatch_queue
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
    queued = 0
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        cursor = await connection.cursor(_QUEUED, route)
        while rows := await cursor.fetch(_PAGE):
            entries = [msgspec.convert(row["lane"], LaneEntry) for row in rows]
            await lanes.push(entries, rebuild_epoch=epoch)
            queued += len(entries)
            await fp(FaultPoint.REBUILD_MIDWAY)
    if not await lanes.finish_rebuild(route, epoch):
        return None
    _log.info("lanes_rebuilt", route=route, messages=queued)
    return queued
