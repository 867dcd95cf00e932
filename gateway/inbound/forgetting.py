"""What time does to texts that came in: they are deleted when they have been kept long enough."""

from datetime import timedelta
from typing import Final

import asyncpg

from gateway.db.old_rows import delete_old

KNOWN_FOR: Final = timedelta(days=45)
"""How long an `inboundMessageId` is remembered: SNS retries for 23 days, a dead letter may wait 14 more."""


async def forget_old_texts(pool: "asyncpg.Pool[asyncpg.Record]", kept_for: timedelta) -> None:
    """Delete texts older than `kept_for`, in batches, and ids that no copy can come of any more."""
    await delete_old(pool, "inbound_messages", "created_at", kept_for=kept_for)
    await delete_old(pool, "inbound_seen", "seen_at", kept_for=KNOWN_FOR)
