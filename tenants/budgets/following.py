"""What a message counts against the budget of an AWS account, when another account is to carry it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from tenants.budgets.budget import PLATFORM
from tenants.tables import HotConnection


class Follow(Struct, frozen=True, kw_only=True):
    """A message under way that changes accounts."""

    tenant_id: UUID
    message_id: UUID
    created_at: datetime
    away_from: UUID
    to: UUID


_CHANGES: Final = f"""
    SELECT k.owner, k.name, date_trunc('month', m.created_at AT TIME ZONE 'UTC')::date AS month,
        sum(k.amount) AS amount
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[])
            AS d (tenant_id, id, created_at, away_from, towards)
        JOIN messages m ON m.tenant_id = d.tenant_id AND m.id = d.id AND m.created_at = d.created_at
        CROSS JOIN LATERAL (VALUES
            (m.tenant_id, 'account:' || d.away_from, -m.price_estimated),
            (m.tenant_id, 'account:' || d.towards, m.price_estimated),
            ('{PLATFORM}'::uuid, 'account:' || d.away_from, -m.cost_estimated),
            ('{PLATFORM}'::uuid, 'account:' || d.towards, m.cost_estimated)
        ) AS k (owner, name, amount)
    WHERE NOT m.test GROUP BY 1, 2, 3
"""  # noqa: S608 - a constant
_ABSENT: Final = f"""
    INSERT INTO spend_counters (tenant_id, name, month, used, cap)
    SELECT c.owner, c.name, c.month, 0, b.cap FROM ({_CHANGES}) c
        JOIN budgets b ON b.tenant_id = c.owner AND b.name = c.name
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
"""  # noqa: S608 - a constant
_FOLLOW: Final = f"""
    WITH locked AS (
        SELECT s.tenant_id, s.name, s.month, c.amount FROM spend_counters s JOIN ({_CHANGES}) c
            ON c.owner = s.tenant_id AND c.name = s.name AND c.month = s.month
        ORDER BY s.tenant_id, s.name, s.month FOR UPDATE OF s
    )
    UPDATE spend_counters s SET used = greatest(0, s.used + l.amount) FROM locked l
    WHERE s.tenant_id = l.tenant_id AND s.name = l.name AND s.month = l.month
"""  # noqa: S608 - a constant


async def follow(connection: HotConnection, moved: Sequence[Follow]) -> None:
    """
    Take the messages off the budgets of the one account and count them in those of the other.

    Whatever the cap there: they were accepted. The last that its transaction locks; a message under way is of
    the balance's unit, and so of the budgets'.
    """
    apart = [each for each in moved if each.away_from != each.to]
    if not apart:
        return
    columns = (
        [each.tenant_id for each in apart],
        [each.message_id for each in apart],
        [each.created_at for each in apart],
        [each.away_from for each in apart],
        [each.to for each in apart],
    )
    await connection.execute(_ABSENT, *columns)
    await connection.execute(_FOLLOW, *columns)
