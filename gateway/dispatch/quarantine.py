"""
Messages that end whoever holds them: counted, then taken out of the queue, so that their lane goes on.

A worker that dies between a claim and the mark leaves no trace but a lease that runs out, and it takes the
whole batch with it; so Redis's count of claims only makes a message a *suspect*. A suspect is handled alone,
after `may_try` has counted that in Postgres, where the count survives Redis: whoever reaches MOST_CLAIMS in
a row without an outcome was alone with its dispatchers each time.

The sweep ends what was taken out: `failed` with the code `quarantined` and its hold released, or `unknown`
where an earlier attempt may have become a text.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.messages.state import MessageState, lock, save
from gateway.messages.status import advance
from gateway.telemetry import metrics
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

MOST_CLAIMS = 3
"""Claims without an outcome after which a message is taken out."""
CLAIMED_IN_VAIN = "claimed_in_vain"
_BATCH = 200

_TRY = """
    UPDATE dispatch_queue SET claims = claims + 1,
        state = CASE WHEN claims + 1 >= $2 THEN 'quarantined' ELSE state END,
        due_at = CASE WHEN claims + 1 >= $2 THEN $3 ELSE due_at END,
        waits_for = CASE WHEN claims + 1 >= $2 THEN $4 ELSE waits_for END
    WHERE message_id = $1 AND state = 'queued' RETURNING state
"""
_COUNT = """
    UPDATE dispatch_queue SET claims = claims + 1
    WHERE message_id = ANY($1::uuid[]) AND state || '' = 'queued'
"""
_UNCOUNT = """
    UPDATE dispatch_queue SET claims = claims - 1
    WHERE message_id = ANY($1::uuid[]) AND state || '' = 'queued' AND claims > 0
"""
_TAKEN_OUT = "SELECT message_id FROM dispatch_queue WHERE state = 'quarantined' AND due_at <= $1 LIMIT $2"
_MOVE = """
    WITH gone AS (
        DELETE FROM dispatch_queue WHERE message_id = ANY($1::uuid[]) AND state || '' = 'quarantined'
        RETURNING tenant_id, message_id, route, waits_for, claims, attempt
    )
    INSERT INTO quarantined_messages
        (tenant_id, message_id, route, reason, claims, attempts, quarantined_at)
    SELECT tenant_id, message_id, route, coalesce(waits_for, $3), claims, attempt, $2 FROM gone
    RETURNING message_id, route, reason, attempts
"""
_DETAIL = "Our dispatchers could not handle this message and it was taken out; the operator has been told."


async def may_try(connection: HotConnection, message_id: UUID, *, now: datetime) -> bool:
    """
    Count that a suspect is about to be handled, alone; False when it may not be, or is no longer queued.

    Commit this before anything else is done with the message.
    """
    state = await connection.fetchval(_TRY, message_id, MOST_CLAIMS, now, CLAIMED_IN_VAIN)
    return bool(state == "queued")


async def count_tries(connection: HotConnection, message_ids: Sequence[UUID]) -> None:
    """Count that messages are about to be handled, for which no lease in Redis speaks; commit this first."""
    await connection.execute(_COUNT, list(message_ids))


async def uncount_tries(connection: HotConnection, message_ids: Sequence[UUID]) -> None:
    """Take a count back: Postgres was away, and no message was the cause of that."""
    await connection.execute(_UNCOUNT, list(message_ids))


class QuarantineSweep:
    """One round at a time; any number of processes may run one."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def sweep(self) -> int:
        """End the messages that were taken out; returns how many."""
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            found = [row["message_id"] for row in await connection.fetch(_TAKEN_OUT, now, _BATCH)]
            if not found:
                return 0
            states = await lock(connection, found)
            moved = await connection.fetch(_MOVE, found, now, CLAIMED_IN_VAIN)
            ended = [(states[row["message_id"]], row) for row in moved if row["message_id"] in states]
            await save(connection, [(state, _ended(state, row["attempts"])) for state, row in ended], now=now)
        for row in moved:
            metrics.MESSAGES_QUARANTINED.labels(route=row["route"], reason=row["reason"]).inc()
            _log.error("message_quarantined", message_id=str(row["message_id"]), reason=row["reason"])
        return len(moved)


def _ended(state: MessageState, attempts: int) -> MessageState:
    status = advance(state.status, "unknown" if attempts else "failed")
    if state.status in {status, "sent"}:
        return state
    return structs.replace(state, status=status, reason_code="quarantined", reason_detail=_DETAIL)
