"""Usage counted once more from the ledger and the messages; what the counted days have to be equal to."""

from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from gateway.messages.usage import OF_BATCHES, SETTLED

_KEYS: Final = "tenant_id, day, country, channel, type, template_id, sender, unit"
_FIGURES: Final = ("messages", "parts", "charged", "cost_micros", "included")
_SUMS: Final = ", ".join(f"sum({name})::bigint AS {name}" for name in _FIGURES)

RECOUNT: Final = """
    SELECT m.tenant_id, t.day, m.country, m.channel, m.type,
        coalesce(m.template_id, '00000000-0000-0000-0000-000000000000') AS template_id,
        m.sender_value AS sender, m.unit, t.firsts AS messages, m.parts * t.firsts AS parts,
        t.charged, t.cost_micros, t.included
    FROM (
        SELECT tenant_id, subject_id, subject_at, (at AT TIME ZONE 'UTC')::date AS day,
            count(DISTINCT subject_id) FILTER (
                WHERE kind IN ('capture', 'release', 'expire')) AS firsts,
            coalesce(sum(revenue + adjustment) FILTER (WHERE kind IN ('capture', 'recapture')), 0) AS charged,
            sum(cogs) AS cost_micros, sum(included) AS included
        FROM ledger_transfers WHERE kind IN ('capture', 'release', 'expire', 'recapture', 'cost')
        GROUP BY 1, 2, 3, 4
    ) t JOIN messages m ON m.tenant_id = t.tenant_id AND m.id = t.subject_id AND m.created_at = t.subject_at
    WHERE NOT m.test
"""
"""Every message's first settlement posts a capture, a release or both, and no later one does."""

_WAITING: Final = f"SELECT b.tenant_id, {SETTLED} FROM usage_batches b {OF_BATCHES}"  # noqa: S608 - constants

RECOUNT_DIFFERENCES: Final = f"""
    WITH counted AS (
        SELECT {_KEYS}, {_SUMS} FROM (
            SELECT {_KEYS}, {", ".join(_FIGURES)} FROM usage_days UNION ALL {_WAITING}) AS all_lines
        GROUP BY {_KEYS}
    ), recounted AS (SELECT {_KEYS}, {_SUMS} FROM ({RECOUNT}) AS again GROUP BY {_KEYS})
    SELECT tenant_id, day, sum(expected)::bigint AS expected, sum(found)::bigint AS found
    FROM (
        SELECT tenant_id, day, coalesce(r.charged, 0) AS expected, coalesce(c.charged, 0) AS found
        FROM recounted r FULL JOIN counted c USING ({_KEYS})
        WHERE coalesce(r.messages, 0) <> coalesce(c.messages, 0)
            OR coalesce(r.parts, 0) <> coalesce(c.parts, 0)
            OR coalesce(r.charged, 0) <> coalesce(c.charged, 0)
            OR coalesce(r.cost_micros, 0) <> coalesce(c.cost_micros, 0)
            OR coalesce(r.included, 0) <> coalesce(c.included, 0)
    ) AS apart GROUP BY tenant_id, day ORDER BY tenant_id, day
"""  # noqa: S608 - constants of this module

_ZERO: Final = """
    UPDATE usage_days SET messages = 0, parts = 0, charged = 0, cost_micros = 0, included = 0
    WHERE tenant_id = $1 AND day = $2
"""
_REPLACE: Final = f"""
    INSERT INTO usage_days ({_KEYS}, {", ".join(_FIGURES)})
    SELECT {_KEYS}, {_SUMS} FROM (
        SELECT * FROM ({RECOUNT}) AS again
        UNION ALL
        SELECT tenant_id, day, country, channel, type, template_id, sender, unit, -messages, -parts, -charged,
            -cost_micros, -included FROM ({_WAITING}) AS waiting
    ) AS due WHERE tenant_id = $1 AND day = $2 GROUP BY {_KEYS}
    ON CONFLICT ({_KEYS}) DO UPDATE SET messages = excluded.messages, parts = excluded.parts,
        charged = excluded.charged, cost_micros = excluded.cost_micros, included = excluded.included
"""  # noqa: S608 - constants of this module


async def replace_day(pool: "asyncpg.Pool[asyncpg.Record]", tenant_id: UUID, day: date) -> None:
    """
    Put the recount in the place of one day.

    Raises:
        asyncpg.SerializationError: Somebody was counting that day at the same moment; nothing is changed.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        await connection.execute(_ZERO, tenant_id, day)
        await connection.execute(_REPLACE, tenant_id, day)
