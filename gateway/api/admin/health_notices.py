"""`/v1/admin/routes/{id}/health-notice`: what AWS Health says of an account."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.admin.routing import RouteHealthView, one_route
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.routing import notices
from gateway.routing.notices import Notice, NoticeEffect, NoticeStatus

_FIRST_NOTICE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


class HealthNoticeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One word about one event of AWS Health."""

    event: Annotated[str, Meta(min_length=1, max_length=500)]
    """AWS's `eventArn`, or any name that its end will carry, too."""
    status: NoticeStatus
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    """Shown as the route's reason, for example AWS's `eventTypeCode`."""
    effect: NoticeEffect = "degrade"
    at: datetime | None = None
    """RFC 3339 with an offset: when it was said, now where absent. Older words than the known are left."""


@post(
    "/routes/{account_id:str}/health-notice",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Pass on a notice of AWS Health",
    description=(
        "An open event degrades or disables the route, with the reason shown; its end restores it, unless "
        "somebody decided otherwise by hand. Notices may come twice and out of order. EventBridge can post "
        "them: docs/how-to/aws-health.md."
    ),
)
async def notice_route_health(
    request: ApiRequest,
    account_id: FromPath[str],
    data: JSONBody[HealthNoticeBody],
    desk: NamedDependency[Desk],
) -> Response[RouteHealthView]:
    """Take in what AWS says of an account."""
    wanted, now = path_id("acc", account_id, "aws_account"), desk.services.clock.now()
    notice = Notice(
        event=data.event,
        status=data.status,
        effect=data.effect,
        reason=data.reason,
        said_at=_said_at(data.at, now),
    )

    async def work(session: AsyncSession) -> RouteHealthView:
        await notices.hear(session, wanted, notice, now)
        said = {"event": data.event, "status": data.status, "effect": data.effect}
        await note(session, "route.health_notice", account_id, **said)
        return await one_route(desk, session, wanted)

    return await desk.operator_once(request, work, status=200)


def _said_at(at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return now
    if at.tzinfo is None:
        raise Refusal.of_field("/at", "no_offset", "Give an offset, for example 2026-01-31T09:00:00Z.")
    if not _FIRST_NOTICE <= at <= now + _CLOCKS_DIFFER:
        raise Refusal.of_field("/at", "out_of_range", "Give the time at which AWS said it, or leave it out.")
    return at
