"""`/v1/usage/conversion`: what feedback says of how messages work."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct, field

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.refusals import Refusal
from gateway.messages.conversion import Conversion, ConversionGroup, conversions
from tenants.ids import encode

_USAGE: Final = {NEEDS: "credits:read"}
_USUAL: Final = timedelta(days=29)
_LONGEST: Final = timedelta(days=92)
_DAY: Final = timedelta(days=1)


class ConversionLine(Struct, frozen=True, kw_only=True):
    """One group's figures."""

    group: str | None
    """A country, type, template id or sender; null for messages of no template."""
    sent: int
    """Messages that left and whose send asked for feedback."""
    received: int
    failed: int
    """Said to have failed, or not spoken of within the hour."""
    pending: int
    rate: float | None
    """Received of received and failed, 0 to 1; null while all are pending."""


class ConversionReport(Struct, frozen=True, kw_only=True):
    """Feedback by group, the largest first; a test key sees test messages, a live key live ones."""

    from_: str = field(name="from")
    """UTC day of the accept, inclusive."""
    to: str
    """UTC day, inclusive."""
    group_by: ConversionGroup
    data: list[ConversionLine]


@get(
    "/usage/conversion",
    opt=_USAGE,
    responses=refusals(*TENANT),
    summary="Read conversion figures",
    description="Of messages sent with `feedback: true`, by the UTC day on which they were accepted.",
)
async def get_conversion(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    group_by: Annotated[ConversionGroup, QueryParameter(description="What to sum by.")] = "country",
    from_: Annotated[
        date | None, QueryParameter(name="from", description="First UTC day; default 29 days before `to`.")
    ] = None,
    to: Annotated[date | None, QueryParameter(description="Last UTC day, today by default.")] = None,
) -> ConversionReport:
    """Sum the tenant's feedback."""
    first, last = _span(from_, to, desk.services.clock.now().date())
    async with desk.tenant(request.auth) as session:
        found = await conversions(
            request.auth, session, by=group_by, since=_midnight(first), before=_midnight(last + _DAY)
        )
    return ConversionReport(
        from_=first.isoformat(), to=last.isoformat(), group_by=group_by, data=[_line(each) for each in found]
    )


def _span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    last = min(last or today, today)
    if first is None:
        return max(last, date.min + _USUAL) - _USUAL, last
    if first > last:
        raise Refusal.of_field("?from", "invalid_time", "It lies after the last day.")
    if last - first > _LONGEST:
        raise Refusal.of_field("?from", "invalid_time", "A report covers at most 93 days.")
    return first, last


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _line(found: Conversion) -> ConversionLine:
    closed = found.received + found.failed
    group = encode("tpl", found.group) if isinstance(found.group, UUID) else found.group
    return ConversionLine(
        group=None if group is None else str(group),
        sent=found.sent,
        received=found.received,
        failed=found.failed,
        pending=found.pending,
        rate=round(found.received / closed, 4) if closed else None,
    )
