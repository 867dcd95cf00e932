"""Whether the stores answer, for `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from gateway.db.faults import DATABASE_FAULTS
from gateway.db.revision import current_revision, mismatch
from gateway.errors import GatewayError

_DEADLINE_S = 2.0


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
        for name, check in (
            ("postgres", self._postgres),
            ("migrations", self._schema),
            ("redis", self._ping_redis),
        ):
            try:
                async with asyncio.timeout(_DEADLINE_S):
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
