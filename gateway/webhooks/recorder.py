"""Writes down what became of posts, several to a commit; nobody waits for it."""

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from gateway.db.faults import DATABASE_FAULTS
from gateway.faultpoints import FaultPoint, fp
from gateway.webhooks.results import Result, write_results

_log = structlog.get_logger(__name__)

_LINGER_S = 0.025
"""Results gathered for this long share a commit."""
_BATCH = 128
_RETRY_S = 0.5


class Recorder:
    """What was posted and is not yet written; lost with the process, and then posted again."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._results: list[Result] = []
        self._arrived = asyncio.Event()

    def add(self, result: Result) -> None:
        """Have a result written soon."""
        self._results.append(result)
        self._arrived.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_LINGER_S)
            await self._write(self._next())

    async def finish(self) -> None:
        """Write what is left."""
        while self._results:
            await self._write(self._next())

    def _next(self) -> list[Result]:
        batch, self._results = self._results[:_BATCH], self._results[_BATCH:]
        if not self._results:
            self._arrived.clear()
        return batch

    async def _write(self, batch: Sequence[Result]) -> None:
        while batch:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await write_results(connection, batch)
                    await fp(FaultPoint.WEBHOOKS_IN_COMMIT)
            except DATABASE_FAULTS as error:
                _log.warning("webhook_record_failed", results=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return
