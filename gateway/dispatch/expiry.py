"""
Closes messages whose life ended while they stood in line.

After an outage a lane may hold thousands that are too old to be of use; each would wait for its turn at the
lane's rate, and be charged to its gates, before a fresh one. Their entries in Redis fall away at the mark.
"""

from typing import Final

import asyncpg
import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.dispatch.given_up import given_up
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.state import MessageState, lock, save

_log = structlog.get_logger(__name__)

_BATCH = 500
_EXPIRED = """
    SELECT q.message_id FROM dispatch_queue q
    JOIN messages m ON m.tenant_id = q.tenant_id AND m.id = q.message_id
    WHERE q.state = 'queued' AND m.expires_at <= $1 LIMIT $2
"""
_TAKE = """
    DELETE FROM dispatch_queue WHERE message_id = ANY($1::uuid[]) AND state = 'queued'
    RETURNING message_id, waits_for
"""
_NOT_KNOWN_TO_HAVE_LEFT: Final = frozenset({"scheduled", "queued", "dispatching", "unknown"})
_TURN_NEVER_CAME = "The message's life ended before its turn came."
_WAITED_FOR = "The message's life ended before it could be sent; when it was last tried: {}."


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
            taken = {row["message_id"]: row["waits_for"] for row in await connection.fetch(_TAKE, found)}
            ended = [(states[i], why) for i, why in taken.items() if i in states]
            changes = [(s, expired(s, why, after_unknown=s.resend_of_unknown)) for s, why in ended]
            await save(connection, changes, now=now)
            await fp(FaultPoint.EXPIRY_IN_COMMIT)
        return len(taken)


def expired(state: MessageState, waits_for: str | None, *, after_unknown: bool) -> MessageState:
    """
    Return the message as it ends when its life is over.

    Args:
        waits_for: Why it was not sent before.
        after_unknown: Whether the carrier may have taken an earlier attempt.
    """
    if after_unknown:
        return given_up(state)
    if state.status not in _NOT_KNOWN_TO_HAVE_LEFT:
        return state  # such as delivered by another attempt, while the worker of this one stood still
    return structs.replace(
        state,
        status="expired",
        reason_code="ttl_expired",
        reason_detail=_TURN_NEVER_CAME if waits_for is None else _WAITED_FOR.format(waits_for),
    )
