"""
Which dispatchers of a route live, and what each goes by; kept in Postgres, so that it is known without Redis.

Each says twice a second that it lives. Its view of the others is good for FRESH_S and no longer, and each is
counted for LIVE_S after it was last heard of: whoever is slow, stopped or cut off stops sending before the
others divide the rates among fewer.
"""

import time
from collections.abc import Callable
from typing import Literal
from uuid import UUID

import asyncpg
from msgspec import Struct

from gateway.dispatch.share import Place
from tenants.ids import new_uuid

BEAT_S = 0.5
FRESH_S = 1.5
LIVE_S = 4.0
SETTLED_S = FRESH_S + 2 * BEAT_S
"""After so long everybody who lives has seen a change, or has stopped sending for want of a fresh view."""

Mode = Literal["lanes", "static"]

_BEAT = """
    WITH mine AS (
        INSERT INTO dispatchers (route, worker, mode, seen_at) VALUES ($1, $2, $3, clock_timestamp())
        ON CONFLICT (route, worker) DO UPDATE SET mode = excluded.mode, seen_at = excluded.seen_at
    ), gone AS (
        DELETE FROM dispatchers WHERE route = $1 AND worker <> $2
            AND seen_at < clock_timestamp() - make_interval(mins => 5)
    )
    SELECT worker, mode, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us
    FROM dispatchers WHERE route = $1 AND worker <> $2
        AND seen_at > clock_timestamp() - make_interval(secs => $4)
    UNION ALL SELECT $2, $3, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    WHERE set_config('synchronous_commit', 'off', true) = 'off'
"""
"""A disk that makes commits slow must not make the view old; a beat that a crash loses is said again."""
_LEAVE = "DELETE FROM dispatchers WHERE route = $1 AND worker = $2"


class View(Struct, frozen=True, kw_only=True):
    """The dispatchers that live, as one of them saw them a moment ago."""

    place: Place
    all_static: bool
    """Nobody goes by the lanes, so the rates are there to be divided."""
    clock_offset_us: float
    """Added to `time.monotonic()` in microseconds it is the database's clock."""
    seen_at: float
    """`time.monotonic()` of before it was asked for."""
    steady_since: float
    """Since when this dispatcher has been in its mode and among the same others, without a gap."""

    def clock_us(self, monotonic: float) -> int:
        """Return the clock that all dispatchers share."""
        return round(monotonic * 1_000_000 + self.clock_offset_us)

    def may_share(self, monotonic: float) -> bool:
        """Whether a static share may be used at this instant."""
        fresh = monotonic - self.seen_at < FRESH_S
        return self.all_static and fresh and monotonic - self.steady_since > SETTLED_S


class Roster:
    """One dispatcher's entry in the list, and its view of the others."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        route: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._route = route
        self._monotonic = monotonic
        self.worker: UUID = new_uuid()
        self.mode: Mode = "lanes"
        self.view: View | None = None
        self._said: Mode | None = None

    async def beat(self) -> View:
        """Say what this dispatcher goes by and look who else lives."""
        before, mode = self._monotonic(), self.mode
        rows = await self._pool.fetch(_BEAT, self._route, self.worker, mode, LIVE_S)
        self.view = self._seen(rows, mode, before)
        return self.view

    async def leave(self) -> None:
        """Take the entry out: the others need not wait for it to grow old."""
        await self._pool.execute(_LEAVE, self._route, self.worker)

    def _seen(self, rows: list[asyncpg.Record], mode: Mode, before: float) -> View:
        workers = sorted(row["worker"] for row in rows)
        place = Place(rank=workers.index(self.worker), count=len(workers))
        last = self.view
        steady = (
            last is not None
            and self._said == mode
            and last.place == place
            and before - last.seen_at < FRESH_S
        )
        self._said = mode
        now_us = max(row["now_us"] for row in rows)
        return View(
            place=place,
            all_static=all(row["mode"] == "static" for row in rows),
            clock_offset_us=now_us - self._monotonic() * 1_000_000,
            seen_at=before,
            steady_since=last.steady_since if last is not None and steady else self._monotonic(),
        )
