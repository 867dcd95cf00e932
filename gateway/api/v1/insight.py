"""`/v1/insight`: what the tenant's messages say together."""

from datetime import datetime, timedelta
from typing import Annotated, Final, cast

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct, field

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.message_query import aware
from gateway.api.refusals import Refusal
from gateway.insight import baseline, history
from gateway.insight.baseline import FEWEST_HOURS, Level, Usual
from gateway.insight.history import DIMENSIONS, Dimension, HourSum
from gateway.insight.metrics import Metric, Reading, reading
from gateway.intake.request import MessageType
from gateway.messages.view import timestamp
from tenants.credits.money import format_amount
from tenants.credits.pricing import Unit

READ: Final = {NEEDS: "insight"}
_USUAL_SPAN: Final = timedelta(days=7)
_LONGEST_SPAN: Final = timedelta(days=400)
_MOST_ROWS: Final = 10_000

Country = Annotated[str | None, QueryParameter(pattern=r"^[A-Z]{2}\Z")]
OfType = Annotated[MessageType | None, QueryParameter(name="type")]
Since = Annotated[
    datetime | None,
    QueryParameter(name="from", description="First hour, RFC 3339; seven days before `to` if absent."),
]
Before = Annotated[
    datetime | None, QueryParameter(name="to", description="Hours before this, RFC 3339; now if absent.")
]


class Rates(Struct, frozen=True, kw_only=True):
    """Shares from 0 to 1; null of nothing."""

    delivery_rate: float | None
    """Delivered, of those that came to an end."""
    failure_rate: float | None
    block_rate: float | None
    """Blocked or judged spam, of those that came to an end."""
    conversion: float | None
    """Received, of those whose feedback is known."""


class SummaryRow(Struct, frozen=True, kw_only=True):
    """Counts of a group; members not grouped by are null."""

    hour: str | None
    day: str | None
    country: str | None
    type: str | None
    unit: str
    """`usd` or `credits`."""
    accepted: int
    parts: int
    dispatched: int
    waiting: int
    """Scheduled, queued or dispatching."""
    pending: int
    """Sent, without a final receipt."""
    delivered: int
    undelivered: int
    failed: int
    expired: int
    canceled: int
    unknown: int
    blocked: int
    feedback_received: int
    feedback_failed: int
    spent: str
    """What was held at the accept, in `unit`; `/v1/usage` has what was charged."""
    rates: Rates


class InsightSummary(Struct, frozen=True, kw_only=True):
    """Live messages by the hour of their accept; the figures are at most a minute old for young hours."""

    from_: str | None = field(name="from")
    to: str | None
    data: list[SummaryRow]


class BaselineRow(Struct, frozen=True, kw_only=True):
    """What a figure usually is for messages of a country and type."""

    country: str | None
    type: str | None
    weekday: int | None
    """1 is Monday, in UTC; null where weekdays are taken together."""
    hour: int | None
    """0 to 23 in UTC; null where hours are taken together."""
    hours: int
    """Behind it; figures of fewer than 4 are not shown."""
    p10: float
    median: float
    p90: float


class Baselines(Struct, frozen=True, kw_only=True):
    """Of the hours of the last eight weeks that have enough messages, a share of at least 20."""

    metric: str
    by: Level
    fewest_hours: int
    data: list[BaselineRow]


@get(
    "/insight/summary",
    opt=READ,
    responses=refusals(*TENANT),
    summary="Sum up messages by hour, day, country or type",
)
async def get_insight_summary(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    group_by: Annotated[
        str,
        QueryParameter(max_length=40, description="Some of `hour`, `day`, `country`, `type`, with commas."),
    ] = "country,type",
    since: Since = None,
    before: Before = None,
    country: Country = None,
    message_type: OfType = None,
) -> InsightSummary:
    """Return counts and rates of the tenant's live messages."""
    by = _dimensions(group_by)
    first, last = span_of(since, before, now=desk.services.clock.now())
    async with desk.tenant(request.auth) as session:
        rows = await history.sums(
            request.auth,
            session,
            since=first,
            before=last,
            by=by,
            country=country,
            type_=message_type,
            at_most=_MOST_ROWS + 1,
        )
    if len(rows) > _MOST_ROWS:
        raise Refusal.of_field("?group_by", "too_many_rows", "Group by less, or ask for a shorter span.")
    return InsightSummary(
        from_=timestamp(first), to=timestamp(last), data=[_summary_row(row) for row in rows]
    )


@get(
    "/insight/baselines",
    opt=READ,
    responses=refusals(*TENANT),
    summary="Read how messages usually go",
    description=(
        "Medians and percentiles by country, type, weekday and hour, of the last eight weeks. An alarm "
        "against the baseline compares with the same hour of the same weekday, else the same hour, else all."
    ),
)
async def get_baselines(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    metric: Annotated[
        Metric | None,
        QueryParameter(description="`receipt_seconds` if absent: the time of 95 % of the receipts."),
    ] = None,
    by: Annotated[Level, QueryParameter(description="What is told apart besides country and type.")] = "all",
    country: Country = None,
    message_type: OfType = None,
) -> Baselines:
    """Return the usual figures of the tenant's live messages."""
    async with desk.tenant(request.auth) as session:
        hours = await history.history(
            request.auth,
            session,
            now=desk.services.clock.now(),
            country=country,
            type_=message_type,
            apart=True,
            of_unit=metric == "spend_pace",
        )
    rows = [
        row
        for group, found in baseline.grouped(hours, by).items()
        if (row := _baseline_row(group, _usual(metric, found, by))) is not None
    ]
    return Baselines(metric=metric or "receipt_seconds", by=by, fewest_hours=FEWEST_HOURS, data=rows)


def span_of(since: datetime | None, before: datetime | None, *, now: datetime) -> tuple[datetime, datetime]:
    """
    Return the span that was asked for, or the last seven days.

    Raises:
        Refusal: 422 for a span that is none, or too long.
    """
    last = aware(before, "?to") or now
    first = aware(since, "?from") or last - _USUAL_SPAN
    if not timedelta(0) <= last - first <= _LONGEST_SPAN:
        raise Refusal.of_field(
            "?from", "invalid_span", "`from` is not after `to`, and at most 400 days before it."
        )
    return first, last


def _dimensions(text: str) -> tuple[Dimension, ...]:
    names = tuple(text.split(",")) if text else ()
    if any(name not in DIMENSIONS for name in names) or len(set(names)) != len(names):
        raise Refusal.of_field(
            "?group_by", "invalid_group", f"Name some of {', '.join(DIMENSIONS)}, each once, with commas."
        )
    return cast("tuple[Dimension, ...]", names)


def _summary_row(row: HourSum) -> SummaryRow:
    unit = cast("Unit", row.unit)
    return SummaryRow(
        hour=timestamp(row.hour),
        day=None if row.day is None else row.day.date().isoformat(),
        country=row.country,
        type=row.type,
        unit="usd" if unit == "micros" else unit,
        accepted=row.accepted,
        parts=row.parts,
        dispatched=row.dispatched,
        waiting=row.waiting,
        pending=row.pending,
        delivered=row.delivered,
        undelivered=row.undelivered,
        failed=row.failed,
        expired=row.expired,
        canceled=row.canceled,
        unknown=row.unknown,
        blocked=row.blocked,
        feedback_received=row.feedback_received,
        feedback_failed=row.feedback_failed,
        spent=format_amount(row.spent, unit),
        rates=Rates(
            delivery_rate=_share(reading("delivery_rate", row.counts)),
            failure_rate=_share(reading("failure_rate", row.counts)),
            block_rate=_share(reading("block_rate", row.counts)),
            conversion=_share(reading("conversion", row.counts)),
        ),
    )


def _share(found: Reading) -> float | None:
    return round(found.value, 4) if found.of else None


def _usual(metric: Metric | None, hours: list[baseline.Hour], level: Level) -> Usual | None:
    found = baseline.receipt_times(hours) if metric is None else baseline.values(metric, hours)
    return baseline.summed_up(found, level)


def _baseline_row(group: baseline.Group, usual: Usual | None) -> BaselineRow | None:
    if usual is None:
        return None
    return BaselineRow(
        country=group.country,
        type=group.type,
        weekday=group.weekday,
        hour=group.hour,
        hours=usual.hours,
        p10=round(usual.p10, 4),
        median=round(usual.median, 4),
        p90=round(usual.p90, 4),
    )
