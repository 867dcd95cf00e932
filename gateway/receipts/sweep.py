"""What time does to receipts: parked ones find their message, silent ones are closed after 72 hours."""

from datetime import timedelta

import asyncpg
import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.state import MessageState, lock, save
from gateway.receipts.apply import apply_batch
from gateway.receipts.event import Receipt, parse
from gateway.telemetry import metrics
from tenants.accounts.sealing import DataKey

_log = structlog.get_logger(__name__)

SILENCE = timedelta(hours=72)
"""After this AWS itself calls a message UNKNOWN; a later receipt still corrects it."""
_BATCH = 200
_LOOKED_AT = 1_000
"""Ids at a time; nearly all of their messages have ended."""
_SOON = timedelta(hours=1)
_EVER = timedelta(days=30)
"""As long as anything is parked."""

_JOINABLE = """
    SELECT p.event_key, p.body_sealed, p.owner_id FROM parked_receipts p
    JOIN provider_messages m ON m.provider_message_id = p.provider_message_id
    WHERE p.reason = 'no_message' AND p.received_at > $2::timestamptz - $3::interval
    LIMIT $1 FOR UPDATE OF p SKIP LOCKED
"""
_FOREIGN = "UPDATE parked_receipts SET reason = 'foreign' WHERE event_key = ANY($1::bytea[])"
"""
Its Context names a message that is not here, or it came of another tenant's own account, whatever AWS's id
says: kept, and not looked at again.
"""
_REACHED = """
    INSERT INTO sweeps (name, reached) VALUES ('silent', to_timestamp(0))
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING reached
"""
"""Locks the row: of two sweeps the second goes on where the first ended."""
_SILENT = """
    WITH old AS MATERIALIZED (
        SELECT message_id, message_at, provider_message_id, known_at FROM provider_messages
        WHERE known_at > $1 AND known_at < $2 ORDER BY known_at FETCH FIRST ($3::bigint) ROWS WITH TIES
    )
    SELECT max(old.known_at) AS reached, array_remove(array_agg(m.id), NULL) AS silent
    FROM old LEFT JOIN messages m ON m.id = old.message_id AND m.created_at = old.message_at
        AND m.status = 'sent' AND m.provider_message_id = old.provider_message_id
"""
"""Each id is looked at once, when it is old; of a text that was sent again only the last one counts."""
_REACH = "UPDATE sweeps SET reached = $1 WHERE name = 'silent'"


class ReceiptSweep:
    """One round at a time, by the scheduler."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, key: DataKey) -> None:
        self._pool = pool
        self._clock = clock
        self._key = key

    async def join_parked(self, *, of_last: timedelta = _SOON) -> int:
        """Apply parked receipts whose message is known by now; looks at those that came lately."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_JOINABLE, _BATCH, self._clock.now(), of_last)
            found: dict[bytes, Receipt] = {}
            for row in rows:
                event = parse(self._key.open(row["body_sealed"], context=row["event_key"]))
                if isinstance(event, Receipt):
                    found[row["event_key"]] = structs.replace(event, owner=row["owner_id"])
            if not found:
                return 0
            answers = await apply_batch(
                connection, list(found.values()), now=self._clock.now(), platform_key=self._key
            )
            joined = [key for key, answer in zip(found, answers, strict=True) if answer != "parked"]
            await connection.execute("DELETE FROM parked_receipts WHERE event_key = ANY($1::bytea[])", joined)
            await connection.execute(_FOREIGN, list(found.keys() - set(joined)))
            await fp(FaultPoint.PARKED_IN_COMMIT)
        metrics.RECEIPTS_JOINED.inc(len(joined))
        return len(joined)

    async def join_old(self) -> int:
        """Look at all that is parked: for what was recorded late, or while no scheduler ran."""
        joined = 0
        while count := await self.join_parked(of_last=_EVER):
            joined += count
        return joined

    async def close_silent(self) -> int:
        """Close messages that were sent 72 hours ago and never heard of since; all there are, in batches."""
        closed, is_more = 0, True
        while is_more:
            count, is_more = await self._close_silent_batch()
            closed += count
        return closed

    async def _close_silent_batch(self) -> tuple[int, bool]:
        """Return how many were closed, and whether there may be more."""
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            begin = await connection.fetchval(_REACHED)
            [row] = await connection.fetch(_SILENT, begin, now - SILENCE, _LOOKED_AT)
            if row["reached"] is None:
                return 0, False
            states = await lock(connection, row["silent"])
            changes = [(state, _silent(state)) for state in states.values() if state.status == "sent"]
            await save(connection, changes, now=now)
            await connection.execute(_REACH, row["reached"])
        if changes:
            _log.info("silent_messages_closed", messages=len(changes))
        return len(changes), True


def _silent(state: MessageState) -> MessageState:
    return structs.replace(
        state,
        status="unknown",
        reason_code="no_carrier_answer",
        reason_detail="No final receipt came in 72 hours; a late one still corrects this.",
    )
