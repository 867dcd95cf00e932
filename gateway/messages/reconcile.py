"""
Whether the ledger and the messages tell the same story, as of one instant.

    a balance's held      = what its live messages without a final price are estimated at
    revenue + adjustment  = the final price, for every live message that has one
    a test message        = no transfer at all
"""

import asyncpg
from msgspec import Struct

from tenants.credits.reconcile import Difference, balance_differences, transfer_differences
from tenants.tables import HotConnection


class Proof(Struct, frozen=True, kw_only=True):
    """What was compared, and where it disagreed."""

    tenants: int
    transfers: int
    messages: int
    differences: list[Difference]


_HOLDS = """
    SELECT b.tenant_id, b.held, coalesce(m.held, 0)::bigint AS promised
    FROM balances b LEFT JOIN (
        SELECT tenant_id, sum(price_estimated) AS held FROM messages
        WHERE price_final IS NULL AND NOT test GROUP BY tenant_id
    ) m USING (tenant_id)
    WHERE b.held <> coalesce(m.held, 0)
"""
_CHARGES = """
    SELECT m.tenant_id, m.id, coalesce(m.price_final, 0)::bigint AS price,
        coalesce(t.charged, 0)::bigint AS charged
    FROM messages m LEFT JOIN (
        SELECT tenant_id, subject_id, sum(revenue + adjustment) AS charged FROM ledger_transfers
        WHERE kind IN ('capture', 'recapture') GROUP BY tenant_id, subject_id
    ) t ON t.tenant_id = m.tenant_id AND t.subject_id = m.id
    WHERE NOT m.test AND coalesce(m.price_final, 0) <> coalesce(t.charged, 0)
"""
_TEST_TRANSFERS = """
    SELECT t.tenant_id, t.subject_id, count(*) AS transfers FROM ledger_transfers t
    JOIN messages m ON m.tenant_id = t.tenant_id AND m.id = t.subject_id
    WHERE m.test GROUP BY t.tenant_id, t.subject_id
"""
_COUNTS = """
    SELECT (SELECT count(*) FROM balances) AS tenants, (SELECT count(*) FROM ledger_transfers) AS transfers,
        (SELECT count(*) FROM messages) AS messages
"""


async def prove(pool: "asyncpg.Pool[asyncpg.Record]") -> Proof:
    """Compare everything in one read-only snapshot; safe beside any traffic."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        counts = await connection.fetchrow(_COUNTS)
        if counts is None:
            raise LookupError("a SELECT without FROM returned no row")
        return Proof(
            tenants=counts["tenants"],
            transfers=counts["transfers"],
            messages=counts["messages"],
            differences=[
                *await balance_differences(connection),
                *await transfer_differences(connection),
                *await message_differences(connection),
            ],
        )


async def message_differences(connection: HotConnection) -> list[Difference]:
    """Return where holds, charges and messages disagree."""
    holds = [
        Difference(
            rule="held_is_sum_of_open_messages",
            tenant_id=row["tenant_id"],
            expected=row["promised"],
            found=row["held"],
        )
        for row in await connection.fetch(_HOLDS)
    ]
    charges = [
        Difference(
            rule="charged_is_final_price",
            tenant_id=row["tenant_id"],
            subject_id=row["id"],
            expected=row["price"],
            found=row["charged"],
        )
        for row in await connection.fetch(_CHARGES)
    ]
    tests = [
        Difference(
            rule="test_messages_cost_nothing",
            tenant_id=row["tenant_id"],
            subject_id=row["subject_id"],
            expected=0,
            found=row["transfers"],
        )
        for row in await connection.fetch(_TEST_TRANSFERS)
    ]
    return [*holds, *charges, *tests]
