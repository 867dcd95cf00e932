"""
The senders that recipients had in the last days, as their messages remember them (`sticky_sender`).

A message that is moved to another sender takes its recipient along, so a fail-over counts, too.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from tenants.tables import HotConnection

KEPT_FOR: Final = timedelta(days=8)
"""So long after each message its recipient keeps its sender."""
_HAD: Final = """
    SELECT DISTINCT ON (recipient_hash, sender_id) recipient_hash, sender_id, id FROM messages
    WHERE tenant_id = $1 AND recipient_hash = ANY($2::bytea[]) AND created_at > $3 AND NOT test
        AND sender_id IS NOT NULL
    ORDER BY recipient_hash, sender_id, id DESC
"""


async def last_senders(
    connection: HotConnection, tenant_id: UUID, recipients: Collection[bytes], *, now: datetime
) -> Mapping[bytes, Sequence[UUID]]:
    """Return by recipient the senders of its live messages, that of the newest first."""
    rows = await connection.fetch(_HAD, tenant_id, list(recipients), now - KEPT_FOR)
    found: dict[bytes, list[UUID]] = {}
    for row in sorted(rows, key=lambda row: row["id"], reverse=True):
        found.setdefault(row["recipient_hash"], []).append(row["sender_id"])
    return found
