"""Writes down what became of posts, several to a commit; nobody waits for it."""

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from gateway.db.faults import DATABASE_FAULTS
from gateway.db.write_behind import WriteBehind
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
    """
    What was posted and is not yet written; lost with the process, and then posted again.

    A result may be written twice.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._line = WriteBehind(self._write, linger_s=_LINGER_S, worth=_BATCH, at_most=_BATCH)

    def add(self, result: Result) -> None:
        """Have a result written soon."""
        self._line.put(result)

    async def run(self) -> None:
        """Write until cancelled."""
        await self._line.run()

    async def finish(self, *, within_s: float = _FINISH_WITHIN_S) -> None:
        """Write what is left; what the database does not take in time is posted again by another sender."""
        try:
            async with asyncio.timeout(within_s):
                await self._line.drained()
        except TimeoutError:
            _log.warning("webhook_results_lost", results=self._line.waiting)

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
