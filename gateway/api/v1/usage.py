"""`/v1/usage`: what was settled, grouped by what one asks for."""

from datetime import date, timedelta
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.refusals import Refusal
from gateway.messages import usage
from gateway.messages.usage import DIMENSIONS, MOST_ROWS, UsageLine
from tenants.credits.money import format_amount, format_usd
from tenants.ids import encode

_READ: Final = {NEEDS: "credits:read"}
_MOST_DAYS: Final = 731
_LONGEST: Final = 40

GroupBy = Annotated[
    str,
    QueryParameter(
        name="group_by",
        max_length=60,
        description="Some of `day`, `country`, `channel`, `template`, `sender` and `type`, with commas.",
    ),
]
FirstDay = Annotated[
    str | None,
    QueryParameter(
        name="from",
        max_length=_LONGEST,
        description="First UTC day (`2026-11-01`); the first of the last day's month if absent.",
    ),
]
LastDay = Annotated[
    str | None,
    QueryParameter(name="to", max_length=_LONGEST, description="Last UTC day, included; today if absent."),
]


class UsageRow(Struct, frozen=True, kw_only=True):
    """Messages that were settled: those whose price is certain. Members not grouped by are null."""

    day: str | None
    country: str | None
    channel: str | None
    template: str | None
    """`tpl_…`; null for messages of no template, too."""
    sender: str | None
    type: str | None
    unit: str
    """`usd` or `credits`."""
    messages: int
    parts: int
    """Message parts of those messages."""
    included: int
    """Parts, or messages, that the plan's bundle covered; `charged` is for the rest."""
    charged: str
    """What they cost the tenant, in `unit`; later corrections by receipts are in it."""
    aws_cost: str | None
    """What AWS charged, in US dollars; null except for the operator."""


class UsageView(Struct, frozen=True, kw_only=True):
    """Usage of a span of days; its rows add up to what the balance was charged for messages in it."""

    first_day: str
    last_day: str
    data: list[UsageRow]


class UsageQuery(Struct, frozen=True, kw_only=True):
    """What was asked for, checked."""

    by: tuple[str, ...]
    first: date
    last: date


def usage_query(group_by: str, first: str | None, last: str | None, *, today: date) -> UsageQuery:
    """
    Return the checked query.

    Raises:
        Refusal: 422 for a group that does not exist or comes twice, or a span that is none or over two years.
    """
    by = tuple(group_by.split(","))
    unknown = [name for name in by if name not in DIMENSIONS]
    if unknown or len(set(by)) != len(by):
        raise Refusal.of_field(
            "?group_by", "invalid_group", f"Name some of {', '.join(DIMENSIONS)}, each once, with commas."
        )
    end = today if last is None else _day(last, "?to")
    begin = end.replace(day=1) if first is None else _day(first, "?from")
    if not timedelta(0) <= end - begin < timedelta(days=_MOST_DAYS):
        raise Refusal.of_field(
            "?from", "invalid_span", "`from` is not after `to`, and at most two years before it."
        )
    return UsageQuery(by=by, first=begin, last=end)


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal.of_field(field, "invalid_day", "Write a day as 2026-11-01.") from None


def usage_view(query: UsageQuery, lines: list[UsageLine], *, with_cost: bool) -> UsageView:
    """
    Return usage as the wire writes it.

    Raises:
        Refusal: 422 where there are more rows than one answer holds.
    """
    if len(lines) > MOST_ROWS:
        raise Refusal.of_field(
            "?group_by",
            "too_many_rows",
            f"There are more than {MOST_ROWS:,} rows: group by less, or ask for fewer days.",
        )
    return UsageView(
        first_day=query.first.isoformat(),
        last_day=query.last.isoformat(),
        data=[_row(line, with_cost=with_cost) for line in lines],
    )


@get("/usage", opt=_READ, responses=refusals(*TENANT), summary="Sum up what was settled")
async def get_usage(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    group_by: GroupBy = "day",
    first: FirstDay = None,
    last: LastDay = None,
) -> UsageView:
    """Return messages, parts and charges by day, country, channel, template, sender or type."""
    query = usage_query(group_by, first, last, today=desk.services.clock.now().date())
    async with desk.tenant(request.auth) as session:
        lines = await usage.usage(
            request.auth, session, first=query.first, last=query.last, by=query.by, at_most=MOST_ROWS + 1
        )
    return usage_view(query, lines, with_cost=False)


def _row(line: UsageLine, *, with_cost: bool) -> UsageRow:
    return UsageRow(
        day=None if line.day is None else line.day.isoformat(),
        country=line.country,
        channel=line.channel,
        template=None if line.template_id is None else encode("tpl", line.template_id),
        sender=line.sender,
        type=line.type,
        unit="usd" if line.unit == "micros" else line.unit,
        messages=line.messages,
        parts=line.parts,
        included=line.included,
        charged=format_amount(line.charged, line.unit),
        aws_cost=format_usd(line.cost_micros) if with_cost else None,
    )
