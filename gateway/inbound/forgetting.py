"""What time does to texts that came in: they are deleted when they have been kept long enough."""

from datetime import timedelta
from typing import Final

import asyncpg

KNOWN_FOR: Final = timedelta(days=45)
"""How long an `inboundMessageId` is remembered: SNS retries for 23 days, a dead letter may wait 14 more."""
_BATCH: Final = 1000
_OLD: Final = """
    DELETE FROM inbound_messages WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM inbound_messages WHERE created_at < now() - $1::interval LIMIT $2)
"""
_SEEN: Final = "DELETE FROM inbound_seen WHERE seen_at < now() - $1::interval"


async def forget_old_texts(pool: "asyncpg.Pool[asyncpg.Record]", kept_for: timedelta) -> None:
    """Delete texts older than `kept_for`, in batches, and ids that no copy can come of any more."""
    while not (await pool.execute(_OLD, kept_for, _BATCH)).endswith(" 0"):
        pass
    await pool.execute(_SEEN, KNOWN_FOR)
