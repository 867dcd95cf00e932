"""
Endpoints that hold their deliveries: who may be tried, who must wait, and whose line has gone.

Each function is one statement or a few, each of them true by itself: if a sender dies between two, a lease
runs out or the sweep (`gateway.webhooks.strays`) finds what is held by nobody.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from gateway.webhooks.circuit import OPENS_AFTER
from tenants.tables import HotConnection

_MOST_ENDPOINTS = 128
_MOST_CLOSED = 1_000


class Holding(Struct, frozen=True, kw_only=True):
    """Endpoints whose held deliveries may be fetched now."""

    open: list[UUID]
    half_open: list[UUID]
    """One of each, once the probe is claimed."""
    disabled: list[UUID]


_READY = """
    SELECT id, state, failures FROM webhook_endpoints
    WHERE holding AND (paused_until IS NULL OR paused_until <= $1 OR state = 'disabled')
        AND id <> ALL ($2::uuid[])
    ORDER BY paused_until LIMIT $3
"""
_CLAIM = """
    UPDATE webhook_endpoints w SET paused_until = $3
    FROM (SELECT id FROM webhook_endpoints WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE) AS locked
    WHERE w.id = locked.id AND w.failures >= $4 AND w.paused_until <= $2 AND w.state = 'enabled'
    RETURNING w.id
"""
_UNCLAIM = """
    UPDATE webhook_endpoints w SET paused_until = $2
    FROM (SELECT id FROM webhook_endpoints WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE) AS locked
    WHERE w.id = locked.id AND w.paused_until = $3
"""
_HOLD = """
    UPDATE webhook_endpoints w SET holding = true
    FROM (SELECT id FROM webhook_endpoints WHERE id = ANY ($1::uuid[]) AND NOT holding ORDER BY id FOR UPDATE)
        AS locked
    WHERE w.id = locked.id
"""
_LET_GO = """
    UPDATE webhook_endpoints w SET holding = false
    FROM (SELECT id FROM webhook_endpoints WHERE id = ANY ($1::uuid[]) AND holding ORDER BY id FOR UPDATE)
        AS locked
    WHERE w.id = locked.id AND (w.paused_until IS NULL OR w.paused_until <= $2 OR w.state = 'disabled')
        AND NOT EXISTS (
        SELECT FROM webhook_deliveries d
        WHERE d.endpoint_id = w.id AND d.state = 'pending' AND d.next_attempt_at IS NULL)
    RETURNING w.id
"""
_CLOSE_HELD = """
    UPDATE webhook_deliveries d SET state = 'failed', error = 'endpoint_disabled'
    WHERE (d.tenant_id, d.id, d.created_at) IN (
        SELECT tenant_id, id, created_at FROM webhook_deliveries
        WHERE endpoint_id = ANY ($1::uuid[]) AND state = 'pending' AND next_attempt_at IS NULL
        LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


async def ready(connection: HotConnection, *, now: datetime, but: Collection[UUID]) -> Holding:
    """Return holding endpoints that are not paused, leaving out some."""
    rows = await connection.fetch(_READY, now, list(but), _MOST_ENDPOINTS)
    enabled = [row for row in rows if row["state"] == "enabled"]
    return Holding(
        open=[row["id"] for row in enabled if row["failures"] < OPENS_AFTER],
        half_open=[row["id"] for row in enabled if row["failures"] >= OPENS_AFTER],
        disabled=[row["id"] for row in rows if row["state"] == "disabled"],
    )


async def claim_probes(
    connection: HotConnection, endpoints: Sequence[UUID], *, now: datetime, until: datetime
) -> set[UUID]:
    """Return those endpoints whose next probe is the caller's; others may claim it from `until` on."""
    if not endpoints:
        return set()
    rows = await connection.fetch(_CLAIM, list(endpoints), now, until, OPENS_AFTER)
    return {row["id"] for row in rows}


async def unclaim_probes(
    connection: HotConnection, endpoints: Sequence[UUID], *, now: datetime, claimed_until: datetime
) -> None:
    """Give claims back for which there was nothing to post."""
    if endpoints:
        await connection.execute(_UNCLAIM, list(endpoints), now, claimed_until)


async def start_holding(connection: HotConnection, endpoints: Collection[UUID]) -> None:
    """Have the endpoints' deliveries, also those to come, wait for their endpoint."""
    if endpoints:
        await connection.execute(_HOLD, list(endpoints))


async def stop_holding(connection: HotConnection, endpoints: Sequence[UUID], *, now: datetime) -> None:
    """Let the endpoints that hold nothing any more be told at once again."""
    if endpoints:
        await connection.execute(_LET_GO, list(endpoints), now)


async def close_held(connection: HotConnection, endpoints: Sequence[UUID], *, now: datetime) -> None:
    """List what endpoints that were switched off still hold as failed, some of it at a time."""
    if endpoints:
        await close_some(connection, endpoints)
        await stop_holding(connection, endpoints, now=now)


async def close_some(connection: HotConnection, endpoints: Sequence[UUID]) -> bool:
    """List up to a thousand deliveries that endpoints hold as failed; False where none was left."""
    done = await connection.execute(_CLOSE_HELD, list(endpoints), _MOST_CLOSED)
    return not done.endswith(" 0")
