"""Telling an endpoint again of a window of events: what it is owed, and at which pace."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.scope import TenantScope

MOST_EVENTS: Final = 10_000
"""Per call; the answer says from where to go on."""
PER_SECOND: Final = 20
"""What was missed comes at this pace, so that news keep their place in front of it."""

Which = Literal["all", "undelivered"]


class Window(Struct, frozen=True, kw_only=True):
    """Which events."""

    since: datetime
    """Inclusive."""
    until: datetime
    """Exclusive."""
    types: Sequence[str]
    """Empty for every type."""
    but: str
    """A type that is never replayed."""


class Replayed(Struct, frozen=True, kw_only=True):
    """What a replay came to."""

    events: int
    """In the window, and looked at."""
    owed: int
    """Will be posted (again)."""
    continues_from: datetime | None
    """The instant of the first event that was too many; None if all were looked at."""


_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('webhook-replay:' || :endpoint, 0))")
_REPLAY: Final = text(
    f"""
    WITH found AS (
        SELECT id, created_at, row_number() OVER (ORDER BY id) AS place FROM (
            SELECT id, created_at FROM events
            WHERE tenant_id = CAST(:tenant_id AS uuid) AND created_at >= :since AND created_at < :until
                AND type <> :but AND (CAST(:types AS text[]) = '{{}}' OR type = ANY (CAST(:types AS text[])))
            ORDER BY id LIMIT {MOST_EVENTS + 1}) AS events
    ), wanted AS (
        SELECT id, created_at, now() + make_interval(secs => (place - 1) / {PER_SECOND}.0) AS due_at
        FROM found WHERE place <= {MOST_EVENTS}
    ), span AS (
        SELECT since, until,
            tollgate_event_id(CAST(:lowest AS uuid), (extract(epoch FROM since) * 1000)::bigint) AS first_id,
            tollgate_event_id(CAST(:highest AS uuid), (extract(epoch FROM until) * 1000)::bigint) AS last_id
        FROM (
            SELECT min(created_at) - interval '1 hour' AS since, max(created_at) + interval '1 hour' AS until
            FROM wanted) AS wide
    ), known AS (
        SELECT d.id, d.created_at, d.event_id, d.state FROM webhook_deliveries d
        WHERE d.tenant_id = CAST(:tenant_id AS uuid) AND d.endpoint_id = CAST(:endpoint AS uuid)
            AND d.created_at BETWEEN (SELECT since FROM span) AND (SELECT until FROM span)
            AND d.id BETWEEN (SELECT first_id FROM span) AND (SELECT last_id FROM span)
            AND d.event_id IN (SELECT id FROM wanted)
    ), again AS (
        UPDATE webhook_deliveries d
        SET state = 'pending', attempts = 0, next_attempt_at = wanted.due_at, delivered_at = NULL
        FROM known JOIN wanted ON wanted.id = known.event_id
        WHERE d.tenant_id = CAST(:tenant_id AS uuid) AND d.id = known.id AND d.created_at = known.created_at
            AND (d.state = 'failed' OR d.state = 'delivered' AND :all)
        RETURNING 1
    ), anew AS (
        INSERT INTO webhook_deliveries (id, tenant_id, created_at, endpoint_id, event_id, next_attempt_at)
        SELECT tollgate_event_id(tollgate_uuid7(), (extract(epoch FROM wanted.created_at) * 1000)::bigint),
            CAST(:tenant_id AS uuid), wanted.created_at, CAST(:endpoint AS uuid), wanted.id, wanted.due_at
        FROM wanted WHERE NOT EXISTS (SELECT FROM known WHERE known.event_id = wanted.id)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM again) + (SELECT count(*) FROM anew),
        (SELECT created_at FROM found WHERE place > {MOST_EVENTS})
    """  # noqa: S608 - numbers of ours
)
"""
A delivery is stored with its event, or dated as its event is where a replay makes it: so those that are known
are looked for around the events, however much was delivered since.
"""


async def replay(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, window: Window, which: Which
) -> Replayed:
    """
    Owe an endpoint the events of a window, spread over time from now on.

    An event has one delivery to an endpoint, whoever asks how often: what waits already is left as it is, and
    two replays at once are one after the other.
    """
    await session.execute(_LOCK, {"endpoint": str(endpoint_id)})
    values = {
        "tenant_id": scope.tenant_id,
        "endpoint": endpoint_id,
        "since": window.since,
        "until": window.until,
        "types": list(window.types),
        "but": window.but,
        "all": which == "all",
        "lowest": UUID(int=0),
        "highest": UUID(int=(1 << 128) - 1),
    }
    events, owed, rest = (await session.execute(_REPLAY, values)).one()
    return Replayed(events=events, owed=owed, continues_from=rest)
