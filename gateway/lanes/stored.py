"""
Lane entries as they stand in Postgres, read one by one.

A row that cannot be read is set aside, so that it stops neither the batch nor the rebuild that it came with;
`gateway.dispatch.quarantine` then ends its message.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from gateway.lanes.entry import LaneEntry
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

UNREADABLE = "unreadable"
_FROM_TEXT = msgspec.json.Decoder(LaneEntry)
_SET_ASIDE = """
    UPDATE dispatch_queue SET state = 'quarantined', due_at = now(), waits_for = $2
    WHERE message_id = ANY($1::uuid[]) AND state = 'queued'
"""


class StoredEntries(Struct, frozen=True):
    """The rows of one read, and the ids of those that no entry could be made from."""

    entries: list[LaneEntry]
    unreadable: list[UUID]


def read_entries(rows: Iterable[asyncpg.Record]) -> StoredEntries:
    """Return the entries of rows with `message_id` and `lane`, which may come as text: half the work."""
    entries: list[LaneEntry] = []
    unreadable: list[UUID] = []
    for row in rows:
        try:
            lane = row["lane"]
            entry = _FROM_TEXT.decode(lane) if isinstance(lane, str) else msgspec.convert(lane, LaneEntry)
        except (msgspec.MsgspecError, ValueError) as error:
            _log.error("lane_entry_unreadable", message_id=str(row["message_id"]), error=str(error))
            unreadable.append(row["message_id"])
        else:
            entries.append(entry)
    return StoredEntries(entries, unreadable)


async def set_aside(
    connection: "HotConnection | asyncpg.Pool[asyncpg.Record]", message_ids: Sequence[UUID], *, reason: str
) -> None:
    """Take queued messages out of the queue, to be ended by the quarantine."""
    if message_ids:
        await connection.execute(_SET_ASIDE, list(message_ids), reason)
