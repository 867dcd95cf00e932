"""
Every lane of a route with what waits in it, how long that will take and how long the oldest has waited.

For people and for metrics: the whole route is read at once, a few times a minute.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from gateway.clock import Clock
from gateway.lanes.entry import RateGate
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.gates import SECOND_US
from gateway.lanes.lanes import LaneKey
from gateway.lanes.line_sums import Line, LineSums, day_wait_s, sums_of
from gateway.lanes.queues import ChannelGates, Queues, RouteQueues, Today
from gateway.lanes.rounds import Waiting
from tenants.ids import created_at, encode

FLOWS_LOOKED_AT: Final = 256
"""Tenants of a lane whose first message is looked at; with more of them the oldest may be another one's."""
_PATIENCE_S: Final = 1.0
"""A Redis that is well says in milliseconds what waits; of another one we say so after this."""
_NO_GATES: Final = ChannelGates(us=0, shared={}, caps=())
_QUEUED_AT: Final = """
    SELECT message_id, due_at FROM dispatch_queue WHERE message_id = ANY($1::uuid[]) AND state = 'queued'
"""
"""`due_at` of a queued row is when it was queued, where that was not at the accept."""


class LaneSight(Struct, frozen=True, kw_only=True):
    """One lane as it stands."""

    route: str
    lane: LaneKey
    waiting: Waiting
    drain_s: float
    """Until what waits here has left, with all that goes before it at the gates it shares."""
    oldest_s: float | None
    """How long the oldest has been ready to leave; None where it left while we looked."""


class LaneSurvey:
    """Reads Redis and a few rows of Postgres; changes nothing."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", queues: Queues, clock: Clock) -> None:
        self._pool = pool
        self._queues = queues
        self._clock = clock

    async def all(self) -> list[LaneSight]:
        """
        Return the lanes in which something waits, of every route, the one that takes longest first.

        Raises:
            RedisUnavailable: Nobody can say.
        """
        accounts = await self._pool.fetch("SELECT id FROM aws_accounts")
        sights: list[LaneSight] = []
        for account in accounts:
            sights += await self.of(encode("acc", account["id"]))
        return sorted(sights, key=lambda sight: -sight.drain_s)

    async def of(self, route: str) -> list[LaneSight]:
        """Return the lanes of one route in which something waits."""
        queues = await self._waiting(route)
        if not queues.lanes:
            return []
        channels = sorted({(lane.identity, lane.country) for lane in queues.lanes})
        gates = await self._queues.gates(route, channels)
        caps = {cap.name for of_channel in gates.values() for cap in of_channel.caps}
        today = await self._queues.today(route, caps)
        sums, ages = sums_of(queues, gates), await self._ages(route, list(queues.lanes))
        return [
            LaneSight(
                route=route,
                lane=lane,
                waiting=waiting,
                drain_s=_drain_s(
                    route, lane, gates.get((lane.identity, lane.country), _NO_GATES), sums, today
                ),
                oldest_s=ages.get(lane),
            )
            for lane, waiting in queues.lanes.items()
        ]

    async def _waiting(self, route: str) -> RouteQueues:
        """Ask first what waits, and do not wait for a Redis that takes the question and says nothing."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._queues.of(route)
        except TimeoutError as error:
            raise RedisUnavailable("Redis does not say in time what waits") from error

    async def _ages(self, route: str, lanes: Sequence[LaneKey]) -> Mapping[LaneKey, float]:
        heads = await self._queues.heads(route, lanes, flows=FLOWS_LOOKED_AT)
        wanted = [message_id for ids in heads.values() for message_id in ids]
        rows = await self._pool.fetch(_QUEUED_AT, wanted)
        since = {row["message_id"]: row["due_at"] or created_at(row["message_id"]) for row in rows}
        now = self._clock.now()
        return {
            lane: (now - oldest).total_seconds()
            for lane, ids in heads.items()
            if (oldest := _first(since, ids)) is not None
        }


def _first(since: Mapping[UUID, datetime], ids: Iterable[UUID]) -> datetime | None:
    return min((since[each] for each in ids if each in since), default=None)


def _drain_s(route: str, lane: LaneKey, gates: ChannelGates, sums: LineSums, today: Today) -> float:
    line = Line(
        route=route,
        lane=lane,
        rate=SECOND_US / gates.us if gates.us else float("inf"),
        shared=tuple(RateGate(name, SECOND_US / us) for name, us in gates.shared.items()),
    )
    longest = sums.wait_s(line)
    for cap in gates.caps:
        before = sums.before_cap(line, cap.name)
        day = day_wait_s(
            used=today.used[cap.name],
            before=before - 1,
            cap=cap.parts_per_day,
            ends_in_s=today.ends_in_s[cap.name],
            rate=line.slowest,
        )
        longest = max(longest, day)
    return longest
