"""
Messages and events of a span of time, handed out in batches: as much as there is, in bounded memory.

Each batch is read in a transaction of its own, so that an export of an hour's length holds neither a
connection nor a snapshot. What changes meanwhile is handed out as it is when its batch is read.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight import search
from gateway.insight.records import KeyOf, MessageRecord, Numbers, records_of
from gateway.insight.search import Wanted, first_id, last_id
from gateway.messages.models import Event, Message
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.scope import TenantScope

BATCH: Final = 1000
LONGEST_MS: Final = 60_000
"""For one batch; an export may walk further than a search."""
OpenSession = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class EventRecord(Struct, frozen=True, kw_only=True):
    """One event as a row."""

    id: str
    tenant_id: str
    created_at: str
    type: str
    message_id: str | None
    sequence: int
    data: str
    """JSON; of a message only what had changed."""


async def messages(
    scope: TenantScope, open_session: OpenSession, wanted: Wanted, key_of: KeyOf, numbers: Numbers
) -> AsyncGenerator[list[MessageRecord]]:
    """Yield the tenant's messages of the key's mode, the newest first."""
    after: UUID | None = None
    while True:
        async with open_session() as session, search.bounded(session, longest_ms=LONGEST_MS):
            rows = await search.page(scope, session, wanted, limit=BATCH, after=after)
        if rows:
            yield await records_of(rows, key_of, numbers)
        if len(rows) < BATCH:
            return
        after = rows[-1].id


async def messages_of_all(
    open_session: OpenSession, wanted: Wanted, key_of: KeyOf, numbers: Numbers, *, tenant_id: UUID | None
) -> AsyncGenerator[list[MessageRecord]]:
    """Yield messages of every tenant or of one, of both modes, the newest first; the operator's to ask."""
    after: UUID | None = None
    while True:
        async with open_session() as session, search.bounded(session, longest_ms=LONGEST_MS):
            rows = await search.page_of_all(session, wanted, tenant_id=tenant_id, limit=BATCH, after=after)
        if rows:
            yield await records_of(rows, key_of, numbers)
        if len(rows) < BATCH:
            return
        after = rows[-1].id


async def events(
    scope: TenantScope, open_session: OpenSession, *, since: datetime, before: datetime
) -> AsyncGenerator[list[EventRecord]]:
    """Yield the tenant's events of a span, the oldest first; of messages of the key's mode."""
    after = first_id(since)
    while True:
        async with open_session() as session, search.bounded(session, longest_ms=LONGEST_MS):
            rows = await _events(scope, session, after=after, since=since, before=before)
        if rows:
            yield [_event_record(row) for row in rows]
        if len(rows) < BATCH:
            return
        after = rows[-1].id


async def _events(
    scope: TenantScope, session: AsyncSession, *, after: UUID, since: datetime, before: datetime
) -> Sequence[Event]:
    belongs = and_(Message.tenant_id == Event.tenant_id, Message.id == Event.message_id)
    query = (
        select(Event)
        .outerjoin(Message, belongs)
        .where(Event.tenant_id == scope.tenant_id, Event.id > after, Event.id <= last_id(before))
        .where(Event.created_at >= since, Event.created_at < before)
        .where(or_(Event.message_id.is_(None), Message.test == (not scope.live)))
        .order_by(Event.id)
        .limit(BATCH)
    )
    return (await session.scalars(query)).all()


def _event_record(row: Event) -> EventRecord:
    return EventRecord(
        id=encode("evt", row.id),
        tenant_id=encode("ten", row.tenant_id),
        created_at=timestamp(row.created_at) or "",
        type=row.type,
        message_id=None if row.message_id is None else encode("msg", row.message_id),
        sequence=row.sequence,
        data=msgspec.json.encode(row.data).decode(),
    )
