"""Whether the stores answer, for `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from gateway.db.faults import DATABASE_FAULTS
from gateway.db.revision import current_revision, mismatch
from gateway.errors import GatewayError

_DEADLINE_S = 2.0
_REDIS_DEADLINE_S = 0.5
"""Sends go on without it, so one that hangs must not make the probe's own deadline, often a second, pass."""


class StoresReadiness:
    """Asks Postgres, its schema and Redis; a revision found current is not asked for again."""

    def __init__(
        self,
        database_url: str,
        pool: "asyncpg.Pool[asyncpg.Record]",
        ping_redis: Callable[[], Awaitable[None]],
    ) -> None:
        self._database_url = database_url
        self._pool = pool
        self._ping_redis = ping_redis
        self._migrated = False

    async def failures(self) -> dict[str, str]:
        """Return what does not answer and why; empty when ready."""
        found: dict[str, str] = {}
        for name, check, deadline_s in (
            ("postgres", self._postgres, _DEADLINE_S),
            ("migrations", self._schema, _DEADLINE_S),
            ("redis", self._ping_redis, _REDIS_DEADLINE_S),
        ):
            try:
                async with asyncio.timeout(deadline_s):
                    await check()
            except (*DATABASE_FAULTS, GatewayError) as error:
                found[name] = str(error) or type(error).__name__
        return found

    async def _postgres(self) -> None:
        await self._pool.fetchval("SELECT 1")

    async def _schema(self) -> None:
        if self._migrated:
            return
        wrong = mismatch(*await current_revision(self._database_url))
        if wrong is not None:
            raise GatewayError(wrong)
        self._migrated = True
