"""
Putting right what the proof of the books found: by new entries with a reason, never by changing one.

Each difference is looked at once more under the locks of its message and its balance, so that what has moved
since the proof is neither lost nor corrected twice. The messages say what is right, the ledger follows them,
and the cached balance follows the ledger. A tenant never goes below zero by it: what its balance does not
bear is the platform's, booked to `adjustment`.
"""

from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from gateway.messages.reconcile import CHARGED
from gateway.messages.usage_recount import replace_day
from tenants.credits.batch import lock_balances
from tenants.credits.reconcile import Difference
from tenants.ids import created_at, encode, new_uuid
from tenants.tables import HotConnection

_MESSAGE_RULES: Final = frozenset(
    {
        "hold_is_of_an_open_message",
        "charged_is_final_price",
        "cost_is_what_aws_charged",
        "test_messages_cost_nothing",
    }
)
_BALANCE_RULES: Final = frozenset({"balance_is_sum_of_transfers", "held_is_sum_of_holds"})
_FOLLOWS: Final = frozenset({"held_is_sum_of_open_messages"})
"""Right when the messages and balances it is the sum of are."""


class _Sums(Struct, frozen=True, kw_only=True):
    """What the ledger says of one message, or the entry that corrects it."""

    available: int = 0
    held: int = 0
    revenue: int = 0
    funding: int = 0
    adjustment: int = 0
    charged: int = 0
    cogs: int = 0


_LOCK: Final = """
    SELECT test, unit, price_estimated, price_final FROM messages
    WHERE tenant_id = $1 AND id = $2 AND created_at = $3 FOR UPDATE
"""
_OF_MESSAGE: Final = f"""
    SELECT coalesce(sum(available), 0)::bigint AS available, coalesce(sum(held), 0)::bigint AS held,
        coalesce(sum(revenue), 0)::bigint AS revenue, coalesce(sum(funding), 0)::bigint AS funding,
        coalesce(sum(adjustment), 0)::bigint AS adjustment,
        coalesce(sum(revenue + adjustment) FILTER (WHERE {CHARGED}), 0)::bigint AS charged,
        coalesce(sum(cogs), 0)::bigint AS cogs
    FROM ledger_transfers
    WHERE tenant_id = $1 AND ((subject_id = $2 AND subject_at = $3) OR (subject_id = id AND about_id = $2))
"""  # noqa: S608 - a constant
_COST: Final = """
    SELECT coalesce(sum(price + fee), 0)::bigint FROM (
        SELECT coalesce(max(price_micros), 0) AS price, coalesce(max(fee_micros), 0) AS fee
        FROM receipts WHERE tenant_id = $1 AND message_id = $2 AND message_at = $3
        GROUP BY provider_message_id
    ) AS each_id
"""
_POST: Final = """
    INSERT INTO ledger_transfers (tenant_id, id, subject_id, subject_at, kind, unit, about_id, note,
        available, held, revenue, funding, adjustment, cogs, payable)
    VALUES ($1, $2, $2, $3, 'reconcile', $4, $5, $6, $7, $8, $9, $10, $11, $12, -$12::bigint)
"""
_MOVE: Final = "UPDATE balances SET posted = posted + $2 + $3, held = held + $3 WHERE tenant_id = $1"
_BORNE: Final = """
    UPDATE messages SET price_final = price_final - $4, price_excess = price_excess + $4
    WHERE tenant_id = $1 AND id = $2 AND created_at = $3
"""
_BOOKED: Final = """
    UPDATE messages SET cost_micros = $4 WHERE tenant_id = $1 AND id = $2 AND created_at = $3
"""
_LEDGER: Final = """
    SELECT coalesce(sum(available), 0)::bigint AS available, coalesce(sum(held), 0)::bigint AS held
    FROM ledger_transfers WHERE tenant_id = $1
"""
_AUDIT: Final = """
    INSERT INTO audit_rows (tenant_id, id, actor, action, subject, detail)
    VALUES ($1, $2, 'operator', 'credits.reconcile', $3, $4)
"""


async def post_corrections(
    pool: "asyncpg.Pool[asyncpg.Record]", differences: list[Difference], *, reason: str
) -> list[Difference]:
    """
    Correct what can be corrected, and return what needs a person; prove again to see the effect.

    Raises:
        asyncpg.PostgresError: The database did not take a correction; those before it stand.
    """
    return [
        difference
        for difference in differences
        if difference.rule not in _FOLLOWS and not await _correct(pool, difference, reason)
    ]


async def _correct(pool: "asyncpg.Pool[asyncpg.Record]", difference: Difference, reason: str) -> bool:
    tenant_id = difference.tenant_id
    if tenant_id is None:
        return False
    if difference.day is not None:
        await replace_day(pool, tenant_id, difference.day)
        return True
    async with pool.acquire() as connection, connection.transaction():
        if difference.rule in _MESSAGE_RULES and difference.subject_id is not None:
            await _correct_message(connection, tenant_id, difference.subject_id, reason)
            return True
        if difference.rule in _BALANCE_RULES:
            await _follow_ledger(connection, tenant_id, reason)
            return True
    return False


async def _correct_message(connection: HotConnection, tenant_id: UUID, message_id: UUID, reason: str) -> None:
    """Bring everything that the ledger says of one message to what the message and AWS's events say."""
    place = (tenant_id, message_id, created_at(message_id))
    message = await connection.fetchrow(_LOCK, *place)
    balance = (await lock_balances(connection, [tenant_id]))[tenant_id]
    row = await connection.fetchrow(_OF_MESSAGE, *place)
    assert row is not None  # noqa: S101 - sums always are one row
    booked = _Sums(**dict(row))
    is_live = message is not None and not message["test"]
    cost = await connection.fetchval(_COST, *place) if is_live else 0
    entry, short = _bearable(_missing(message, booked), balance.available)
    await _post(connection, tenant_id, message_id, entry, unit=balance.unit, reason=reason)
    if short and is_live:
        await connection.execute(_BORNE, *place, short)
    if cost != booked.cogs:
        await _post(
            connection, tenant_id, message_id, _Sums(cogs=cost - booked.cogs), unit="micros", reason=reason
        )
    if is_live:
        await connection.execute(_BOOKED, *place, cost)


def _missing(message: Any, booked: _Sums) -> _Sums:
    """Return the entry that the message lacks, before it is asked whether the tenant can bear it."""
    if message is None or message["test"]:
        return _Sums(
            available=-booked.available,
            held=-booked.held,
            revenue=-booked.revenue,
            funding=-booked.funding,
            adjustment=-booked.adjustment,
        )
    is_open = message["price_final"] is None
    held = (message["price_estimated"] if is_open else 0) - booked.held
    revenue = (message["price_final"] or 0) - booked.charged
    return _Sums(available=-held - revenue, held=held, revenue=revenue)


def _bearable(entry: _Sums, available: int) -> tuple[_Sums, int]:
    """Move what the tenant does not have to the platform's adjustment; returns how much that is."""
    short = max(0, -(available + entry.available))
    if not short:
        return entry, 0
    return (
        _Sums(
            available=entry.available + short,
            held=entry.held,
            revenue=entry.revenue,
            funding=entry.funding,
            adjustment=entry.adjustment - short,
        ),
        short if entry.revenue else 0,
    )


async def _follow_ledger(connection: HotConnection, tenant_id: UUID, reason: str) -> None:
    """Set the cached balance to the sums of the ledger, lifted to zero where these are below it."""
    balance = (await lock_balances(connection, [tenant_id]))[tenant_id]
    sums = await connection.fetchrow(_LEDGER, tenant_id)
    assert sums is not None  # noqa: S101 - sums always are one row
    await connection.execute(
        "UPDATE balances SET posted = $2, held = $3 WHERE tenant_id = $1",
        tenant_id,
        max(sums["available"], 0) + sums["held"],
        sums["held"],
    )
    lift = max(0, -sums["available"])
    if lift:
        entry = _Sums(available=lift, adjustment=-lift)
        await _insert(connection, tenant_id, None, entry, unit=balance.unit, reason=reason)
    detail = {"reason": reason, "posted": balance.posted, "held": balance.held}
    await connection.execute(_AUDIT, tenant_id, new_uuid(), encode("ten", tenant_id), detail)


async def _post(
    connection: HotConnection, tenant_id: UUID, message_id: UUID, entry: _Sums, *, unit: str, reason: str
) -> None:
    if entry == _Sums():
        return
    await connection.execute(_MOVE, tenant_id, entry.available, entry.held)
    await _insert(connection, tenant_id, message_id, entry, unit=unit, reason=reason)
    subject = encode("msg", message_id)
    await connection.execute(_AUDIT, tenant_id, new_uuid(), subject, {"reason": reason})


async def _insert(
    connection: HotConnection,
    tenant_id: UUID,
    message_id: UUID | None,
    entry: _Sums,
    *,
    unit: str,
    reason: str,
) -> None:
    entry_id = new_uuid()
    await connection.execute(
        _POST,
        tenant_id,
        entry_id,
        created_at(entry_id),
        unit,
        message_id,
        reason,
        entry.available,
        entry.held,
        entry.revenue,
        entry.funding,
        entry.adjustment,
        entry.cogs,
    )
