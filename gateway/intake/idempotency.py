"""Idempotency keys of sends: looked up and written under the tenant's balance lock, so without a race."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from tenants.tables import HotConnection

KEPT_FOR = timedelta(hours=72)
"""The contract promises 24 h; a day's outage on the client's side must not eat it."""


class StoredAnswer(Struct, frozen=True, kw_only=True):
    """What a key was used for."""

    fingerprint: bytes
    message_id: UUID | None


_LOOK_UP = """
    SELECT k.tenant_id, k.key, k.fingerprint, k.message_id
    FROM idempotency_keys k
    JOIN unnest($1::uuid[], $2::text[]) AS wanted (tenant_id, key) USING (tenant_id, key)
    WHERE k.expires_at > now()
"""

_STORE = """
    INSERT INTO idempotency_keys (tenant_id, key, fingerprint, status, message_id, created_at, expires_at)
    SELECT tenant_id, key, fingerprint, 202, message_id, now(), expires_at
    FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::timestamptz[])
        AS made (tenant_id, key, fingerprint, message_id, expires_at)
    ON CONFLICT (tenant_id, key) DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint, status = 202, body = NULL, message_id = EXCLUDED.message_id,
            created_at = now(), expires_at = EXCLUDED.expires_at
        WHERE idempotency_keys.expires_at <= now()
"""


def expires_at(now: datetime, send_at: datetime | None) -> datetime:
    """Return when a key may be forgotten: counted from the send, where that is scheduled."""
    return max(now, send_at or now) + KEPT_FOR


async def look_up(
    connection: HotConnection, keys: Iterable[tuple[UUID, str]]
) -> dict[tuple[UUID, str], StoredAnswer]:
    """Return what is stored for the keys; the caller holds the tenants' balance locks."""
    wanted = list(keys)
    rows = await connection.fetch(_LOOK_UP, [tenant for tenant, _ in wanted], [key for _, key in wanted])
    return {
        (row["tenant_id"], row["key"]): StoredAnswer(
            fingerprint=row["fingerprint"], message_id=row["message_id"]
        )
        for row in rows
    }


async def store(
    connection: HotConnection, answers: Iterable[tuple[UUID, str, bytes, UUID, datetime]]
) -> None:
    """Store (tenant, key, fingerprint, message, expiry) in the transaction that writes the messages."""
    rows = list(answers)
    if rows:
        await connection.execute(_STORE, *[list(column) for column in zip(*rows, strict=True)])
