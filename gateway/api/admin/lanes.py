"""`/v1/admin/lanes`: what waits before each sender, how long that takes, since when the oldest waits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page
from gateway.api.lists.short_lists import part_of
from gateway.api.path_ids import query_id
from gateway.lanes.survey import LaneSight
from gateway.routing.lanes import lane_identity
from tenants.ids import encode
from tenants.senders.models import Sender

_OTHER_CHANNELS: Final = ("mms", "voice")


class LaneView(Struct, frozen=True, kw_only=True):
    """The messages that wait for one sender in one country at one priority."""

    route: str
    """`acc_…`: the AWS account they will leave by."""
    sender: str | None
    """`idn_…`; null for a sender that was released meanwhile."""
    tenant: str | None
    """`ten_…`: whose sender it is."""
    channel: str
    """`sms`, `mms` or `voice`; each has lanes of its own."""
    country: str
    priority: str
    """`otp`, `transactional` or `promotional`."""
    backlog_parts: int
    backlog_messages: int
    drain_seconds: float
    """Until all of it has left, at the slowest of its gates: sender, campaign, account, or the day's cap."""
    oldest_seconds: float | None
    """How long the oldest has been ready to leave; null where it left while we looked."""


class _Owner(Struct, frozen=True):
    sender_id: UUID
    tenant_id: UUID
    channel: str


@get(
    "/lanes",
    responses=refusals(*OPERATOR, "unavailable"),
    summary="List what waits, by sender, country and priority",
    description=(
        "The lanes that take longest come first. Claimed ones do not count. Lines move between two pages, so "
        "that one may be on both, or on none."
    ),
)
async def list_lanes(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    route: Annotated[str | None, QueryParameter(max_length=40, description="AWS account, `acc_…`")] = None,
) -> Page[LaneView]:
    """Return a page of the lines, the longest first."""
    wanted = None if route is None else encode("acc", query_id("acc", route, "?route"))
    found = [each for each in await desk.services.lanes.all() if wanted in {None, each.route}]
    part = part_of(request, found, limit, after)
    async with desk.operator() as session:
        owners = await _owners(session, [each.lane.identity for each in part.data])
    return Page(data=[_view(each, owners) for each in part.data], next_cursor=part.next_cursor)


async def _owners(session: AsyncSession, identities: Sequence[UUID]) -> Mapping[UUID, _Owner]:
    """Return whose lanes these are; where tenants share a number, the first one's."""
    query = select(Sender.identity, Sender.id, Sender.tenant_id).order_by(Sender.id.desc())
    texts = _named(await session.execute(query.where(Sender.identity.in_(identities))), ("sms",))
    if all(identity in texts for identity in identities):
        return texts
    others = query.where(Sender.channels.overlap(list(_OTHER_CHANNELS)))
    return _named(await session.execute(others), _OTHER_CHANNELS) | texts


def _named(rows: Iterable[tuple[UUID, UUID, UUID]], channels: Sequence[str]) -> dict[UUID, _Owner]:
    return {
        lane_identity(identity, channel): _Owner(sender_id, tenant_id, channel)
        for identity, sender_id, tenant_id in rows
        for channel in channels
    }


def _view(sight: LaneSight, owners: Mapping[UUID, _Owner]) -> LaneView:
    owner = owners.get(sight.lane.identity)
    return LaneView(
        route=sight.route,
        sender=None if owner is None else encode("idn", owner.sender_id),
        tenant=None if owner is None else encode("ten", owner.tenant_id),
        channel="sms" if owner is None else owner.channel,
        country=sight.lane.country,
        priority=sight.lane.priority.name.lower(),
        backlog_parts=sight.waiting.parts,
        backlog_messages=sight.waiting.messages,
        drain_seconds=round(sight.drain_s, 3),
        oldest_seconds=None if sight.oldest_s is None else round(sight.oldest_s, 3),
    )
