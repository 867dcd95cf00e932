"""
What AWS Health says of a route: a notice takes it out of use, or to the end of the line, until it ends.

A notice is named by AWS's event, so that its updates and its end find it. They may come twice and out of
order; the newest word counts. What an operator did by hand stands above every notice: none touches a route
that somebody disabled, an event in the middle of which somebody enabled it has no effect any more, and an end
restores only what its beginning did.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import structlog
from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.routing import operating
from gateway.routing.models import HealthRow, RouteNotice
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

NoticeStatus = Literal["upcoming", "open", "closed"]
NoticeEffect = Literal["degrade", "disable"]
_BY: Final = "AWS Health"


class Notice(Struct, frozen=True, kw_only=True):
    """One word about one event."""

    event: str
    """AWS's `eventArn`, or any name that its end will carry, too."""
    status: NoticeStatus
    """`upcoming` is shown and changes nothing."""
    effect: NoticeEffect
    """
    `degrade`: other routes go first and this one is probed until its calls are well again; with no other it
    goes on. `disable`: nothing leaves by it.
    """
    reason: str
    said_at: datetime


async def hear(session: AsyncSession, account_id: UUID, notice: Notice, now: datetime) -> bool:
    """
    Take a notice in; False for an older word than the one that is known.

    Raises:
        NotFound: There is no such account.
    """
    if (
        await session.scalar(select(AwsAccount.id).where(AwsAccount.id == account_id).with_for_update())
        is None
    ):
        raise NotFound("aws_account")
    known = await session.get(RouteNotice, (account_id, notice.event))
    if known is not None and notice.said_at < known.said_at:
        return False
    before = None if known is None else (known.status, known.effect, known.reason)
    earlier = await _reasons(session, account_id)
    newest = await session.merge(
        RouteNotice(
            account_id=account_id,
            event=notice.event,
            status=notice.status,
            effect=notice.effect,
            reason=notice.reason,
            said_at=notice.said_at,
            overruled=known is not None and known.overruled and not _begins_anew(notice, known),
        )
    )
    await session.flush()
    if before != (notice.status, notice.effect, notice.reason):
        await _follow(session, newest, earlier, now)
        _log.warning(
            "route_notice", account=encode("acc", account_id), notice=notice.event, status=notice.status
        )
    return True


async def open_notices(session: AsyncSession, accounts: Sequence[UUID]) -> dict[UUID, list[RouteNotice]]:
    """Return what is open or upcoming, the oldest first, by account."""
    query = (
        select(RouteNotice)
        .where(RouteNotice.account_id.in_(accounts), RouteNotice.status != "closed")
        .order_by(RouteNotice.said_at, RouteNotice.event)
    )
    found: dict[UUID, list[RouteNotice]] = {}
    for row in await session.scalars(query):
        found.setdefault(row.account_id, []).append(row)
    return found


async def overrule(session: AsyncSession, account_id: UUID) -> None:
    """Let what is open have no effect any more; it may begin anew, or ask for more."""
    await session.execute(
        update(RouteNotice)
        .where(RouteNotice.account_id == account_id, RouteNotice.status == "open")
        .values(overruled=True)
    )


def _begins_anew(notice: Notice, known: RouteNotice) -> bool:
    """Whether a word is news even to somebody who enabled the route in the middle of the event."""
    worse = notice.effect == "disable" and known.effect == "degrade"
    return worse or notice.status != known.status


async def _follow(session: AsyncSession, newest: RouteNotice, earlier: frozenset[str], now: datetime) -> None:
    """
    Bring the route's health to what the open notices ask for, unless somebody else decided on it.

    A health that no notice wrote is that of a route that was well, or became so in the middle of an event:
    only the newest word may change it.
    """
    account_id = newest.account_id
    health = await session.get(HealthRow, account_id)
    ours = health is not None and health.reason in earlier
    if health is not None and health.state == "disabled" and not ours:
        return
    known = (await open_notices(session, [account_id])).get(account_id, ()) if ours else [newest]
    wanted = _strongest(known, "" if health is None else health.reason)
    if health is not None:
        if wanted is not None and _is_followed(wanted, health):
            return
        session.expunge(health)  # what follows changes the row behind the session's back
    if ours:
        await operating.return_to_route(session, account_id)
    if wanted is None:
        return
    change = operating.leave_route if wanted.effect == "disable" else operating.degrade_route
    await change(session, account_id, reason=_reason(wanted.event, wanted.reason), now=now)


async def _reasons(session: AsyncSession, account_id: UUID) -> frozenset[str]:
    """Return what notices of this account have written, or would have."""
    rows = await session.execute(
        select(RouteNotice.event, RouteNotice.reason).where(RouteNotice.account_id == account_id)
    )
    return frozenset(_reason(event, reason) for event, reason in rows)


def _strongest(notices: Sequence[RouteNotice], reason: str) -> RouteNotice | None:
    """Return the notice to follow; of equals the one that is followed already, then the oldest."""
    in_force = [notice for notice in notices if notice.status == "open" and not notice.overruled]
    return min(
        in_force,
        key=lambda each: (each.effect != "disable", _reason(each.event, each.reason) != reason),
        default=None,
    )


def _is_followed(notice: RouteNotice, health: HealthRow) -> bool:
    disabled = health.state == "disabled"
    return health.reason == _reason(notice.event, notice.reason) and disabled == (notice.effect == "disable")


def _reason(event: str, reason: str) -> str:
    return f"{_BY}: {reason} ({event})"
