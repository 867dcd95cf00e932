"""Queue rows with what their messages ask of a sender, locked for a move."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from gateway.dispatch.failover import Step
from gateway.messages.content import Media, from_column
from gateway.routing.candidates import Need
from tenants.tables import HotConnection
from tenants.templates.use_cases import USUAL


class QueueRow(Struct, frozen=True, kw_only=True):
    """A queue row of a live message, and what the message asks of its sender."""

    message_id: UUID
    state: str
    attempt: int
    due_at: datetime | None
    trail: list[Step]
    failures: int
    sender_id: UUID
    account_id: UUID
    sender_value: str
    need: Need
    recipient_hash: bytes
    file_in: frozenset[UUID] | None = None
    """The AWS accounts in which its file lies; None for a message without one."""


_ROWS: Final = """
    SELECT q.message_id, q.state, q.attempt, q.due_at, q.trail, q.failures, q.need, m.sender_id, m.account_id,
        m.sender_value, m.country, m.type AS message_type, m.channel, m.content, m.recipient_hash, t.version,
        t.use_case
    FROM dispatch_queue q JOIN messages m ON m.tenant_id = q.tenant_id AND m.id = q.message_id
    LEFT JOIN template_versions t ON t.tenant_id = m.tenant_id AND t.template_id = m.template_id
        AND t.version = m.template_version
    WHERE q.message_id = ANY($1::uuid[]) AND m.account_id IS NOT NULL AND m.sender_id IS NOT NULL
    FOR UPDATE OF q
"""


async def lock_rows(connection: HotConnection, message_ids: Sequence[UUID]) -> list[QueueRow]:
    """Lock the rows of live messages; their messages are locked by the caller before."""
    return [_row(row) for row in await connection.fetch(_ROWS, list(message_ids))]


def _row(row: asyncpg.Record) -> QueueRow:
    need: dict[str, Any] = row["need"] or {}
    asked = {name: row[name] for name in ("country", "message_type", "channel")}
    if row["version"] is not None:
        asked["use_case"] = row["use_case"] or USUAL[row["message_type"]]
    return QueueRow(
        message_id=row["message_id"],
        state=row["state"],
        attempt=row["attempt"],
        due_at=row["due_at"],
        trail=msgspec.convert(row["trail"], list[Step]),
        failures=row["failures"],
        sender_id=row["sender_id"],
        account_id=row["account_id"],
        sender_value=row["sender_value"],
        need=msgspec.convert(asked | need, Need),
        file_in=_file_in(row["content"]),
        recipient_hash=row["recipient_hash"],
    )


def _file_in(content: dict[str, Any] | None) -> frozenset[UUID] | None:
    found = from_column(content)
    return frozenset(map(UUID, found.staged)) if isinstance(found, Media) else None
