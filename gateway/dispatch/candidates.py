"""
What waits in Postgres for one dispatcher, found without Redis and without reading the whole queue again.

The queue may hold a million rows, so it is read in pages along its key, round and round; what is newest is
looked at each time, so that a fresh one-time code does not wait until the page with it comes. A recipient's
messages all belong to one dispatcher, which so keeps the one message a second per recipient by itself.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from gateway.clock import Clock
from gateway.dispatch.share import Place
from gateway.lanes.entry import LaneEntry
from gateway.lanes.stored import UNREADABLE, read_entries, set_aside
from tenants.ids import first_at

_PAGE = 1_000
_MOST_PER_CHANNEL = 200
_NEWEST = timedelta(seconds=15)
_FIRST = UUID(int=0)
_READ = """
    SELECT message_id, lane, claims FROM dispatch_queue
    WHERE message_id > $1 AND route = $2 AND state = 'queued'
        AND (hashtext(coalesce(nullif(lane->>'recipient_hash', 'AAAAAAAAAAA='), message_id::text))
            & 2147483647) % $3 = $4
    ORDER BY message_id LIMIT $5
"""
"""The text is an empty recipient hash in base64: no recipient, no order between its messages."""

Channel = tuple[UUID, str]


class _Line(Struct):
    """Messages of one identity in one country; sorted when it is looked through."""

    waiting: dict[UUID, LaneEntry]

    def in_order(self) -> list[LaneEntry]:
        return sorted(self.waiting.values(), key=lambda entry: (entry.priority, entry.message_id))


class Candidates:
    """A window on the queue, one line per identity and country."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", route: str, clock: Clock) -> None:
        self._pool = pool
        self._route = route
        self._clock = clock
        self._lines: dict[Channel, _Line] = {}
        self._place: Place | None = None
        self._read_up_to = _FIRST
        self._suspects: set[UUID] = set()
        """Of those that wait, which were handed over before and have had no outcome since."""

    def lines(self) -> Iterator[list[LaneEntry]]:
        """Return each line's messages, the most urgent and oldest first."""
        return (line.in_order() for line in list(self._lines.values()) if line.waiting)

    def is_suspect(self, entry: LaneEntry) -> bool:
        """Return whether whoever handled a message before may have died of it."""
        return entry.message_id in self._suspects

    def taken(self, entry: LaneEntry) -> None:
        """Forget a message that was handed over."""
        self._lines[_channel(entry)].waiting.pop(entry.message_id, None)
        self._suspects.discard(entry.message_id)

    def forget(self) -> None:
        """Keep nothing: what waited before the lanes were used again has gone by them, or has changed."""
        self._begin(None)

    async def refresh(self, place: Place) -> None:
        """Read the newest messages and the next page; all anew when the dispatcher's place has changed."""
        if place != self._place:
            self._begin(place)
        await self._read(first_at(self._clock.now() - _NEWEST), place)
        last, count = await self._read(self._read_up_to, place)
        self._read_up_to = _FIRST if last is None or count < _PAGE else last

    def _begin(self, place: Place | None) -> None:
        self._place, self._lines, self._read_up_to = place, {}, _FIRST
        self._suspects = set()

    async def _read(self, after: UUID, place: Place) -> tuple[UUID | None, int]:
        rows = await self._pool.fetch(_READ, after, self._route, place.count, place.rank, _PAGE)
        read = read_entries(rows)
        await set_aside(self._pool, read.unreadable, reason=UNREADABLE)
        self._suspects -= {row["message_id"] for row in rows}
        self._suspects |= {row["message_id"] for row in rows if row["claims"] > 0}
        for entry in read.entries:
            self._keep(entry)
        return (rows[-1]["message_id"] if rows else None), len(rows)

    def _keep(self, entry: LaneEntry) -> None:
        line = self._lines.setdefault(_channel(entry), _Line({}))
        if len(line.waiting) < _MOST_PER_CHANNEL or entry.priority < max(
            each.priority for each in line.waiting.values()
        ):
            line.waiting[entry.message_id] = entry


def _channel(entry: LaneEntry) -> Channel:
    return entry.identity, entry.country
