"""
What Postgres has queued, packed by Postgres: a rebuild then costs a process next to nothing per message.

A page of the queue comes back as one row per flow, whose messages stand one after the other as the lanes keep
them (`pack_item`). Only the newest message of a flow is read as a whole, for its terms; those of the others
are older and would not count. A page with anything in it that cannot be packed is read message by message.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from gateway.lanes.entry import ITEM_BYTES, LaneEntry, pack_item
from gateway.lanes.stored import read_entries
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

PAGE: Final = 50_000
_FIRST: Final = UUID(int=0)
_PARTS_AT: Final = 24
_UUID_BYTES: Final = 16
_FLOWS: Final = """
    WITH packed AS (
        SELECT tenant_id, message_id, lane->>'identity' AS identity, lane->>'country' AS country,
            lane->>'priority' AS priority,
            uuid_send(message_id) || decode(lane->>'recipient_hash', 'base64') ||
            int4send(((lane->>'parts')::int << 24) | (coalesce((lane->>'attempt')::int, 1) << 16)) AS item
        FROM dispatch_queue
        WHERE route = $1 AND state = 'queued' AND message_id > $2 ORDER BY message_id LIMIT $3
    )
    SELECT count(*) AS messages, string_agg(item, ''::bytea ORDER BY message_id) AS items
    FROM packed GROUP BY tenant_id, identity, country, priority
"""
_PLANNED: Final = "SET LOCAL work_mem = '64MB'; SET LOCAL enable_seqscan = off"
"""A page sorts in half of that, on disk it takes twice the time; and pages follow the key, not the table."""
_WHOLE: Final = """
    SELECT message_id, lane::text AS lane FROM dispatch_queue
    WHERE route = $1 AND state = 'queued' AND message_id > $2 ORDER BY message_id LIMIT $3
"""
_NEWEST: Final = """
    SELECT message_id, lane::text AS lane FROM dispatch_queue WHERE message_id = ANY($1::uuid[])
"""


class PackedFlow(Struct, frozen=True):
    """Messages of one flow in their order, and what the newest of them says of their lane."""

    newest: LaneEntry
    items: bytes

    @property
    def messages(self) -> int:
        """How many there are."""
        return len(self.items) // ITEM_BYTES


class Page(Struct, frozen=True):
    """
    A page of the queue; `last` is where the next one goes on, None after the last.

    Its flows come as their oldest messages did: whose has waited longest has the first turn.
    """

    flows: list[PackedFlow]
    unreadable: list[UUID]
    last: UUID | None


async def read_page(connection: HotConnection, route: str, after: UUID = _FIRST, *, size: int = PAGE) -> Page:
    """Return the next page of a route's queued messages; the caller's transaction holds the picture still."""
    found = await _packed(connection, route, after, size)
    if found is not None:
        return found
    _log.warning("page_not_packed", route=route, after=str(after))
    return await _one_by_one(connection, route, after, size)


async def _packed(connection: HotConnection, route: str, after: UUID, size: int) -> Page | None:
    """None where something cannot be packed."""
    try:
        async with connection.transaction():
            await connection.execute(_PLANNED)
            rows = await connection.fetch(_FLOWS, route, after, size)
    except asyncpg.DataError:
        return None
    if not all(_is_whole(row) for row in rows):
        return None
    items: dict[UUID, bytes] = {_newest(row["items"]): row["items"] for row in rows}
    read = read_entries(await connection.fetch(_NEWEST, list(items)))
    if read.unreadable or len(read.entries) != len(items):
        return None
    flows = [PackedFlow(entry, items[entry.message_id]) for entry in read.entries]
    flows.sort(key=_oldest)
    count = sum(flow.messages for flow in flows)
    return Page(flows, [], max(items) if count == size else None)


def _is_whole(row: asyncpg.Record) -> bool:
    items: bytes | None = row["items"]
    return (
        items is not None
        and len(items) == ITEM_BYTES * row["messages"]
        and min(items[_PARTS_AT::ITEM_BYTES]) > 0
    )


def _oldest(flow: PackedFlow) -> bytes:
    return flow.items[:_UUID_BYTES]


def _newest(items: bytes) -> UUID:
    return UUID(bytes=items[-ITEM_BYTES:][:_UUID_BYTES])


async def _one_by_one(connection: HotConnection, route: str, after: UUID, size: int) -> Page:
    rows = await connection.fetch(_WHOLE, route, after, size)
    read = read_entries(rows)
    by_flow: dict[tuple[UUID, UUID, str, int], list[LaneEntry]] = {}
    for entry in read.entries:
        flow = entry.tenant_id, entry.identity, entry.country, entry.priority
        by_flow.setdefault(flow, []).append(entry)
    flows = [
        PackedFlow(each[-1], b"".join(pack_item(entry, attempt=entry.attempt) for entry in each))
        for each in by_flow.values()
    ]
    return Page(flows, read.unreadable, rows[-1]["message_id"] if len(rows) == size else None)


def in_chunks(flows: Sequence[PackedFlow], most: int) -> Iterator[list[PackedFlow]]:
    """Yield the flows by `most` messages and fewer; a longer flow goes on in the next chunk."""
    chunk: list[PackedFlow] = []
    room = most
    for flow in flows:
        start = 0
        while start < len(flow.items):
            piece = flow.items[start : start + room * ITEM_BYTES]
            chunk.append(PackedFlow(flow.newest, piece))
            start += len(piece)
            room -= len(piece) // ITEM_BYTES
            if room == 0:
                yield chunk
                chunk, room = [], most
    if chunk:
        yield chunk
