"""
Whether ledger, balances, messages, AWS's events and usage tell the same story, as of one instant.

    a balance's held      = what its live messages without a final price are estimated at
    a message's hold      = its estimate until it has a final price, then nothing
    revenue + adjustment  = the final price, for every live message that has one
    cogs                  = the greatest price and fee of each of AWS's ids for the message
    a test message        = nothing, on every account
    a day of usage        = what its transfers settled
    a month's bundle      = what its messages drew of it
"""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from gateway.messages.bundle_recount import DIFFERENCES
from gateway.messages.usage_recount import RECOUNT_DIFFERENCES
from tenants.credits.reconcile import Difference, balance_differences, transfer_differences
from tenants.tables import HotConnection


class Proof(Struct, frozen=True, kw_only=True):
    """What was compared, and where it disagreed."""

    tenants: int
    transfers: int
    messages: int
    differences: list[Difference]


CHARGED = "kind IN ('capture', 'recapture') OR (kind = 'reconcile' AND revenue <> 0)"
"""The transfers that say what a message was charged; an operator's correction is not among them."""

_HOLDS = """
    SELECT b.tenant_id, NULL::uuid AS subject_id, coalesce(m.held, 0)::bigint AS expected, b.held AS found
    FROM balances b LEFT JOIN (
        SELECT tenant_id, sum(price_estimated) AS held FROM messages
        WHERE price_final IS NULL AND NOT test GROUP BY tenant_id
    ) m USING (tenant_id)
    WHERE b.held <> coalesce(m.held, 0)
"""
_HOLD = """
    SELECT coalesce(m.tenant_id, t.tenant_id) AS tenant_id, coalesce(m.id, t.message_id) AS subject_id,
        coalesce(m.held, 0) AS expected, coalesce(t.held, 0)::bigint AS found
    FROM (
        SELECT tenant_id, id, CASE WHEN price_final IS NULL THEN price_estimated ELSE 0 END AS held
        FROM messages WHERE NOT test
    ) m FULL JOIN (
        SELECT tenant_id, coalesce(about_id, subject_id) AS message_id, sum(held) AS held
        FROM ledger_transfers GROUP BY 1, 2
    ) t ON t.tenant_id = m.tenant_id AND t.message_id = m.id
    WHERE coalesce(m.held, 0) <> coalesce(t.held, 0)
"""
_CHARGES = f"""
    SELECT m.tenant_id, m.id AS subject_id, coalesce(m.price_final, 0)::bigint AS expected,
        coalesce(t.charged, 0)::bigint AS found
    FROM messages m LEFT JOIN (
        SELECT tenant_id, coalesce(about_id, subject_id) AS message_id, sum(revenue + adjustment) AS charged
        FROM ledger_transfers WHERE {CHARGED} GROUP BY 1, 2
    ) t ON t.tenant_id = m.tenant_id AND t.message_id = m.id
    WHERE NOT m.test AND coalesce(m.price_final, 0) <> coalesce(t.charged, 0)
"""  # noqa: S608 - a constant of this module
_COSTS = """
    SELECT coalesce(t.tenant_id, r.tenant_id) AS tenant_id,
        coalesce(t.message_id, r.message_id) AS subject_id,
        coalesce(r.cost, 0)::bigint AS expected, coalesce(t.cost, 0)::bigint AS found
    FROM (
        SELECT tenant_id, coalesce(about_id, subject_id) AS message_id, sum(cogs) AS cost
        FROM ledger_transfers WHERE cogs <> 0 GROUP BY 1, 2
    ) t FULL JOIN (
        SELECT tenant_id, message_id, sum(price + fee) AS cost FROM (
            SELECT r.tenant_id, r.message_id, coalesce(max(r.price_micros), 0) AS price,
                coalesce(max(r.fee_micros), 0) AS fee
            FROM receipts r JOIN messages m
                ON m.tenant_id = r.tenant_id AND m.id = r.message_id AND m.created_at = r.message_at
            WHERE NOT m.test GROUP BY r.tenant_id, r.message_id, r.provider_message_id
        ) AS each_id GROUP BY 1, 2
    ) r ON r.tenant_id = t.tenant_id AND r.message_id = t.message_id
    WHERE coalesce(r.cost, 0) <> coalesce(t.cost, 0)
"""
_TEST_TRANSFERS = """
    SELECT t.tenant_id, m.id AS subject_id, 0::bigint AS expected,
        (abs(sum(t.available)) + abs(sum(t.held)) + abs(sum(t.revenue)) + abs(sum(t.adjustment))
            + abs(sum(t.funding)) + abs(sum(t.cogs)))::bigint AS found
    FROM ledger_transfers t
    JOIN messages m ON m.tenant_id = t.tenant_id AND m.id = coalesce(t.about_id, t.subject_id)
    WHERE m.test GROUP BY t.tenant_id, m.id
    HAVING sum(t.available) <> 0 OR sum(t.held) <> 0 OR sum(t.revenue) <> 0 OR sum(t.adjustment) <> 0
        OR sum(t.funding) <> 0 OR sum(t.cogs) <> 0
"""
_MESSAGE_RULES = {
    "held_is_sum_of_open_messages": _HOLDS,
    "hold_is_of_an_open_message": _HOLD,
    "charged_is_final_price": _CHARGES,
    "cost_is_what_aws_charged": _COSTS,
    "test_messages_cost_nothing": _TEST_TRANSFERS,
}
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
            differences=await every_difference(connection),
        )


async def every_difference(connection: HotConnection) -> list[Difference]:
    """Return every difference that there is, in the caller's snapshot."""
    return [
        *await balance_differences(connection),
        *await transfer_differences(connection),
        *await message_differences(connection),
        *await usage_differences(connection),
        *await bundle_differences(connection),
    ]


async def message_differences(connection: HotConnection) -> list[Difference]:
    """Return where holds, charges, AWS's prices and messages disagree."""
    found: list[Difference] = []
    for rule, query in _MESSAGE_RULES.items():
        found += [_difference(rule, row) for row in await connection.fetch(query)]
    return found


async def usage_differences(connection: HotConnection) -> list[Difference]:
    """Return the tenants' days whose usage is not what their transfers settled."""
    return [
        _difference("usage_is_what_was_settled", row, day=row["day"])
        for row in await connection.fetch(RECOUNT_DIFFERENCES)
    ]


async def bundle_differences(connection: HotConnection) -> list[Difference]:
    """Return the months of whose bundle another number is counted than messages drew."""
    return [
        _difference("bundle_is_what_messages_drew", row, day=row["day"])
        for row in await connection.fetch(DIFFERENCES)
    ]


def _difference(rule: str, row: Any, *, day: date | None = None) -> Difference:
    subject: UUID | None = row.get("subject_id")
    return Difference(
        rule=rule,
        tenant_id=row["tenant_id"],
        subject_id=subject,
        day=day,
        expected=row["expected"],
        found=row["found"],
    )
