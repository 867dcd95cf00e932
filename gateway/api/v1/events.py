"""
`GET /v1/events`: the same events as the webhooks, for those who would rather ask.

Events are listed in the order of their ids, which are made before the commit that shows them; a reader that
took the newest at once could step over one whose commit comes a moment later. So an event is listed when no
transaction is under way any more that could show an earlier one (`gateway.api.lists.feed_horizon`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency, Provide
from msgspec import Struct
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.event_query import EventQuery, event_query
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, cursor_of
from gateway.insight.search import last_id
from gateway.messages.models import Event, Message
from gateway.webhooks.payload import StoredEvent, body_of
from gateway.webhooks.personal import Personal, Told, personal_in
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.scope import TenantScope

_READ: Final = {NEEDS: "messages:read"}
_BEHIND: Final = timedelta(hours=1)
"""A place is moved on no further than so long before the feed's end, whatever is wrong with a clock."""


class EventView(Struct, frozen=True, kw_only=True):
    """One event, with the same body as its webhook."""

    id: str
    type: str
    timestamp: str
    data: dict[str, Any]
    sequence: int


class _Body(Struct, frozen=True):
    type: str
    timestamp: str
    data: dict[str, Any]
    sequence: int


class Feed(Struct, frozen=True, kw_only=True):
    """Events after a place; the cursor is always there, so that a poller never starts again."""

    data: list[EventView]
    next_cursor: str | None
    """Ask from here next time; None only while nothing was found and `since` is within the last hour."""


@get(
    "/events",
    opt=_READ,
    dependencies={"wanted": Provide(event_query)},
    responses=refusals(*TENANT, "cursor_expired"),
    summary="Poll for events",
    description=(
        "The oldest first, after `after`. Keep `next_cursor` and ask again with it; it is returned even when "
        "there is nothing new. An event is listed when no earlier one can appear any more, usually after "
        "2 to 3 s, so that none is ever stepped over; it stays for 30 days. Ids and bodies are those of the "
        "webhooks."
    ),
)
async def list_events(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    wanted: NamedDependency[EventQuery],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Feed:
    """Return the next events of the tenant."""
    until = await desk.services.feed_until()
    if until is None:
        return Feed(data=[], next_cursor=after)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        rows = await _after(request.auth, session, wanted, until=until, limit=limit)
        about = (Told(id=e.id, tenant_id=e.tenant_id, type=e.type, data=e.data) for e, _ in rows)
        personal = await personal_in(session, about)
    views = [_view(event, message, personal.get(event.id), key) for event, message in rows]
    place = _place([event.id for event, _ in rows], wanted, until=until, is_whole=len(rows) < limit)
    return Feed(data=views, next_cursor=None if place is None else cursor_of(request, place))


def _place(ids: Sequence[UUID], wanted: EventQuery, *, until: datetime, is_whole: bool) -> UUID | None:
    """
    Return where to go on.

    Where nothing more was found the place moves on all the same: whoever waits for something rare would have
    a month looked through at each question, and lose the place when it is a month old.
    """
    place = ids[-1] if ids else wanted.after
    looked_at = until - _BEHIND
    if not is_whole or looked_at <= wanted.since:
        return place
    reached = last_id(looked_at)
    return reached if place is None or place.int < reached.int else place


async def _after(
    scope: TenantScope, session: AsyncSession, wanted: EventQuery, *, until: datetime, limit: int
) -> Sequence[tuple[Event, Message | None]]:
    """Return events with their messages; each mode of key sees the messages of its own mode."""
    belongs = and_(Message.tenant_id == Event.tenant_id, Message.id == Event.message_id)
    query = (
        select(Event, Message)
        .outerjoin(Message, belongs)
        .where(Event.tenant_id == scope.tenant_id)
        .where(Event.created_at >= wanted.since, Event.created_at <= until)
        .where(or_(Event.message_id.is_(None), Message.test == (not scope.live)))
        .order_by(Event.id)
        .limit(limit)
    )
    if wanted.after is not None:
        query = query.where(Event.id > wanted.after)
    if wanted.types:
        query = query.where(Event.type.in_(wanted.types))
    if wanted.message_id is not None:
        query = query.where(Event.message_id == wanted.message_id)
    return [(event, message) for event, message in await session.execute(query)]


def _view(event: Event, message: Message | None, personal: Personal | None, key: DataKey) -> EventView:
    """Return the event with the very body that its webhook carries."""
    stored = StoredEvent(
        id=event.id,
        type=event.type,
        sequence=event.sequence,
        data=event.data,
        message=message,
        personal=personal,
    )
    body = msgspec.json.decode(body_of(stored, key), type=_Body)
    return EventView(
        id=encode("evt", event.id),
        type=body.type,
        timestamp=body.timestamp,
        data=body.data,
        sequence=body.sequence,
    )
