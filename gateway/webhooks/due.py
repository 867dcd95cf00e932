"""
What is due, and what is held: deliveries are leased by moving their next attempt a little into the future.

A sender that dies gives its leases back by doing nothing, so every event is posted at least once.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct, structs

from gateway.messages.row import ROW_COLUMNS, MessageRow
from gateway.webhooks.payload import StoredEvent
from gateway.webhooks.personal import Told, personal_of
from tenants.endpoints.models import WebhookEndpoint
from tenants.ids import created_at
from tenants.tables import HotConnection

LEASE = timedelta(seconds=60)
"""Longer than the whole-exchange deadline of a post."""


class DueDelivery(Struct, frozen=True, kw_only=True):
    """One delivery this sender has leased."""

    tenant_id: UUID
    id: UUID
    created_at: datetime
    endpoint: WebhookEndpoint
    event: StoredEvent
    attempts: int
    """Made before this one."""
    is_probe: bool = False
    """Whether its outcome decides on its endpoint's circuit."""


_LEASE_DUE = """
    UPDATE webhook_deliveries d SET next_attempt_at = $2
    WHERE (d.tenant_id, d.id, d.created_at) IN (
        SELECT tenant_id, id, created_at FROM webhook_deliveries
        WHERE state = 'pending' AND next_attempt_at <= $1
        ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING d.tenant_id, d.id, d.created_at, d.endpoint_id, d.event_id, d.attempts
"""
_LEASE_HELD = """
    UPDATE webhook_deliveries d SET next_attempt_at = $1
    WHERE (d.tenant_id, d.id, d.created_at) IN (
        SELECT h.tenant_id, h.id, h.created_at FROM unnest($2::uuid[], $3::integer[]) AS e (id, room)
        CROSS JOIN LATERAL (
            SELECT w.tenant_id, w.id, w.created_at FROM webhook_deliveries w
            WHERE w.endpoint_id = e.id AND w.state = 'pending' AND w.next_attempt_at IS NULL
            ORDER BY w.id LIMIT e.room FOR UPDATE SKIP LOCKED) h)
    RETURNING d.tenant_id, d.id, d.created_at, d.endpoint_id, d.event_id, d.attempts
"""
_EVENTS = """
    SELECT e.id, e.tenant_id, e.type, e.message_id, e.sequence, e.data
    FROM unnest($1::uuid[], $4::uuid[]) AS owed (id, tenant_id) JOIN events e USING (tenant_id, id)
    WHERE e.created_at BETWEEN $2 AND $3
"""
_MESSAGES = f"""
    SELECT {ROW_COLUMNS} FROM messages WHERE id = ANY($1::uuid[]) AND created_at BETWEEN $2 AND $3
"""  # noqa: S608 - the names are a struct's fields
_ENDPOINTS = "SELECT * FROM webhook_endpoints WHERE id = ANY($1::uuid[])"


async def lease_due(connection: HotConnection, *, now: datetime, limit: int) -> list[DueDelivery]:
    """
    Take up to `limit` due deliveries with all that a post needs, in the caller's transaction.

    A delivery whose endpoint was switched off or removed is closed instead, and one whose event is not kept
    any more.
    """
    rows = await connection.fetch(_LEASE_DUE, now, now + LEASE, limit)
    return await _read(connection, rows)


async def lease_held(
    connection: HotConnection, rooms: Mapping[UUID, int], *, now: datetime
) -> list[DueDelivery]:
    """Take the oldest held deliveries of some endpoints, as many of each as it has room for, likewise."""
    rows = await connection.fetch(_LEASE_HELD, now + LEASE, list(rooms), list(rooms.values()))
    return await _read(connection, rows)


async def release(connection: HotConnection, deliveries: Sequence[DueDelivery], *, at: datetime) -> None:
    """Give leases back early, without an attempt; the deliveries are due at `at`."""
    await _set_next(connection, deliveries, at)


async def hold(connection: HotConnection, deliveries: Sequence[DueDelivery]) -> None:
    """Give leases back without an attempt and without a time: their endpoint's turn will come."""
    await _set_next(connection, deliveries, None)


async def owe_again(connection: HotConnection, deliveries: Sequence[DueDelivery], *, at: datetime) -> None:
    """Have deliveries that were written down as failed be due at `at`."""
    key = ("tenant_id", "id", "created_at")
    await connection.execute(_OWE_AGAIN, *([getattr(each, name) for each in deliveries] for name in key), at)


async def give_up(connection: HotConnection, deliveries: Sequence[DueDelivery], *, error: str) -> None:
    """Close leased deliveries as failed, without an attempt, unless somebody else has ended them."""
    key = ("tenant_id", "id", "created_at")
    names = ([getattr(each, name) for each in deliveries] for name in key)
    await connection.execute(_CLOSE, *names, [error] * len(deliveries))


async def _set_next(
    connection: HotConnection, deliveries: Sequence[DueDelivery], at: datetime | None
) -> None:
    await connection.execute(
        _SET_NEXT,
        [delivery.tenant_id for delivery in deliveries],
        [delivery.id for delivery in deliveries],
        [delivery.created_at for delivery in deliveries],
        at,
    )


_SET_NEXT = """
    UPDATE webhook_deliveries w SET next_attempt_at = $4
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS d (tenant_id, id, created_at)
    WHERE w.tenant_id = d.tenant_id AND w.id = d.id AND w.created_at = d.created_at
        AND w.state || '' = 'pending'
"""
"""By the key, never through the index of what is due (docs/adr/0025)."""


_OWE_AGAIN = """
    UPDATE webhook_deliveries w SET state = 'pending', next_attempt_at = $4
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS d (tenant_id, id, created_at)
    WHERE w.tenant_id = d.tenant_id AND w.id = d.id AND w.created_at = d.created_at
        AND w.state = 'failed'
"""
_CLOSE = """
    UPDATE webhook_deliveries w SET state = 'failed', error = d.error
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[]) AS d (tenant_id, id, created_at, error)
    WHERE w.tenant_id = d.tenant_id AND w.id = d.id AND w.created_at = d.created_at
        AND w.state || '' = 'pending'
"""


async def _read(connection: HotConnection, rows: Sequence[asyncpg.Record]) -> list[DueDelivery]:
    """Return the leased deliveries with their events, messages and endpoints; orphans are closed."""
    if not rows:
        return []
    owed = {row["event_id"]: row["tenant_id"] for row in rows}
    events = {row["id"]: row for row in await _by_id(connection, _EVENTS, owed, list(owed.values()))}
    message_ids = {row["message_id"] for row in events.values() if row["message_id"] is not None}
    messages = {row["id"]: MessageRow(*row) for row in await _by_id(connection, _MESSAGES, message_ids)}
    about = (
        Told(id=e["id"], tenant_id=e["tenant_id"], type=e["type"], data=e["data"]) for e in events.values()
    )
    personal = await personal_of(connection, about)
    endpoint_rows = await connection.fetch(_ENDPOINTS, list({row["endpoint_id"] for row in rows}))
    endpoints = {row["id"]: WebhookEndpoint(**dict(row)) for row in endpoint_rows}
    found: list[DueDelivery] = []
    orphans: list[tuple[asyncpg.Record, str]] = []
    for row in rows:
        endpoint, event = endpoints.get(row["endpoint_id"]), events.get(row["event_id"])
        if endpoint is None or endpoint.state != "enabled":
            orphans.append((row, "endpoint_disabled"))
            continue
        if event is None:
            orphans.append((row, "event_gone"))
            continue
        due = _due(row, endpoint, event, messages)
        about_whom = personal.get(event["id"])
        found.append(
            due
            if about_whom is None
            else structs.replace(due, event=structs.replace(due.event, personal=about_whom))
        )
    if orphans:
        key = ("tenant_id", "id", "created_at")
        names = ([row[name] for row, _ in orphans] for name in key)
        await connection.execute(_CLOSE, *names, [error for _, error in orphans])
    return found


def _due(
    row: asyncpg.Record, endpoint: WebhookEndpoint, event: asyncpg.Record, messages: dict[UUID, MessageRow]
) -> DueDelivery:
    return DueDelivery(
        tenant_id=row["tenant_id"],
        id=row["id"],
        created_at=row["created_at"],
        endpoint=endpoint,
        attempts=row["attempts"],
        event=StoredEvent(
            id=event["id"],
            type=event["type"],
            sequence=event["sequence"],
            data=event["data"],
            message=messages.get(event["message_id"]),
        ),
    )


async def _by_id(
    connection: HotConnection, query: str, ids: Collection[UUID], *more: list[UUID]
) -> list[asyncpg.Record]:
    if not ids:
        return []
    return await connection.fetch(query, list(ids), created_at(min(ids)), created_at(max(ids)), *more)
