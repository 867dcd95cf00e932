"""Messages written straight into the table, as the road would have left them; singly, or by the thousand."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.db.transaction import worker_transaction
from gateway.messages.keys import body_context, number_context
from gateway.messages.models import Message
from gateway.messages.provider_ids import ProviderMessage
from tenants.accounts.sealing import DataKey
from tenants.ids import created_at, new_uuid

NUMBER = "+12065550123"

MANY = """
    INSERT INTO messages (tenant_id, id, created_at, test, status, reason_code, channel, type,
        country, recipient_hash, to_sealed, encoding, parts, unit, price_estimated, max_price_micros,
        sender_value, expires_at, dispatched_at, final_at)
    SELECT $1, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000800000000000'
            || lpad(to_hex(n), 4, '0'))::uuid,
        at, false,
        CASE WHEN n % 50 = 0 THEN 'undelivered' ELSE 'delivered' END,
        CASE WHEN n % 50 = 0 THEN 'spam' END,
        'sms', 'otp', 'US', decode(md5((n % 500)::text), 'hex'), '\\x00', 'GSM', 1, 'micros', 6450, 10000,
        '+12065550100', at + interval '1 hour', at, at + interval '3 seconds'
    FROM (SELECT n, date_trunc('milliseconds', now() - n * interval '1 second') AS at
        FROM generate_series(1, $2::int) AS n) AS many
"""
"""$1 tenant, $2 how many, one a second back from now; a fiftieth ended badly, to 500 recipients."""


SENT = """
    UPDATE messages SET status = 'sent', provider_message_id = coalesce($2, 'aws-' || id),
        dispatched_at = coalesce(dispatched_at, now())
    WHERE id = $1
"""


def at_instant(at: datetime) -> UUID:
    """A fresh id whose instant is `at`."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | new_uuid().int & ((1 << 80) - 1))


def message(
    tenant_id: UUID, key: DataKey, *, at: datetime | None = None, to: str = NUMBER, **fields: Any
) -> Message:
    """One message, queued now unless `fields` and `at` say otherwise."""
    message_id = new_uuid() if at is None else at_instant(at)
    born = created_at(message_id)
    values: dict[str, Any] = {
        "test": False,
        "status": "queued",
        "channel": "sms",
        "type": "otp",
        "country": "US",
        "to_sealed": key.seal(to.encode(), context=number_context(message_id)),
        "body_sealed": key.seal(b"your code is 1234", context=body_context(message_id)),
        "recipient_hash": key.recipient_hash(to),
        "encoding": "GSM",
        "parts": 1,
        "unit": "micros",
        "price_estimated": 6450,
        "max_price_micros": 10000,
        "sender_value": "+12065550100",
        "expires_at": born + timedelta(hours=1),
    } | fields
    return Message(tenant_id=tenant_id, id=message_id, created_at=born, **values)


async def put(world: Any, customer: Any, **fields: Any) -> UUID:
    """Write a message of the customer's of a contract test; return its id."""
    key = await world.services.data_keys.of(customer.scope.tenant_id)
    made = message(customer.scope.tenant_id, key, **fields)
    async with worker_transaction(world.services.operator_engine) as session:
        session.add(made)
        if made.provider_message_id is not None:
            session.add(
                ProviderMessage(
                    tenant_id=made.tenant_id,
                    message_id=made.id,
                    message_at=made.created_at,
                    provider_message_id=made.provider_message_id,
                    known_at=made.created_at,
                )
            )
    return made.id


async def sent(pool: Any, message_id: UUID, *, provider_id: str | None = None) -> None:
    """Let a message have been sent just now, under an id of AWS's."""
    await pool.execute(SENT, message_id, provider_id)
