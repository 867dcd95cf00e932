"""What every role shares, opened once per process."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import Clock
from gateway.db.clock import open_clock
from gateway.db.engine import create_engine, create_pool
from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import ConfigurationError, Unavailable
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.redis_version import complaint
from gateway.lanes.scripts import RedisScripts, connect
from gateway.messages.keys import DataKeys
from gateway.settings import Settings
from gateway.telemetry import metrics
from gateway.wiring.stopping import closing

_log = structlog.get_logger(__name__)

_VERSION_WITHIN_S = 1.0

Task = Callable[[], Coroutine[Any, Any, None]]
"""An endless piece of work; cancelling it ends it in order."""


class Resources(Struct, kw_only=True):
    """What every role shares; one per process."""

    settings: Settings
    clock: Clock
    tenant_engine: AsyncEngine
    worker_engine: AsyncEngine
    pool: Any
    """asyncpg, role `worker`."""
    scripts: RedisScripts
    redis: Any
    keys: DataKeys


@asynccontextmanager
async def open_resources(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Resources]:
    """
    Open the stores; nothing is asked of them yet but Redis's version and the time.

    The time is Postgres's, unless a clock is given.

    Raises:
        Unavailable: Postgres cannot be used; the text says why and names the way out.
        ConfigurationError: REDIS_URL has options that redis-py does not take, or its Redis is too old.
    """
    async with AsyncExitStack() as stack:
        tenant_engine = create_engine(settings.database_url, "app", pool_size=settings.database_pool_size)
        stack.push_async_callback(closing(tenant_engine.dispose))
        worker_engine = create_engine(settings.database_url, "worker", pool_size=4)
        stack.push_async_callback(closing(worker_engine.dispose))
        pool = await _first_pool(settings)
        stack.push_async_callback(closing(pool.close))
        client = _redis(settings.redis_url)
        scripts = RedisScripts(client)
        stack.push_async_callback(scripts.aclose)
        await _refuse_old(scripts)
        if clock is None:
            ahead = metrics.CLOCK_AHEAD_SECONDS.set
            clock = await stack.enter_async_context(open_clock(pool, ahead=ahead))
        yield Resources(
            settings=settings,
            clock=clock,
            tenant_engine=tenant_engine,
            worker_engine=worker_engine,
            pool=pool,
            scripts=scripts,
            redis=client,
            keys=DataKeys(pool, settings.secret_key),
        )


async def _first_pool(settings: Settings) -> "asyncpg.Pool[asyncpg.Record]":
    """
    Connect to Postgres for the first time.

    Raises:
        Unavailable: It does not answer, or does not let the gateway in.
    """
    try:
        return await create_pool(settings.database_url, "worker", size=settings.database_pool_size)
    except DATABASE_FAULTS as error:
        said = str(error) or type(error).__name__
        raise Unavailable(
            f"Postgres cannot be used ({said}); `tollgate doctor` says what is wrong"
        ) from error


async def _refuse_old(scripts: RedisScripts) -> None:
    """
    Ask Redis what it is; one that does not say is away, and a process begins without it.

    Raises:
        ConfigurationError: It is too old; the text names the way out.
    """
    try:
        async with asyncio.timeout(_VERSION_WITHIN_S):
            found = complaint(await scripts.versions())
    except (RedisUnavailable, TimeoutError) as error:
        _log.warning("redis_version_unknown", error=str(error) or type(error).__name__)
        return
    if found is not None:
        raise ConfigurationError(found)


def _redis(url: str) -> Any:
    try:
        return connect(url)
    except ValueError as error:
        raise ConfigurationError(f"REDIS_URL cannot be used: {error}") from error
