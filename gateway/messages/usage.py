"""
Usage by day: counted from what settlements leave behind, and read so that nothing waits for the counting.

A message counts on the UTC day on which it is settled: when its price is certain. Late corrections count on
the day on which they come, as in the ledger. What is under way is no usage; it is `held` in the balance.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits.pricing import Unit
from tenants.scope import TenantScope
from tenants.tables import HotConnection

DIMENSIONS: Final[dict[str, str]] = {
    "day": "day",
    "country": "country",
    "channel": "channel",
    "template": "template_id",
    "sender": "sender",
    "type": "type",
}
"""What usage is grouped by, and the column."""
MOST_ROWS: Final = 10_000
_NO_TEMPLATE: Final = UUID(int=0)
_AT_ONCE: Final = 500
"""Batches counted in one transaction."""

SETTLED: Final = """
    (b.at AT TIME ZONE 'UTC')::date AS day, m.country, m.channel, m.type,
    coalesce(m.template_id, '00000000-0000-0000-0000-000000000000') AS template_id,
    m.sender_value AS sender, m.unit,
    CASE WHEN s.first THEN 1 ELSE 0 END AS messages, CASE WHEN s.first THEN m.parts ELSE 0 END AS parts,
    s.charged, s.cost_micros, coalesce(s.included, 0) AS included
"""
OF_BATCHES: Final = """
    CROSS JOIN LATERAL unnest(b.message_ids, b.message_ats, b.first, b.charged, b.cost_micros, b.included)
        AS s (message_id, message_at, first, charged, cost_micros, included)
    JOIN messages m ON m.tenant_id = b.tenant_id AND m.id = s.message_id AND m.created_at = s.message_at
"""
_COUNT: Final = f"""
    WITH taken AS (
        DELETE FROM usage_batches WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM usage_batches ORDER BY id FOR UPDATE SKIP LOCKED LIMIT $1)
        RETURNING *
    ), sums AS (
        SELECT tenant_id, day, country, channel, type, template_id, sender, unit, sum(messages) AS messages,
            sum(parts) AS parts, sum(charged) AS charged, sum(cost_micros) AS cost_micros,
            sum(included) AS included
        FROM (SELECT b.tenant_id, {SETTLED} FROM taken b {OF_BATCHES}) AS settled
        GROUP BY tenant_id, day, country, channel, type, template_id, sender, unit
        ORDER BY tenant_id, day, country, channel, type, template_id, sender, unit
    ), counted AS (
        INSERT INTO usage_days AS u (tenant_id, day, country, channel, type, template_id, sender, unit,
            messages, parts, charged, cost_micros, included)
        SELECT * FROM sums
        ON CONFLICT (tenant_id, day, country, channel, type, template_id, sender, unit) DO UPDATE SET
            messages = u.messages + excluded.messages, parts = u.parts + excluded.parts,
            charged = u.charged + excluded.charged, cost_micros = u.cost_micros + excluded.cost_micros,
            included = u.included + excluded.included
    )
    SELECT count(*) FROM taken
"""  # noqa: S608 - constants of this module
"""The days' rows are locked in the order of their key, so that any number of processes may count at once."""

LINES: Final = f"""
    SELECT day, country, channel, type, template_id, sender, unit, messages, parts, charged, cost_micros,
        included
    FROM usage_days WHERE tenant_id = :tenant AND day BETWEEN :first AND :last
    UNION ALL
    SELECT {SETTLED} FROM usage_batches b {OF_BATCHES}
    WHERE b.tenant_id = :tenant AND (b.at AT TIME ZONE 'UTC')::date BETWEEN :first AND :last
"""  # noqa: S608 - constants of this module
"""What is counted and what still waits for it, in one snapshot; it has every settlement exactly once."""


class UsageLine(Struct, frozen=True, kw_only=True):
    """What was settled, summed over everything that was not asked for, which is None."""

    unit: Unit
    messages: int
    parts: int
    """Message parts of those messages."""
    charged: int
    """In `unit`."""
    cost_micros: int
    """What AWS charged; the operator's to know."""
    included: int
    """Parts, or messages, that the tenant's bundle covered."""
    day: date | None = None
    country: str | None = None
    channel: str | None = None
    template_id: UUID | None = None
    """None for messages of no template, too."""
    sender: str | None = None
    type: str | None = None


async def count(connection: HotConnection) -> int:
    """Count up to some hundred batches of settlements into their days; returns how many there were."""
    return cast("int", await connection.fetchval(_COUNT, _AT_ONCE))


async def count_all(pool: Any) -> None:
    """Count until nothing is left to count that no other process is counting."""
    while True:
        async with pool.acquire() as connection:
            if await count(connection) < _AT_ONCE:
                return


async def usage(
    scope: TenantScope,
    session: AsyncSession,
    *,
    first: date,
    last: date,
    by: Sequence[str],
    at_most: int = MOST_ROWS,
) -> list[UsageLine]:
    """
    Return what was settled from the first to the last day, both included, in the order of `by`.

    Args:
        by: Names of `DIMENSIONS`; amounts of different units are never summed.
    """
    columns = [DIMENSIONS[name] for name in by]
    keys = ", ".join((*columns, "unit"))
    query = f"""
        SELECT {keys}, sum(messages)::bigint AS messages, sum(parts)::bigint AS parts,
            sum(charged)::bigint AS charged, sum(cost_micros)::bigint AS cost_micros,
            sum(included)::bigint AS included
        FROM ({LINES}) AS lines GROUP BY {keys} ORDER BY {keys} LIMIT :at_most
    """  # noqa: S608 - columns of ours
    terms = {"tenant": scope.tenant_id, "first": first, "last": last, "at_most": at_most}
    return [_line(dict(row)) for row in (await session.execute(text(query), terms)).mappings()]


def _line(row: dict[str, Any]) -> UsageLine:
    if row.get("template_id") == _NO_TEMPLATE:
        row["template_id"] = None
    return UsageLine(**row)
