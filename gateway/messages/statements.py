"""
A month's statement: what a tenant had, paid in, was charged for and has, adding up to the last digit.

All that adds up is read in one statement, so in one snapshot. The closing balance is today's less what came
after the month, the opening one is the closing one less what came in it: from usage for messages, of which
there are many, and from the ledger's own rows for what was moved by hand, of which there are few.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.month import Month
from gateway.messages.usage import LINES
from tenants.budgets.budget import BUNDLE
from tenants.credits.owed_fees import Fee, uncharged_of
from tenants.credits.pricing import Unit
from tenants.scope import TenantScope

_LAST_DAY: Final = date(9999, 12, 31)
_TOP_UPS: Final = frozenset({"top_up"})
_ADJUSTMENTS: Final = frozenset({"adjust", "correction", "reconcile"})
"""Every other kind that is moved by hand is a fee."""


class MessageLine(Struct, frozen=True, kw_only=True):
    """Messages that were settled in the month, of one country, channel, type and sender."""

    country: str
    channel: str
    type: str
    sender: str
    messages: int
    parts: int
    charged: int
    cost_micros: int
    """What AWS charged; the operator's to know."""
    included: int
    """Parts, or messages, that the bundle covered; `charged` is for the rest."""


class BundleUse(Struct, frozen=True, kw_only=True):
    """A month's bundle: parts, or messages, accepted in the month that cost something."""

    included: int
    """What the plan included when a message last drew on it."""
    used: int
    """Above `included` where a late receipt took back what had been given to others since."""


class Entry(Struct, frozen=True, kw_only=True):
    """One movement by hand."""

    id: UUID
    at: datetime
    kind: str
    amount: int
    """Change of the balance."""
    note: str | None
    message_id: UUID | None


class Account(Struct, frozen=True, kw_only=True):
    """The month in one unit: opening + top_ups - messages + fees + adjustments = closing."""

    unit: Unit
    opening: int
    top_ups: int
    charged: int
    """For messages; negative if more was given back than charged."""
    fees: int
    """As a change of the balance: not above zero."""
    adjustments: int
    closing: int
    bundle: BundleUse | None
    lines: list[MessageLine]
    entries: list[Entry]
    uncharged: list[Fee]
    """Fees of the month that are in no sum: what no balance has covered yet, and what was waived."""


class Statement(Struct, frozen=True, kw_only=True):
    """One tenant's month."""

    month: Month
    is_complete: bool
    """Whether the month is over, in UTC; until then it grows."""
    accounts: list[Account]
    """One per unit that moved or stands; two only in a month in which the plan changed between them."""


_READ: Final = f"""
    WITH lines AS ({LINES}), by_hand AS (
        SELECT id, at, kind, unit, available + held AS amount, note, about_id FROM ledger_transfers
        WHERE tenant_id = :tenant AND subject_id = id AND at >= :begin AND cogs = 0
    )
    SELECT 'now' AS part, unit, posted AS amount, NULL AS country, NULL AS channel, NULL AS type,
        NULL AS sender, 0::bigint AS messages, 0::bigint AS parts, 0::bigint AS cost_micros,
        0::bigint AS included, NULL::uuid AS id, NULL::timestamptz AS at, NULL AS kind, NULL AS note,
        NULL::uuid AS about_id
    FROM balances WHERE tenant_id = :tenant
    UNION ALL
    SELECT 'bundle', b.unit, c.used, NULL, NULL, NULL, NULL, 0, 0, 0, c.cap, NULL, NULL, NULL, NULL, NULL
    FROM balances b JOIN spend_counters c USING (tenant_id)
    WHERE b.tenant_id = :tenant AND c.name = :bundle AND c.month = :first AND c.used > 0
    UNION ALL
    SELECT 'later', unit, -sum(charged)::bigint, NULL, NULL, NULL, NULL, 0, 0, 0, 0,
        NULL, NULL, NULL, NULL, NULL
    FROM lines WHERE day > :end_day GROUP BY unit
    UNION ALL
    SELECT 'later', unit, sum(amount)::bigint, NULL, NULL, NULL, NULL, 0, 0, 0, 0,
        NULL, NULL, NULL, NULL, NULL
    FROM by_hand WHERE at >= :end GROUP BY unit
    UNION ALL
    SELECT 'line', unit, sum(charged)::bigint, country, channel, type, sender, sum(messages)::bigint,
        sum(parts)::bigint, sum(cost_micros)::bigint, sum(included)::bigint, NULL, NULL, NULL, NULL, NULL
    FROM lines WHERE day <= :end_day GROUP BY unit, country, channel, type, sender
    UNION ALL
    SELECT 'entry', unit, amount, NULL, NULL, NULL, NULL, 0, 0, 0, 0, id, at, kind, note, about_id
    FROM by_hand WHERE at < :end
    ORDER BY part, country, channel, type, sender, at, id
"""  # noqa: S608 - constants


async def statement(scope: TenantScope, session: AsyncSession, month: Month, *, now: datetime) -> Statement:
    """Return the tenant's statement of a month that has begun; it has no account where there is no tenant."""
    terms = {
        "tenant": scope.tenant_id,
        "first": month.first_day,
        "last": _LAST_DAY,
        "begin": month.begin,
        "end": month.end,
        "end_day": month.last_day,
        "bundle": BUNDLE,
    }
    rows = [dict(row) for row in (await session.execute(text(_READ), terms)).mappings()]
    owed = await uncharged_of(scope, session, month.first_day)
    units: dict[Unit, None] = dict.fromkeys((*(row["unit"] for row in rows), *(fee.unit for fee in owed)))
    accounts = [
        _account(
            unit, [row for row in rows if row["unit"] == unit], [fee for fee in owed if fee.unit == unit]
        )
        for unit in units
    ]
    return Statement(month=month, is_complete=month.end <= now.astimezone(UTC), accounts=accounts)


def _account(unit: Unit, rows: list[dict[str, Any]], uncharged: list[Fee]) -> Account:
    lines = [_line(row) for row in rows if row["part"] == "line"]
    entries = [_entry(row) for row in rows if row["part"] == "entry"]
    charged = sum(line.charged for line in lines)
    closing = _sum(rows, "now") - _sum(rows, "later")
    moved = sum(entry.amount for entry in entries)
    return Account(
        unit=unit,
        opening=closing - moved + charged,
        top_ups=sum(entry.amount for entry in entries if entry.kind in _TOP_UPS),
        charged=charged,
        fees=sum(entry.amount for entry in entries if entry.kind not in _TOP_UPS | _ADJUSTMENTS),
        adjustments=sum(entry.amount for entry in entries if entry.kind in _ADJUSTMENTS),
        closing=closing,
        bundle=next((_bundle(row) for row in rows if row["part"] == "bundle"), None),
        lines=lines,
        entries=entries,
        uncharged=uncharged,
    )


def _sum(rows: Iterable[dict[str, Any]], part: str) -> int:
    return sum(row["amount"] for row in rows if row["part"] == part)


def _bundle(row: dict[str, Any]) -> BundleUse:
    return BundleUse(included=row["included"], used=row["amount"])


def _line(row: dict[str, Any]) -> MessageLine:
    return MessageLine(
        country=row["country"],
        channel=row["channel"],
        type=row["type"],
        sender=row["sender"],
        messages=row["messages"],
        parts=row["parts"],
        charged=row["amount"],
        cost_micros=row["cost_micros"],
        included=row["included"],
    )


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        id=row["id"],
        at=row["at"],
        kind=row["kind"],
        amount=row["amount"],
        note=row["note"],
        message_id=row["about_id"],
    )
