"""
Closes messages whose life ended while they stood in line.

After an outage a lane may hold thousands that are too old to be of use; each would wait for its turn at the
lane's rate, and be charged to its gates, before a fresh one. Their entries in Redis fall away at the mark.
"""

import asyncpg
import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.state import MessageState, lock, save
from gateway.messages.status import advance

_log = structlog.get_logger(__name__)

_BATCH = 500
_EXPIRED = """
    SELECT q.message_id FROM dispatch_queue q
    JOIN messages m ON m.tenant_id = q.tenant_id AND m.id = q.message_id
    WHERE q.state = 'queued' AND m.expires_at <= $1 LIMIT $2
"""
_TAKE = """
    DELETE FROM dispatch_queue WHERE message_id = ANY($1::uuid[]) AND state = 'queued' RETURNING message_id
"""


class ExpirySweep:
    """One round at a time; any number of processes may run one."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def sweep(self) -> int:
        """Close what has expired; returns how many messages."""
        closed = 0
        while count := await self._round():
            closed += count
        if closed:
            _log.warning("messages_expired_in_line", messages=closed)
        return closed

    async def _round(self) -> int:
        now = self._clock.now()
        found = [row["message_id"] for row in await self._pool.fetch(_EXPIRED, now, _BATCH)]
        if not found:
            return 0
        async with self._pool.acquire() as connection, connection.transaction():
            states = await lock(connection, found)
            taken = [row["message_id"] for row in await connection.fetch(_TAKE, found)]
            await save(connection, [(states[i], _expired(states[i])) for i in taken if i in states], now=now)
            await fp(FaultPoint.EXPIRY_IN_COMMIT)
        return len(taken)


def _expired(state: MessageState) -> MessageState:
    if advance(state.status, "expired") == state.status:
        return state
    return structs.replace(
        state,
        status="expired",
        reason_code="ttl_expired",
        reason_detail="The message's life ended before its turn came.",
    )
