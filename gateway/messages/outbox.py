"""
The outbox: events and the deliveries they owe, written in the transaction that made them true.

Whoever changes what a tenant sees calls `write_events` before its commit; nothing is announced that did not
happen, and nothing that happened goes unannounced because a process died in between.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from tenants.ids import created_at
from tenants.tables import HotConnection

WAKE_CHANNEL = "tollgate_webhooks"
"""One NOTIFY per batch wakes the senders; a poll each second covers a lost one."""


class NewEvent(Struct, frozen=True, kw_only=True):
    """
    One event to store; `data` holds no phone number and no text, they are joined in when it is sent.

    Its instant, and so its partition, is the one inside its id.
    """

    id: UUID
    tenant_id: UUID
    type: str
    """One of the contract's event types; `gateway.webhooks.event_types` lists them."""
    data: msgspec.Raw
    message_id: UUID | None = None
    sequence: int = 1


_WRITE = f"""
    WITH made AS (
        INSERT INTO events (id, tenant_id, created_at, type, message_id, sequence, data)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[],
            $6::smallint[], $7::jsonb[])
        RETURNING id, tenant_id, type
    ), owed AS (
        INSERT INTO webhook_deliveries (id, tenant_id, created_at, endpoint_id, event_id)
        SELECT tollgate_uuid7(), made.tenant_id, now(), w.id, made.id
        FROM made JOIN webhook_endpoints w ON w.tenant_id = made.tenant_id
        WHERE w.state = 'enabled' AND (w.events = '{{}}' OR made.type = ANY (w.events))
        RETURNING 1
    )
    SELECT pg_notify('{WAKE_CHANNEL}', '') FROM owed LIMIT 1
"""  # noqa: S608 - the channel is a constant


async def write_events(connection: HotConnection, events: Sequence[NewEvent]) -> None:
    """Store the events and one pending delivery for each enabled endpoint that wants them."""
    if not events:
        return
    await connection.execute(
        _WRITE,
        [event.id for event in events],
        [event.tenant_id for event in events],
        [created_at(event.id) for event in events],
        [event.type for event in events],
        [event.message_id for event in events],
        [event.sequence for event in events],
        [event.data for event in events],
    )
