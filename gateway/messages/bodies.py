"""
Texts taken out of messages that have been over for long enough; everything else about them stays.

Messages are walked once in the order of their ids, which is that of their accept: at its accept plus the time
a text is kept, nearly every message has been over for that time but for its seconds on the way. One that was
scheduled ahead or is not over yet goes on a list, and is judged by its end.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from gateway.clock import Clock
from tenants.ids import created_at
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

_AT_ONCE: Final = 1000
_AGAIN_AFTER: Final = timedelta(hours=6)
"""A message that is not over is looked at again."""
_OPEN_FOR: Final = timedelta(minutes=2)
"""Longer than a transaction may stand open (60 s): no message appears behind the walk."""
_LAST_OF_MS: Final = (1 << 80) - 1
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

_PLAN_EACH_TIME: Final = "SET LOCAL plan_cache_mode = force_custom_plan"
"""A plan for any span of ids reads whole partitions; one for this span reads a thousand rows of an index."""
_BEGIN: Final = "INSERT INTO body_purges (kind, after_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_MARK: Final = "SELECT after_id FROM body_purges WHERE kind = $1 FOR UPDATE SKIP LOCKED"
_MOVE: Final = "UPDATE body_purges SET after_id = $2 WHERE kind = $1"
_WALK: Final = """
    WITH seen AS (
        SELECT id, created_at FROM messages
        WHERE id > $1 AND id <= $2 AND created_at >= $3 AND created_at <= $4 ORDER BY id LIMIT $5
    ), due AS (
        SELECT m.id, m.created_at, m.final_at,
            m.final_at IS NOT NULL AND (m.send_at IS NULL OR m.final_at + $8 <= $7) AS over
        FROM messages m JOIN seen s ON m.id = s.id AND m.created_at = s.created_at
        WHERE (m.type = 'otp') = ($6::text = 'otp') AND m.body_sealed IS NOT NULL
            AND ($6::text = 'otp' OR $8 >= coalesce((
                SELECT make_interval(days => (t.plan ->> 'bodies_kept_days')::int) FROM tenants t
                WHERE t.id = m.tenant_id), $10::interval))
        ORDER BY m.id FOR NO KEY UPDATE OF m
    ), purged AS (
        UPDATE messages m SET body_sealed = NULL FROM due d
        WHERE d.over AND m.id = d.id AND m.created_at = d.created_at RETURNING 1
    ), late AS (
        INSERT INTO late_bodies (message_id, message_at, kind, due_at)
        SELECT id, created_at, $6::text, coalesce(final_at + $8, $7::timestamptz + $9) FROM due WHERE NOT over
        ON CONFLICT DO NOTHING
    )
    SELECT (SELECT id FROM seen ORDER BY id DESC LIMIT 1) AS upto, (SELECT count(*) FROM purged) AS purged
"""
_LATE: Final = """
    WITH due AS (
        SELECT message_id, message_at FROM late_bodies WHERE kind = $1 AND due_at <= $2::timestamptz
        ORDER BY message_id LIMIT $3 FOR UPDATE SKIP LOCKED
    ), judged AS (
        SELECT m.id, m.created_at, m.final_at + $4 AS over_at
        FROM messages m JOIN due d ON m.id = d.message_id AND m.created_at = d.message_at
        ORDER BY m.id FOR NO KEY UPDATE OF m
    ), purged AS (
        UPDATE messages m SET body_sealed = NULL FROM judged j
        WHERE j.over_at <= $2::timestamptz AND m.id = j.id AND m.created_at = j.created_at RETURNING m.id
    ), done AS (
        DELETE FROM late_bodies l USING due d WHERE l.message_id = d.message_id
            AND NOT EXISTS (SELECT FROM judged j WHERE j.id = d.message_id
                AND (j.over_at > $2::timestamptz OR j.over_at IS NULL))
    ), again AS (
        UPDATE late_bodies l SET due_at = coalesce(j.over_at, $2::timestamptz + $5) FROM judged j
        WHERE l.message_id = j.id AND (j.over_at > $2::timestamptz OR j.over_at IS NULL)
    )
    SELECT (SELECT count(*) FROM due) AS looked_at, (SELECT count(*) FROM purged) AS purged
"""


_TENANTS_DAYS: Final = """
    SELECT DISTINCT (plan ->> 'bodies_kept_days')::int AS days FROM tenants
    WHERE plan ->> 'bodies_kept_days' IS NOT NULL ORDER BY 1
"""


class Keeping(Struct, frozen=True, kw_only=True):
    """For how long texts stay after the message is over: one walk of its own."""

    kind: str
    """`otp`, or anything else for every other type."""
    kept: timedelta
    default: timedelta
    """For tenants whose plan says nothing. A walk is for those who keep texts no longer than `kept`."""


async def keepings(
    pool: "asyncpg.Pool[asyncpg.Record]", *, otp: timedelta, other: timedelta
) -> list[Keeping]:
    """
    Return the walks that are needed: of OTPs, of the default, and of each other time that a plan says.

    A tenant that shortens its time is caught up with by the walks of the longer ones, which pass its messages
    later.
    """
    days = [timedelta(days=row["days"]) for row in await pool.fetch(_TENANTS_DAYS)]
    others = [Keeping(kind=f"other:{each.days}", kept=each, default=other) for each in sorted({other, *days})]
    return [Keeping(kind="otp", kept=otp, default=otp), *others]


class Bodies:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def purge(self, keepings: Sequence[Keeping], *, at_once: int = _AT_ONCE) -> int:
        """Take out every text whose time is over; returns how many batches it took."""
        passed = 0
        for keeping in keepings:
            while walked := await self._walk(keeping, at_once):
                passed += walked
            while await self._judge_late(keeping, at_once):
                pass
        return passed

    async def _walk(self, keeping: Keeping, at_once: int) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_PLAN_EACH_TIME)
            await connection.execute(_BEGIN, keeping.kind, UUID(int=0))
            after: UUID | None = await connection.fetchval(_MARK, keeping.kind)
            if after is None:
                return False  # another process is at it
            now = self._clock.now()
            row = await self._pass(connection, keeping, after, now, at_once)
            if row["upto"] is None:
                return False
            await connection.execute(_MOVE, keeping.kind, row["upto"])
        _tell(keeping, row["purged"])
        return True

    async def _pass(
        self, connection: HotConnection, keeping: Keeping, after: UUID, now: datetime, at_once: int
    ) -> Any:
        until = now - keeping.kept - _OPEN_FOR
        return await connection.fetchrow(
            _WALK,
            after,
            _last_id(until),
            created_at(after) if after.int else _EPOCH,
            until,
            at_once,
            keeping.kind,
            now,
            keeping.kept,
            _AGAIN_AFTER,
            keeping.default,
        )

    async def _judge_late(self, keeping: Keeping, at_once: int) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_PLAN_EACH_TIME)
            row: Any = await connection.fetchrow(
                _LATE, keeping.kind, self._clock.now(), at_once, keeping.kept, _AGAIN_AFTER
            )
        _tell(keeping, row["purged"])
        return bool(row["looked_at"])


def _tell(keeping: Keeping, purged: int) -> None:
    if purged:
        _log.info("bodies_purged", kind=keeping.kind, messages=purged)


def _last_id(at: datetime) -> UUID:
    ms = (at - _EPOCH) // timedelta(milliseconds=1)
    return UUID(int=ms << 80 | _LAST_OF_MS)
