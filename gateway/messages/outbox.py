"""
The outbox: events and the deliveries they owe, written in the transaction that made them true.

Whoever changes what a tenant sees calls `write_events` before its commit; nothing is announced that did not
happen, and nothing that happened goes unannounced because a process died in between.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from tenants.compound import Alike, Write, execute, insert_alike
from tenants.ids import tail
from tenants.tables import HotConnection

WAKE_CHANNEL = "tollgate_webhooks"
"""One NOTIFY per batch wakes the senders; a poll each second covers a lost one."""


class NewEvent(Struct, frozen=True, kw_only=True):
    """
    One event to store; `data` holds no phone number and no text, they are joined in when it is sent.

    Postgres makes its id, with its own instant inside, when it is stored (docs/adr/0018): the feed lists
    events in the order of their ids, and clocks of machines differ.
    """

    tenant_id: UUID
    type: str
    """One of the contract's event types; `gateway.webhooks.event_types` lists them."""
    data: msgspec.Raw
    message_id: UUID | None = None
    sequence: int = 1


_INSTANT = Write("event_instant", "SELECT tollgate_event_ms() AS ms", ())
_EVENTS = Alike(
    table="events",
    own={"id": "uuid", "message_id": "uuid", "data": "jsonb"},
    shared={"tenant_id": "uuid", "type": "word", "sequence": "smallint"},
    made={
        "id": "tollgate_event_id(id, event_instant.ms)",
        "created_at": "timestamptz 'epoch' + event_instant.ms * interval '1 millisecond'",
    },
    beside="event_instant",
    unless="EXISTS (SELECT FROM tenant_erasures e WHERE e.tenant_id = shared.tenant_id)",
)
"""Of a tenant that was erased nothing is told, whoever comes by one of its rows afterwards."""
_DELIVERIES = """
    INSERT INTO webhook_deliveries (id, tenant_id, created_at, endpoint_id, event_id, next_attempt_at)
    SELECT tollgate_uuid7(), made_events.tenant_id, now(), w.id, made_events.id,
        CASE WHEN NOT w.holding THEN now() END
    FROM made_events JOIN webhook_endpoints w ON w.tenant_id = made_events.tenant_id
    WHERE w.state = 'enabled' AND (w.events = '{{}}' OR made_events.type = ANY (w.events))
    RETURNING 1
"""
WAKE = f"SELECT pg_notify('{WAKE_CHANNEL}', '') FROM owed_deliveries LIMIT 1"  # noqa: S608 - a constant
"""How a statement with `event_writes` ends."""


def event_writes(events: Sequence[NewEvent]) -> list[Write]:
    """Return the writes of the events and of one pending delivery per enabled endpoint that wants them."""
    rows = [
        ((tail(place), e.message_id, e.data), (e.tenant_id, e.type, e.sequence))
        for place, e in enumerate(events)
    ]
    made = insert_alike("made_events", _EVENTS, rows)
    returning = Write(made.name, f"{made.sql} RETURNING id, tenant_id, type", made.arrays)
    return [_INSTANT, returning, Write("owed_deliveries", _DELIVERIES, ())]


async def write_events(connection: HotConnection, events: Sequence[NewEvent]) -> None:
    """Store the events and what they owe, in the caller's transaction."""
    if events:
        await execute(connection, event_writes(events), WAKE)
