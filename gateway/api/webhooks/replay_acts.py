"""Telling an endpoint again of what it missed: for a tenant or the operator, in its transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.lists.event_query import KEPT
from gateway.api.refusals import Refusal
from gateway.api.webhooks.delivery_acts import TEST_EVENT, refuse_disabled
from gateway.api.webhooks.replays import MOST_EVENTS, PER_SECOND, Which, Window, replay
from gateway.messages.view import timestamp
from tenants.audit import store as audit
from tenants.endpoints import service
from tenants.ids import encode
from tenants.scope import TenantScope

_Instant = Annotated[datetime, Meta(tz=True)]

HOW_IT_IS_TOLD: Final = (
    f"Up to {MOST_EVENTS:,} events, the oldest first, {PER_SECOND} a second behind what is new, each "
    "with the `webhook-id` it had: whoever drops known ids gets none twice. An event that waits already "
    "is not owed again, so a replay may be repeated."
)


class WhenAndWhich(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The window of a replay; which types there are is for the owner's own struct to say."""

    since: _Instant
    """Inclusive; at most 30 days ago."""
    until: _Instant | UnsetType = UNSET
    """Exclusive; now, if it is left out."""
    only: Which = "all"
    """`undelivered` leaves out what the endpoint has already confirmed."""


class ReplayView(Struct, frozen=True, kw_only=True):
    """What a replay will do."""

    endpoint_id: str
    since: str | None
    until: str | None
    events: int
    """In the window, at most 10,000."""
    owed: int
    """Deliveries that will be made; the others wait already, or were not asked for."""
    done_by: str | None
    """When the last of them is due."""
    continues_from: str | None
    """Ask again with this `since` for the rest of the window; null if there is none."""


def end_of(asked: WhenAndWhich, *, now: datetime) -> datetime:
    """
    Return where the window ends.

    Raises:
        Refusal: It begins too early, or holds no instant.
    """
    until = now if isinstance(asked.until, UnsetType) else min(asked.until, now)
    if asked.since < now - KEPT:
        detail = f"Events are kept for {KEPT.days} days; name a later instant."
        raise Refusal.of_field("/since", "too_early", detail)
    if asked.since >= until:
        raise Refusal.of_field("/since", "empty_window", "Name an instant before `until` and in the past.")
    return until


async def tell_again(
    scope: TenantScope,
    session: AsyncSession,
    endpoint_id: UUID,
    asked: WhenAndWhich,
    types: Sequence[str],
    *,
    until: datetime,
    now: datetime,
) -> ReplayView:
    """
    Owe an endpoint the events of a window once more.

    Args:
        types: Of these only; as the endpoint subscribed, if there are none.

    Raises:
        NotFound: The owner has no such endpoint.
        Conflict: It is disabled.
    """
    endpoint = await service.get(scope, session, endpoint_id)
    refuse_disabled(endpoint)
    window = Window(since=asked.since, until=until, types=types or endpoint.events, but=TEST_EVENT)
    done = await replay(scope, session, endpoint_id, window, asked.only)
    await audit.append(
        scope,
        session,
        action="webhook_endpoint.replayed",
        subject=encode("wh", endpoint_id),
        detail={"since": timestamp(asked.since), "until": timestamp(until), "owed": done.owed},
    )
    return ReplayView(
        endpoint_id=encode("wh", endpoint_id),
        since=timestamp(asked.since),
        until=timestamp(until),
        events=done.events,
        owed=done.owed,
        done_by=timestamp(now + timedelta(seconds=done.events / PER_SECOND)) if done.owed else None,
        continues_from=timestamp(done.continues_from),
    )
