"""Putting the lanes back from Postgres after Redis forgot them."""

import asyncio
from contextlib import suppress
from uuid import UUID

import asyncpg
import structlog

from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.daily import DailyCounts
from gateway.lanes.lanes import Lanes
from gateway.lanes.packed import Page, read_page
from gateway.lanes.stored import UNREADABLE, set_aside
from tenants.errors import InvalidId
from tenants.ids import decode, new_uuid
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)


async def rebuild(lanes: Lanes, pool: "asyncpg.Pool[asyncpg.Record]", route: str) -> int | None:
    """
    Rebuild one route's lanes; returns the messages queued, or None if another process is at it.

    Raises:
        RedisUnavailable: Redis went away again; the next claim finds the epoch missing and comes back.
    """
    epoch = f"{await lanes.memory_id(route)}.{new_uuid()}"
    if not await lanes.begin_rebuild(route, epoch):
        return None
    await fp(FaultPoint.REBUILD_BEGUN)
    queued, unreadable = await _fill(lanes, pool, route, epoch)
    await set_aside(pool, unreadable, reason=UNREADABLE)
    with suppress(InvalidId):  # the sandbox is no account and has no ceilings
        await DailyCounts(pool, lanes).restore(decode("acc", route))
    if not await lanes.finish_rebuild(route, epoch):
        return None
    _log.info("lanes_rebuilt", route=route, messages=queued)
    return queued


async def _fill(
    lanes: Lanes, pool: "asyncpg.Pool[asyncpg.Record]", route: str, epoch: str
) -> tuple[int, list[UUID]]:
    """Push all that Postgres has queued; returns how many, and the rows that could not be read."""
    queued, unreadable = 0, list[UUID]()
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        page: Page | None = await read_page(connection, route)
        while page is not None:
            queued += sum(flow.messages for flow in page.flows)
            unreadable += page.unreadable
            page, _ = await asyncio.gather(
                _next_page(connection, route, page),
                lanes.push_packed(route, page.flows, rebuild_epoch=epoch),
            )
            await fp(FaultPoint.REBUILD_MIDWAY)
    return queued, unreadable


async def _next_page(connection: HotConnection, route: str, page: Page) -> Page | None:
    return None if page.last is None else await read_page(connection, route, page.last)
