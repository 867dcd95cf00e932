"""What messages drew on bundles, counted once more from the messages and the ledger."""

from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from tenants.budgets.budget import BUNDLE

_DRAWN: Final = """
    SELECT m.tenant_id, date_trunc('month', m.created_at AT TIME ZONE 'UTC')::date AS month,
        sum(CASE WHEN m.price_final IS NULL THEN m.included ELSE coalesce(t.included, 0) END)::bigint AS drawn
    FROM messages m LEFT JOIN (
        SELECT tenant_id, subject_id, subject_at, sum(included) AS included
        FROM ledger_transfers WHERE included <> 0 GROUP BY 1, 2, 3
    ) t ON t.tenant_id = m.tenant_id AND t.subject_id = m.id AND t.subject_at = m.created_at
    WHERE m.included > 0 {of_tenant} GROUP BY 1, 2
"""
"""A message under way has drawn what it was given; a settled one what its transfers say it used."""

DIFFERENCES: Final = f"""
    SELECT tenant_id, month AS day, coalesce(d.drawn, 0) AS expected, coalesce(c.used, 0) AS found
    FROM ({_DRAWN.format(of_tenant="")}) d FULL JOIN (
        SELECT tenant_id, month, used FROM spend_counters WHERE name = '{BUNDLE}'
    ) c USING (tenant_id, month)
    WHERE coalesce(d.drawn, 0) <> coalesce(c.used, 0) ORDER BY tenant_id, month
"""  # noqa: S608 - constants of this module

_LOCK_BALANCE: Final = "SELECT 1 FROM balances WHERE tenant_id = $1 FOR UPDATE"
_REPLACE: Final = f"""
    UPDATE spend_counters c SET used = coalesce((
        SELECT drawn FROM ({_DRAWN.format(of_tenant="AND m.tenant_id = $1")}) d WHERE d.month = $2), 0)
    WHERE c.tenant_id = $1 AND c.name = '{BUNDLE}' AND c.month = $2
"""  # noqa: S608 - constants of this module


async def replace_drawn(pool: "asyncpg.Pool[asyncpg.Record]", tenant_id: UUID, month: date) -> None:
    """Set a month's counter to the recount; under the balance's lock nothing is accepted meanwhile."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LOCK_BALANCE, tenant_id)
        await connection.execute(_REPLACE, tenant_id, month)
