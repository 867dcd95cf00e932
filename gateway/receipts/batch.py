"""The group commit of receipts: whatever road an event took, it is acknowledged after this commit."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from gateway.clock import Clock
from gateway.db.group_commit import GroupCommit
from gateway.faultpoints import FaultPoint, fp
from gateway.receipts.apply import Applied, Incoming, apply_batch
from gateway.telemetry import metrics
from tenants.accounts.sealing import DataKey, derive

ReceiptCommit: TypeAlias = GroupCommit[Incoming, Applied]

MAX_BATCH = 256
_QUEUE = 5_000
_LINGER_S = 0.05
"""
Four receipts come per message, and SNS waits gladly (15 s); together they cost one commit, and those of one
message one write of it.
"""


def platform_key(secret_key: str) -> DataKey:
    """Return the operator's own sealing key, for events that belong to no tenant yet."""
    return DataKey(derive(secret_key.encode(), b"tollgate/v1/parked-receipts"))


def create_receipts(pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, key: DataKey) -> ReceiptCommit:
    """Return the waiting line of receipts; a batch that fails is not acknowledged and comes again."""

    async def write(connection: Any, batch: Sequence[Incoming]) -> list[Applied]:
        await fp(FaultPoint.RECEIPTS_BEFORE_COMMIT)
        applied = await apply_batch(connection, batch, now=clock.now(), platform_key=key)
        await fp(FaultPoint.RECEIPTS_AFTER_COMMIT)
        return applied

    return GroupCommit(
        pool,
        write,
        queue_size=_QUEUE,
        max_batch=MAX_BATCH,
        sizes=metrics.RECEIPT_BATCH_EVENTS,
        seconds=metrics.RECEIPT_COMMIT_SECONDS,
        linger_s=_LINGER_S,
    )
