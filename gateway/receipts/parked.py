"""What is parked, for a person: why it moves no message, and another try after a correction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
from msgspec import Struct

from gateway.errors import Unavailable
from gateway.receipts.apply import Incoming
from gateway.receipts.batch import ReceiptCommit
from gateway.receipts.event import InboundText, Receipt, parse
from gateway.receipts.reading import incoming_of
from tenants.accounts.sealing import DataKey

MOST_RETRIED: Final = 1_000
_LIST: Final = """
    SELECT event_key, provider_message_id, reason, body_sealed, received_at FROM parked_receipts
    WHERE ($1::text IS NULL OR reason = $1)
        AND ($2::timestamptz IS NULL OR (received_at, event_key) < ($2, $3::bytea))
    ORDER BY received_at DESC, event_key DESC LIMIT $4
"""
_TRIED: Final = """
    SELECT event_key, body_sealed, owner_id FROM parked_receipts
    WHERE reason = $1 ORDER BY tries, received_at LIMIT $2
"""
_IN_VAIN: Final = """
    UPDATE parked_receipts SET tries = tries + 1
    WHERE event_key = ANY($1::bytea[]) AND reason <> 'inbound' AND tries < 32767
"""
"""The tries of a text in the inbox are the inbox's own count."""


class Parked(Struct, frozen=True, kw_only=True):
    """An event without a message."""

    event_key: bytes
    reason: str
    detail: str
    """What the reader says of it now; no part of the event's own text."""
    provider_message_id: str | None
    received_at: datetime
    size_bytes: int


class Retried(Struct, frozen=True, kw_only=True):
    """What another try brought."""

    applied: int
    """Events that moved a message, or had moved it before; no longer parked."""
    parked: int
    """Events that still move none."""


class ParkedEvents:
    """Reads as the role `worker`, applies as the role `ingest`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", commit: ReceiptCommit, key: DataKey) -> None:
        self._pool = pool
        self._commit = commit
        self._key = key

    async def listed(
        self, *, reason: str | None, before: tuple[datetime, bytes] | None, limit: int
    ) -> Sequence[Parked]:
        """Return parked events, the newest first, from a place in that order on."""
        at, event_key = before or (None, b"")
        rows = await self._pool.fetch(_LIST, reason, at, event_key, limit)
        return [self._shown(row) for row in rows]

    async def retry(self, reason: str) -> Retried:
        """
        Read and apply up to a thousand parked events of one reason again: those tried least, then the oldest.

        Raises:
            Unavailable: Postgres could not commit; what was applied by then is applied.
        """
        rows = await self._pool.fetch(_TRIED, reason, MOST_RETRIED)
        events: list[Incoming] = [incoming_of(self._opened(row), owner=row["owner_id"]) for row in rows]
        answers = await self._commit.submit_together(events)
        joined: set[bytes] = set()
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, BaseException):
                raise Unavailable("the database did not take it") from answer
            if answer != "parked":
                joined.add(row["event_key"])
        await self._pool.execute("DELETE FROM parked_receipts WHERE event_key = ANY($1::bytea[])", joined)
        in_vain = [row["event_key"] for row in rows if row["event_key"] not in joined]
        await self._pool.execute(_IN_VAIN, in_vain)
        return Retried(applied=len(joined), parked=len(rows) - len(joined))

    def _opened(self, row: Any) -> bytes:
        return self._key.open(row["body_sealed"], context=row["event_key"])

    def _shown(self, row: Any) -> Parked:
        raw = self._opened(row)
        return Parked(
            event_key=row["event_key"],
            reason=row["reason"],
            detail=_detail(raw),
            provider_message_id=row["provider_message_id"],
            received_at=row["received_at"],
            size_bytes=len(raw),
        )


def _detail(raw: bytes) -> str:
    event = parse(raw)
    match event:
        case Receipt():
            return f"{event.event_type or event.status} of a message that is not known here"
        case InboundText():
            return "an inbound text"
        case _:
            return f"{event.reason}: {event.detail}"
