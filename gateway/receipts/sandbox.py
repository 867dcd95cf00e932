"""Feeds the sandbox carrier's due receipts into the road that AWS's take."""

import asyncio

import asyncpg
import msgspec

from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.receipts.batch import ReceiptCommit
from gateway.receipts.event import Receipt, parse
from gateway.telemetry import metrics

_BATCH = 200


class SandboxReceipts:
    """One round at a time; a receipt is deleted only after its commit."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", commit: ReceiptCommit, clock: Clock) -> None:
        self._pool = pool
        self._commit = commit
        self._clock = clock

    async def feed_due(self) -> int:
        """Apply what is due now; returns how many receipts."""
        rows = await self._pool.fetch(
            """
            SELECT message_id, ordinal, event FROM sandbox_receipts
            WHERE due_at <= $1 ORDER BY due_at LIMIT $2
            """,
            self._clock.now(),
            _BATCH,
        )
        events = [parse(msgspec.json.encode(row["event"])) for row in rows]
        try:
            await asyncio.gather(
                *(self._commit.submit(event) for event in events if isinstance(event, Receipt))
            )
        except Unavailable:
            return 0
        await self._pool.executemany(
            "DELETE FROM sandbox_receipts WHERE message_id = $1 AND ordinal = $2",
            [(row["message_id"], row["ordinal"]) for row in rows],
        )
        metrics.RECEIPTS_TAKEN.labels(road="sandbox").inc(len(rows))
        return len(rows)
