"""Writes down what became of posts, several to a commit; nobody waits for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import asyncpg
import structlog

from gateway.db.faults import DATABASE_FAULTS, REFUSED_ROWS
from gateway.db.write_behind import WriteBehind
from gateway.faultpoints import FaultPoint, fp
from gateway.telemetry import metrics
from gateway.webhooks.results import Result, end_deliveries, write_deliveries, write_results
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

_Write: TypeAlias = Callable[[HotConnection, Sequence[Result]], Awaitable[object]]

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
        try:
            await self._stored(write_results, batch)
        except REFUSED_ROWS as error:
            await self._write_apart(batch, error)

    async def _stored(self, write: _Write, batch: Sequence[Result]) -> None:
        """
        Write in one transaction, once more and again while Postgres is away.

        Raises:
            REFUSED_ROWS: Postgres is well and says no.
        """
        while True:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await write(connection, batch)
                    await fp(FaultPoint.WEBHOOKS_IN_COMMIT)
            except REFUSED_ROWS:
                raise
            except DATABASE_FAULTS as error:
                _log.warning("webhook_record_failed", results=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def _write_apart(self, batch: Sequence[Result], error: Exception) -> None:
        """
        Write each result by itself, so that one the database refuses does not hold up the others.

        Of what is refused alone as much is written as can be: else its lease would run out, and the tenant
        be posted the same again each time, for a fault of ours.
        """
        if len(batch) > 1:
            for result in batch:
                await self._write([result])
            return
        delivery_id = str(batch[0].delivery.id)
        metrics.WEBHOOK_RESULTS_REFUSED.inc()
        for less in (write_deliveries, end_deliveries):
            _log.error("webhook_result_refused", delivery_id=delivery_id, error=str(error))
            try:
                await self._stored(less, batch)
            except REFUSED_ROWS as again:
                error = again
            else:
                return
        _log.error("webhook_delivery_refused", delivery_id=delivery_id, error=str(error))
