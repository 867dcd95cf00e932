"""Putting the lanes back from Postgres after Redis forgot them."""

import asyncio
from contextlib import suppress
from uuid import UUID

import asyncpg
import structlog

from gateway.db.faults import DATABASE_FAULTS
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.daily import DailyCounts
from gateway.lanes.lanes import LOCK_S, Lanes
from gateway.lanes.owed import Made, owed, strike_out
from gateway.lanes.packed import Page, read_page
from gateway.lanes.rebuild_lock import LockLost, rebuilding, require
from gateway.lanes.stored import UNREADABLE, set_aside
from tenants.errors import InvalidId
from tenants.ids import decode, new_uuid
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)


async def rebuild(
    lanes: Lanes, pool: "asyncpg.Pool[asyncpg.Record]", route: str, *, lock_s: float = LOCK_S
) -> int | None:
    """
    Rebuild one route's lanes; returns the messages queued, or None if another process is at it.

    Without a connection to Postgres the lanes stay as they were; what fails later can be repeated at once.

    Args:
        lock_s: How long others wait for a rebuild that died.

    Raises:
        RedisUnavailable: Redis went away again; the next claim finds the epoch missing and comes back.
    """
    memory = await lanes.memory_id(route)
    epoch = f"{memory}.{new_uuid()}"
    try:
        async with pool.acquire() as connection:
            async with rebuilding(lanes, route, epoch, lock_s=lock_s):
                await fp(FaultPoint.REBUILD_BEGUN)
                queued, made = await _put_back(lanes, connection, route, epoch, lock_s)
                require(await lanes.memory_id(route) == memory)  # or not all of what answers was emptied
            await _strike_out(connection, made)
    except LockLost:
        return None
    _log.info("lanes_rebuilt", route=route, messages=queued)
    return queued


async def _put_back(
    lanes: Lanes, connection: HotConnection, route: str, epoch: str, lock_s: float
) -> tuple[int, Made]:
    """Fill the lanes and the counters of the day; returns how many messages are queued, and who owed them."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        queued, unreadable = await _fill(lanes, connection, route, epoch, lock_s)
        made = await owed(connection, route)
    await set_aside(connection, unreadable, reason=UNREADABLE)
    with suppress(InvalidId):  # the sandbox is no account and has no ceilings
        await DailyCounts(connection, lanes).restore(decode("acc", route))
    return queued, made


async def _strike_out(connection: HotConnection, made: Made) -> None:
    """The lanes are whole without it: what stays in the outbox is pushed twice, and falls away at marks."""
    try:
        await strike_out(connection, made)
    except DATABASE_FAULTS as error:
        _log.warning("outbox_not_struck_out", error=str(error))


async def _fill(
    lanes: Lanes, connection: HotConnection, route: str, epoch: str, lock_s: float
) -> tuple[int, list[UUID]]:
    """
    Push all that the caller's transaction sees queued; returns how many, and what could not be read.

    Raises:
        LockLost: Another rebuild has taken over.
    """
    queued, unreadable = 0, list[UUID]()
    page: Page | None = await read_page(connection, route)
    while page is not None:
        queued += sum(flow.messages for flow in page.flows)
        unreadable += page.unreadable
        pushing = asyncio.create_task(
            lanes.push_packed(route, page.flows, rebuild_epoch=epoch, lock_s=lock_s)
        )
        try:
            page = await _next_page(connection, route, page)
        finally:
            taken = await pushing  # the transaction can only end when nothing is under way in it
        require(taken)
        await fp(FaultPoint.REBUILD_MIDWAY)
    return queued, unreadable


async def _next_page(connection: HotConnection, route: str, page: Page) -> Page | None:
    return None if page.last is None else await read_page(connection, route, page.last)
