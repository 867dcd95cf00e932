"""
What AWS support and carriers ask for when messages do not arrive, from the messages of the last 48 hours.

Carriers look into nothing older. They want examples in proportion to the damage: a handful for a handful of
failures, dozens for thousands, from every carrier that is concerned and over the whole time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil, sqrt
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight import baseline
from gateway.insight.history import history
from gateway.insight.records import Numbers, masked, recipient_of
from gateway.insight.search import first_id, last_id
from gateway.messages.models import Message
from gateway.messages.view import timestamp
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.scope import TenantScope

LONGEST: Final = timedelta(hours=48)
FEWEST_EXAMPLES: Final = 10
MOST_EXAMPLES: Final = 100
_MOST_GROUPS: Final = 50

_OF: Final = """
    tenant_id = :tenant AND NOT test AND id BETWEEN :first AND :last AND created_at >= :since
    AND created_at < :before AND provider_message_id IS NOT NULL
    AND (CAST(:country AS text) IS NULL OR country = :country)
    AND (CAST(:carrier AS text) IS NULL OR carrier = :carrier)
"""
_BAD: Final = """(status IN ('undelivered', 'expired', 'unknown')
    OR (status = 'sent' AND dispatched_at < :overdue) OR feedback = 'failed')"""
_TOTALS: Final = text(
    f"""
    SELECT count(*) AS messages, count(*) FILTER (WHERE {_BAD}) AS in_trouble,
        count(*) FILTER (WHERE status = 'delivered') AS delivered,
        count(*) FILTER (WHERE status = 'sent') AS without_receipt,
        min(created_at) FILTER (WHERE {_BAD}) AS began_at,
        count(*) FILTER (WHERE feedback = 'received') AS feedback_received,
        count(*) FILTER (WHERE feedback = 'failed') AS feedback_failed
    FROM messages WHERE {_OF}
    """  # noqa: S608 - constants of this module
)
_GROUPS: Final = """
    SELECT {keys}, count(*) AS messages, count(*) FILTER (WHERE {bad}) AS in_trouble
    FROM messages WHERE {of} GROUP BY {keys} ORDER BY {order} LIMIT :most
"""
_EXAMPLES: Final = text(
    f"""
    WITH bad AS (
        SELECT id, row_number() OVER (PARTITION BY carrier ORDER BY id) - 1 AS n,
            count(*) OVER (PARTITION BY carrier) AS of, count(*) OVER () AS total
        FROM messages WHERE {_OF} AND {_BAD}
    ), shared AS (
        SELECT id, n, of,
            greatest(1, least(of, round(CAST(:wanted AS numeric) * of / total)))::bigint AS share
        FROM bad
    )
    SELECT id FROM shared WHERE n = 0 OR n * share / of > (n - 1) * share / of ORDER BY id LIMIT :most
    """  # noqa: S608 - constants of this module
)
"""Each carrier's share of the examples, at least one, spread evenly over its bad messages."""
_DESCRIPTIONS: Final = text(
    """
    SELECT DISTINCT ON (message_id) message_id, event_at, detail ->> 'messageStatusDescription' AS description
    FROM receipts WHERE tenant_id = :tenant AND message_id = ANY(:ids) AND message_at >= :since
    ORDER BY message_id, event_at DESC
    """
)


class Subject(Struct, frozen=True, kw_only=True):
    """What the trouble is with; None does not narrow it."""

    country: str | None = None
    carrier: str | None = None
    hours: int = 48


class PatternRow(Struct, frozen=True, kw_only=True):
    """One hour."""

    hour: str | None
    messages: int
    in_trouble: int


class StatusRow(Struct, frozen=True, kw_only=True):
    """What AWS said, and how often."""

    status: str
    provider_status: str | None
    reason: str | None
    messages: int


class CarrierRow(Struct, frozen=True, kw_only=True):
    """One carrier of one country."""

    country: str
    carrier: str | None
    mcc: str | None
    mnc: str | None
    messages: int
    in_trouble: int


class Example(Struct, frozen=True, kw_only=True):
    """A message in trouble, in the fields that carriers ask for."""

    message_id: str | None
    """AWS's."""
    tollgate_id: str
    sent_at: str | None
    event_at: str | None
    """Of AWS's last word."""
    originator: str
    destination: str
    country: str
    carrier: str | None
    mcc: str | None
    mnc: str | None
    status: str
    """AWS's word where there is one, else ours."""
    description: str | None
    message_type: str
    channel: str
    encoding: str
    parts: int
    feedback: str | None
    account: str | None
    region: str | None


class Evidence(Struct, frozen=True, kw_only=True):
    """One case: how many, since when, where, what was said, and examples. Live messages that AWS took."""

    tenant_id: str
    since: str | None
    until: str | None
    country: str | None
    carrier: str | None
    messages: int
    in_trouble: int
    """Undelivered, expired, unknown, without an overdue receipt, or said by the tenant to have failed."""
    delivered: int
    without_receipt: int
    delivery_rate: float | None
    """Delivered, of all of these messages."""
    usual_delivery_rate: float | None
    """Median of the hours of eight weeks; null where there is too little history."""
    began_at: str | None
    """Of the first message in trouble."""
    feedback_received: int
    feedback_failed: int
    pattern: list[PatternRow]
    statuses: list[StatusRow]
    carriers: list[CarrierRow]
    examples: list[Example]


def sample_size(in_trouble: int) -> int:
    """
    Return how many examples a case wants: all of a few, 32 of a thousand, a hundred of ten thousand.

    The square root grows with the damage as carriers ask, and no faster than somebody reads.
    """
    return min(in_trouble, max(FEWEST_EXAMPLES, min(MOST_EXAMPLES, ceil(sqrt(in_trouble)))))


async def gather(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    subject: Subject,
    *,
    now: datetime,
    numbers: Numbers,
) -> Evidence:
    """Return the case of a tenant's trouble."""
    past = await history(scope, session, now=now, country=subject.country, type_=None, apart=False)
    overdue_s = baseline.usual_receipt_s(past, at=now)
    since = now - min(LONGEST, timedelta(hours=subject.hours))
    given: dict[str, Any] = {
        "tenant": scope.tenant_id,
        "first": first_id(since),
        "last": last_id(now),
        "since": since,
        "before": now,
        "country": subject.country,
        "carrier": subject.carrier,
        "overdue": now - max(timedelta(minutes=15), timedelta(seconds=2 * (overdue_s or 0))),
    }
    totals = (await session.execute(_TOTALS, given)).mappings().one()
    usual = baseline.usual("delivery_rate", past, at=now)
    return Evidence(
        tenant_id=encode("ten", scope.tenant_id),
        since=timestamp(since),
        until=timestamp(now),
        country=subject.country,
        carrier=subject.carrier,
        messages=totals["messages"],
        in_trouble=totals["in_trouble"],
        delivered=totals["delivered"],
        without_receipt=totals["without_receipt"],
        delivery_rate=round(totals["delivered"] / totals["messages"], 4) if totals["messages"] else None,
        usual_delivery_rate=None if usual is None else round(usual.median, 4),
        began_at=timestamp(totals["began_at"]),
        feedback_received=totals["feedback_received"],
        feedback_failed=totals["feedback_failed"],
        pattern=[
            PatternRow(hour=timestamp(row["hour"]), messages=row["messages"], in_trouble=row["in_trouble"])
            for row in await _groups(session, given, "hour", order="hour")
        ],
        statuses=[
            StatusRow(
                status=row["status"],
                provider_status=row["provider_status"],
                reason=row["reason_code"],
                messages=row["messages"],
            )
            for row in await _groups(session, given, "status, provider_status, reason_code")
        ],
        carriers=[CarrierRow(**row) for row in await _groups(session, given, "country, carrier, mcc, mnc")],
        examples=await _examples(
            scope, session, key, given, wanted=sample_size(totals["in_trouble"]), numbers=numbers
        ),
    )


async def _groups(
    session: AsyncSession, given: dict[str, Any], keys: str, *, order: str = "messages DESC"
) -> list[dict[str, Any]]:
    query = _GROUPS.format(keys=keys, bad=_BAD, of=_OF, order=f"{order}, {keys}")
    hours = "(SELECT *, date_trunc('hour', created_at, 'UTC') AS hour FROM messages) AS messages"
    query = query.replace("FROM messages", f"FROM {hours}") if keys == "hour" else query
    rows = await session.execute(text(query), given | {"most": _MOST_GROUPS})
    return [dict(row) for row in rows.mappings()]


async def _examples(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    given: dict[str, Any],
    *,
    wanted: int,
    numbers: Numbers,
) -> list[Example]:
    chosen = await session.scalars(_EXAMPLES, given | {"wanted": wanted, "most": MOST_EXAMPLES})
    ids = list(chosen)
    if not ids:
        return []
    about = {"tenant": scope.tenant_id, "ids": ids, "since": given["since"]}
    said = {row["message_id"]: row for row in (await session.execute(_DESCRIPTIONS, about)).mappings()}
    return [
        _example(message, key, said.get(message.id), numbers)
        for message in await _messages(scope, session, ids, since=given["since"])
    ]


async def _messages(
    scope: TenantScope, session: AsyncSession, ids: Sequence[UUID], *, since: datetime
) -> Sequence[Message]:
    owned = select(Message).where(
        Message.tenant_id == scope.tenant_id, Message.id.in_(ids), Message.created_at >= since
    )
    return (await session.scalars(owned.order_by(Message.id))).all()


def _example(message: Message, key: DataKey, said: Any, numbers: Numbers) -> Example:
    number = recipient_of(message, key)
    return Example(
        message_id=message.provider_message_id,
        tollgate_id=encode("msg", message.id),
        sent_at=timestamp(message.dispatched_at),
        event_at=timestamp(message.receipt_at if said is None else said["event_at"]),
        originator=message.sender_value,
        destination=number if numbers == "full" else masked(number),
        country=message.country,
        carrier=message.carrier,
        mcc=message.mcc,
        mnc=message.mnc,
        status=message.provider_status or message.status,
        description=(None if said is None else said["description"]) or message.reason_detail,
        message_type=message.type,
        channel=message.channel,
        encoding=message.encoding,
        parts=message.parts,
        feedback=message.feedback,
        account=None if message.account_id is None else encode("acc", message.account_id),
        region=None if message.sender_arn is None else message.sender_arn.split(":")[3],
    )
