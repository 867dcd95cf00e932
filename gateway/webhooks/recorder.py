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
"""Results gathered for this long share a commit, unless there is a whole batch of them."""
_BATCH = 128
_RETRY_S = 0.5
_FINISH_WITHIN_S = 10.0
"""What a process that was told to stop waits for a database that is away."""


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
            if len(self._results) < _BATCH:
                await asyncio.sleep(_LINGER_S)
            await self._write_next()

    async def finish(self, *, within_s: float = _FINISH_WITHIN_S) -> None:
        """Write what is left; what the database does not take in time is posted again by another sender."""
        try:
            async with asyncio.timeout(within_s):
                while self._results:
                    await self._write_next()
        except TimeoutError:
            _log.warning("webhook_results_lost", results=len(self._results))

    async def _write_next(self) -> None:
        """Write one batch; a batch cut off by a cancel stays in line, for results may be written twice."""
        batch = self._results[:_BATCH]
        if batch:
            await self._write(batch)
            del self._results[: len(batch)]
        if not self._results:
            self._arrived.clear()

    async def _write(self, batch: Sequence[Result]) -> None:
        while True:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await write_results(connection, batch)
                    await fp(FaultPoint.WEBHOOKS_IN_COMMIT)
            except DATABASE_FAULTS as error:
                _log.warning("webhook_record_failed", results=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return
