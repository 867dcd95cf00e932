"""Tells a tenant's endpoints of a change, in the transaction that makes it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.outbox import WAKE_CHANNEL
from gateway.webhooks.event_types import EventType
from tenants.ids import tail
from tenants.scope import TenantScope

_ADD = text(
    """
    WITH instant AS (SELECT tollgate_event_ms() AS ms)
    INSERT INTO events (id, created_at, tenant_id, type, data, message_id, sequence)
    SELECT tollgate_event_id(CAST(:tail AS uuid), ms), timestamptz 'epoch' + ms * interval '1 millisecond',
        CAST(:tenant_id AS uuid), CAST(:type AS text), CAST(CAST(:data AS text) AS jsonb),
        CAST(:message_id AS uuid), CAST(:sequence AS integer)
    FROM instant
    WHERE NOT EXISTS (SELECT FROM tenant_erasures e WHERE e.tenant_id = CAST(:tenant_id AS uuid)) RETURNING id
    """
)
_OWE = text(
    """
    WITH owed AS (
        INSERT INTO webhook_deliveries (id, tenant_id, created_at, endpoint_id, event_id, next_attempt_at)
        SELECT tollgate_uuid7(), w.tenant_id, now(), w.id, CAST(:id AS uuid),
            CASE WHEN NOT w.holding THEN now() END
        FROM webhook_endpoints w
        WHERE w.tenant_id = CAST(:tenant_id AS uuid) AND w.state = 'enabled'
            AND (w.events = '{}' OR CAST(:type AS text) = ANY (w.events))
        RETURNING 1
    )
    SELECT pg_notify(:channel, '') FROM owed LIMIT 1
    """
)

_ADD_ALL = text(
    """
    WITH instant AS (SELECT tollgate_event_ms() AS ms)
    INSERT INTO events (id, created_at, tenant_id, type, data, message_id, sequence)
    SELECT tollgate_event_id(said.tail, ms), timestamptz 'epoch' + ms * interval '1 millisecond',
        CAST(:tenant_id AS uuid), CAST(:type AS text), CAST(said.data AS jsonb), NULL, 1
    FROM instant, unnest(CAST(:tails AS uuid[]), CAST(:data AS text[])) AS said (tail, data)
    WHERE NOT EXISTS (SELECT FROM tenant_erasures e WHERE e.tenant_id = CAST(:tenant_id AS uuid)) RETURNING id
    """
)
_OWE_ALL = text(
    """
    WITH owed AS (
        INSERT INTO webhook_deliveries (id, tenant_id, created_at, endpoint_id, event_id, next_attempt_at)
        SELECT tollgate_uuid7(), w.tenant_id, now(), w.id, told.id, CASE WHEN NOT w.holding THEN now() END
        FROM unnest(CAST(:ids AS uuid[])) AS told (id), webhook_endpoints w
        WHERE w.tenant_id = CAST(:tenant_id AS uuid) AND w.state = 'enabled'
            AND (w.events = '{}' OR CAST(:type AS text) = ANY (w.events))
        RETURNING 1
    )
    SELECT pg_notify(:channel, '') FROM owed LIMIT 1
    """
)


async def announce_all(
    scope: TenantScope, session: AsyncSession, event_type: EventType, data: Sequence[Struct]
) -> None:
    """
    Store many events of one type, none of a message, and their deliveries, as `announce` does for one.

    Args:
        data: What they say, in the order in which they are told; at most 65,536.
    """
    told = {
        "tails": [tail(place) for place in range(len(data))],
        "tenant_id": scope.tenant_id,
        "type": event_type,
        "data": [msgspec.json.encode(each).decode() for each in data],
    }
    ids = list(await session.scalars(_ADD_ALL, told))
    if not ids:
        return
    owed = {"ids": ids, "tenant_id": scope.tenant_id, "type": event_type, "channel": WAKE_CHANNEL}
    await session.execute(_OWE_ALL, owed)


async def announce(
    scope: TenantScope,
    session: AsyncSession,
    event_type: EventType,
    data: Struct | msgspec.Raw,
    *,
    message_id: UUID | None = None,
    sequence: int = 1,
) -> None:
    """
    Store an event, and a delivery for each endpoint that wants it; of an erased tenant nothing is told.

    Args:
        data: What the event says; never a number, a text or a secret.
        message_id: The message that it concerns, if any.
        sequence: Which of the message's events it is.
    """
    event_id = await add_event(scope, session, event_type, data, message_id=message_id, sequence=sequence)
    if event_id is None:
        return
    owed = {"id": event_id, "tenant_id": scope.tenant_id, "type": event_type, "channel": WAKE_CHANNEL}
    await session.execute(_OWE, owed)


async def add_event(
    scope: TenantScope,
    session: AsyncSession,
    event_type: str,
    data: Struct | msgspec.Raw,
    *,
    message_id: UUID | None = None,
    sequence: int = 1,
) -> UUID | None:
    """
    Store an event that nobody is owed yet, and return its id, which Postgres makes (docs/adr/0018).

    Of a tenant that was erased none is stored.
    """
    values = {
        "tail": tail(0),
        "tenant_id": scope.tenant_id,
        "type": event_type,
        "data": msgspec.json.encode(data).decode(),
        "message_id": message_id,
        "sequence": sequence,
    }
    event_id: UUID | None = (await session.execute(_ADD, values)).scalar_one_or_none()
    return event_id
