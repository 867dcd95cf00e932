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
    SELECT tollgate_event_id(said.tail, ms), timestamptz 'epoch' + ms * interval '1 millisecond',
        CAST(:tenant_id AS uuid), CAST(:type AS text), CAST(said.data AS jsonb),
        CAST(:message_id AS uuid), CAST(:sequence AS integer)
    FROM instant, unnest(CAST(:tails AS uuid[]), CAST(:data AS text[])) AS said (tail, data)
    WHERE NOT EXISTS (SELECT FROM tenant_erasures e WHERE e.tenant_id = CAST(:tenant_id AS uuid)) RETURNING id
    """
)
_OWE = text(
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
    await _owe(scope, session, event_type, await _add(scope, session, event_type, data))


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
    added = await _add(scope, session, event_type, [data], message_id=message_id, sequence=sequence)
    await _owe(scope, session, event_type, added)


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
    added = await _add(scope, session, event_type, [data], message_id=message_id, sequence=sequence)
    return added[0] if added else None


async def _add(
    scope: TenantScope,
    session: AsyncSession,
    event_type: str,
    data: Sequence[Struct | msgspec.Raw],
    *,
    message_id: UUID | None = None,
    sequence: int = 1,
) -> Sequence[UUID]:
    told = {
        "tails": [tail(place) for place in range(len(data))],
        "tenant_id": scope.tenant_id,
        "type": event_type,
        "data": [msgspec.json.encode(each).decode() for each in data],
        "message_id": message_id,
        "sequence": sequence,
    }
    return (await session.scalars(_ADD, told)).all()


async def _owe(scope: TenantScope, session: AsyncSession, event_type: str, ids: Sequence[UUID]) -> None:
    if ids:
        owed = {"ids": list(ids), "tenant_id": scope.tenant_id, "type": event_type, "channel": WAKE_CHANNEL}
        await session.execute(_OWE, owed)
