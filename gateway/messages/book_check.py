"""
The proof of the books, made again and again: a metric and an alarm in the log where it fails.

Any number of schedulers may run it. One that finds a proof younger than the interval leaves it at that, so
the books are read once per interval and not once per process.
"""

from datetime import timedelta
from typing import Final

import asyncpg
import msgspec
import structlog

from gateway.messages.reconcile import Proof, prove
from gateway.telemetry import metrics
from tenants.ids import new_uuid

_log = structlog.get_logger(__name__)

_KEPT: Final = timedelta(days=90)
_SAMPLE: Final = 20
"""Differences that are kept with the result and written to the log; `tollgate reconcile` prints all."""
_RECENT: Final = "SELECT EXISTS (SELECT FROM reconciliations WHERE at > now() - $1::interval)"
_STORE: Final = """
    INSERT INTO reconciliations (id, tenants, transfers, messages, differences, sample)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
_FORGET: Final = "DELETE FROM reconciliations WHERE at < now() - $1::interval"


class BookCheck:
    """The scheduled proof."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, every: timedelta) -> None:
        self._pool = pool
        self._every = every

    async def check(self) -> None:
        """Prove the books unless somebody just did; keep what was found and raise the alarm."""
        if await self._pool.fetchval(_RECENT, self._every / 2):
            return
        proof = await prove(self._pool)
        await self._keep(proof)
        metrics.BOOK_CHECKS.labels(result="differs" if proof.differences else "agrees").inc()
        metrics.BOOK_DIFFERENCES.set(len(proof.differences))
        if proof.differences:
            _log.error(
                "books_differ",
                differences=len(proof.differences),
                sample=msgspec.to_builtins(proof.differences[:_SAMPLE]),
            )

    async def _keep(self, proof: Proof) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                _STORE,
                new_uuid(),
                proof.tenants,
                proof.transfers,
                proof.messages,
                len(proof.differences),
                msgspec.to_builtins(proof.differences[:_SAMPLE]),
            )
            await connection.execute(_FORGET, _KEPT)
