"""The group commit of receipts: whatever road an event took, it is acknowledged after this commit."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS, REFUSED_ROWS
from gateway.db.group_commit import GroupCommit
from gateway.faultpoints import FaultPoint, fp
from gateway.receipts.apply import Applied, Incoming, Stray, apply_batch, park
from gateway.telemetry import metrics
from tenants.accounts.sealing import DataKey, derive

_log = structlog.get_logger(__name__)

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
        applied: list[Applied]
        try:
            applied = await apply_batch(connection, batch, now=clock.now(), platform_key=key)
        except Exception as error:
            if len(batch) > 1 or not _is_the_events_own(error):
                raise
            applied = [await _set_aside(connection, batch[0], key)]
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


def _is_the_events_own(error: Exception) -> bool:
    """Whether trying the same event again would fail the same way: the database is well, the event is not."""
    return isinstance(error, REFUSED_ROWS) or not isinstance(error, DATABASE_FAULTS)


async def _set_aside(connection: Any, item: Incoming, key: DataKey) -> Applied:
    """Keep an event that cannot be applied, sealed, for the operator; the road must not stop at it."""
    _log.exception("receipt_set_aside", event_key=item.event_key.hex())
    async with connection.transaction():
        stray = Stray(event_key=item.event_key, raw=item.raw, reason="unstorable", owner=item.owner)
        await park(connection, [stray], key)
    metrics.RECEIPTS_PARKED.labels(reason="unstorable").inc()
    return "parked"
