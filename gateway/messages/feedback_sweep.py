"""Feedback that never came: an hour after a message left it counts as failed, here as at AWS."""

from typing import Final

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.messages.change import describe_change
from gateway.messages.feedback import WINDOW
from gateway.messages.outbox import NewEvent, write_events

_log = structlog.get_logger(__name__)

_BATCH: Final = 500
_CLOSE: Final = """
    WITH late AS (
        SELECT tenant_id, id, created_at FROM messages
        WHERE feedback = 'pending' AND created_at < $1 AND coalesce(dispatched_at, final_at) < $1
        ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE messages m SET feedback = 'failed', sequence = m.sequence + 1 FROM late
    WHERE m.tenant_id = late.tenant_id AND m.id = late.id AND m.created_at = late.created_at
    RETURNING m.*
"""
"""A message that ended without leaving is closed an hour after its end."""


class FeedbackSweep:
    """One round at a time; any number of processes may run one."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def sweep(self) -> int:
        """Close what nobody spoke of; returns how many messages."""
        closed = 0
        while count := await self._round():
            closed += count
        if closed:
            _log.info("feedback_closed", messages=closed)
        return closed

    async def _round(self) -> int:
        before = self._clock.now() - WINDOW
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_CLOSE, before, _BATCH)
            await write_events(connection, [_event(row) for row in rows])
        return len(rows)


def _event(row: asyncpg.Record) -> NewEvent:
    return NewEvent(
        tenant_id=row["tenant_id"],
        type="message.feedback",
        message_id=row["id"],
        sequence=row["sequence"],
        data=describe_change(
            status=row["status"],
            reason=(row["reason_code"], row["reason_detail"] or "") if row["reason_code"] else None,
            attempts=row["attempts"],
            unit=row["unit"],
            price_estimated=row["price_estimated"],
            price_final=row["price_final"],
            carrier=row["carrier"],
            dispatched_at=row["dispatched_at"],
            final_at=row["final_at"],
            provider_message_id=row["provider_message_id"],
            provider_status=row["provider_status"],
            resend_of_unknown=row["resend_of_unknown"],
            feedback=row["feedback"],
        ),
    )
