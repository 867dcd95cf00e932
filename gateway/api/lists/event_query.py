"""The query parameters of the pull feed of events, checked."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.lists.message_query import aware
from gateway.api.lists.paging import After, id_after
from gateway.api.path_ids import query_id
from gateway.api.refusals import Refusal
from gateway.webhooks.event_types import EVENT_TYPES
from tenants.ids import created_at

KEPT: Final = timedelta(days=30)
"""How far back the feed and replays reach."""
_LONGEST_LIST: Final = 1000


class EventQuery(Struct, frozen=True, kw_only=True):
    """Which events are asked for."""

    after: UUID | None
    since: datetime
    types: list[str]
    """Empty for all."""
    message_id: UUID | None


async def event_query(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    after: After = None,
    types: Annotated[
        str | None,
        QueryParameter(
            max_length=_LONGEST_LIST, description="Event types, with commas between; all if left out."
        ),
    ] = None,
    message: Annotated[
        str | None, QueryParameter(max_length=40, description="Only what concerns this message.")
    ] = None,
    since: Annotated[
        datetime | None,
        QueryParameter(description="RFC 3339, inclusive; where to begin as long as there is no cursor."),
    ] = None,
) -> EventQuery:
    """Return the checked parameters."""
    place = id_after(request, after)
    return EventQuery(
        after=place,
        since=_since(place, aware(since, "?since"), oldest=desk.services.clock.now() - KEPT),
        types=_types(types),
        message_id=None if message is None else query_id("msg", message, "?message"),
    )


def _since(place: UUID | None, since: datetime | None, *, oldest: datetime) -> datetime:
    """Return from when on to look; a cursor counts for more than an instant."""
    if place is not None:
        if created_at(place) < oldest:
            raise Refusal("cursor_expired")
        return created_at(place)
    if since is not None and since < oldest:
        raise Refusal.of_field("?since", "too_early", f"Events are kept for {KEPT.days} days.")
    return since or oldest


def _types(text: str | None) -> list[str]:
    names = [] if text is None else text.split(",")
    for name in names:
        if name not in EVENT_TYPES:
            raise Refusal.of_field("?types", "unknown_event", f"There is no event type {name[:80]!r}.")
    return names
