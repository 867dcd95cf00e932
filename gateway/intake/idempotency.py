"""Idempotency keys of sends: looked up and written under the tenant's balance lock, so without a race."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from tenants.compound import Write, arrays, relation
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

_COLUMNS = {
    "tenant_id": "uuid",
    "key": "word",
    "fingerprint": "bytea",
    "message_id": "uuid",
    "expires_at": "timestamptz",
}
_FIRST_USE = f"""
    INSERT INTO idempotency_keys (tenant_id, key, fingerprint, status, message_id, created_at, expires_at)
    SELECT made.tenant_id, key, fingerprint, 202, message_id, now(), expires_at
    FROM {relation(_COLUMNS)} AS made JOIN ordered_balances USING (tenant_id)
"""  # noqa: S608 - columns of ours
"""A key that is there already, used or expired, breaks the primary key, and so the whole statement."""
_REUSE = """
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


def key_writes(answers: Iterable[tuple[UUID, str, bytes, UUID, datetime]], *, reuse: bool) -> list[Write]:
    """
    Return the write of (tenant, key, fingerprint, message, expiry), for a statement that locks the balances.

    Args:
        reuse: Whether an expired key may be used again; the keys have then been looked up under the lock.
    """
    rows = sorted(answers, key=lambda row: row[:2])
    if not rows:
        return []
    sql = _FIRST_USE + _REUSE if reuse else _FIRST_USE
    return [Write("stored_keys", sql, arrays(_COLUMNS, rows))]
