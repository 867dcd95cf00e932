"""
Putting right what the proof of the books found: by new entries with a reason, never by changing one.

Each difference is looked at once more under the locks of its message and its balance, so that what has moved
since the proof is neither lost nor corrected twice. The messages say what is right, the ledger follows them,
and the cached balance follows the ledger. A tenant never goes below zero by it: what its balance does not
bear is the platform's, booked to `adjustment`; so is what a message moves that was paid in another unit than
the balance counts in by now.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct, structs

from gateway.messages.bundle_recount import replace_drawn
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
_BUNDLE_RULE: Final = "bundle_is_what_messages_drew"
_BALANCE_RULES: Final = frozenset({"balance_is_sum_of_transfers", "held_is_sum_of_holds"})
_CORRECTED: Final = (
    _MESSAGE_RULES
    | _BALANCE_RULES
    | {"held_is_sum_of_open_messages", "available_not_negative", "held_not_negative"}
    | {"usage_is_what_was_settled", _BUNDLE_RULE}
)
"""A rule that is not among them is kept by the schema itself: a person has to look at what broke it."""


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
        coalesce(sum(cogs), 0)::bigint AS cogs,
        max(unit) FILTER (WHERE cogs = 0) AS unit
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
_FOLLOW: Final = "UPDATE balances SET posted = $2, held = $3 WHERE tenant_id = $1"
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

    Each tenant is one transaction: its messages first, then its balance, which follows the ledger.

    Raises:
        asyncpg.PostgresError: The database did not take a tenant's corrections; those before it stand.
    """
    left = [each for each in differences if each.tenant_id is None or each.rule not in _CORRECTED]
    tenants: dict[UUID, list[Difference]] = {}
    for each in differences:
        if each.tenant_id is not None and each.rule in _CORRECTED:
            tenants.setdefault(each.tenant_id, []).append(each)
    for tenant_id, found in tenants.items():
        messages = {d.subject_id for d in found if d.rule in _MESSAGE_RULES and d.subject_id is not None}
        if any(d.day is None for d in found):
            async with pool.acquire() as connection, connection.transaction():
                await _correct_tenant(connection, tenant_id, sorted(messages), reason)
        for rule, day in sorted({(d.rule, d.day) for d in found if d.day is not None}):
            replace = replace_drawn if rule == _BUNDLE_RULE else replace_day
            await replace(pool, tenant_id, day)
    return left


async def _correct_tenant(
    connection: HotConnection, tenant_id: UUID, message_ids: list[UUID], reason: str
) -> None:
    """Bring the ledger to what the messages and AWS's events say, and the balance to the ledger."""
    messages = {each: await connection.fetchrow(_LOCK, *_place(tenant_id, each)) for each in message_ids}
    balance = (await lock_balances(connection, [tenant_id]))[tenant_id]
    sums = await connection.fetchrow(_LEDGER, tenant_id)
    assert sums is not None  # noqa: S101 - sums always are one row
    available, held = sums["available"], sums["held"]
    for message_id, message in messages.items():
        entry = await _correct_message(
            connection, tenant_id, message_id, message, available, unit=balance.unit, reason=reason
        )
        available += entry.available
        held += entry.held
    lift = max(0, -available)
    if lift:
        entry = _Sums(available=lift, adjustment=-lift)
        await _post(connection, tenant_id, None, entry, unit=balance.unit, reason=reason)
    await connection.execute(_FOLLOW, tenant_id, available + lift + held, held)
    detail = {"reason": reason, "posted": balance.posted, "held": balance.held}
    await connection.execute(_AUDIT, tenant_id, new_uuid(), encode("ten", tenant_id), detail)


def _place(tenant_id: UUID, message_id: UUID) -> tuple[UUID, UUID, datetime]:
    return tenant_id, message_id, created_at(message_id)


async def _correct_message(
    connection: HotConnection,
    tenant_id: UUID,
    message_id: UUID,
    message: Any,
    available: int,
    *,
    unit: str,
    reason: str,
) -> _Sums:
    """Post what the ledger lacks of one message, and return it."""
    place = _place(tenant_id, message_id)
    row = await connection.fetchrow(_OF_MESSAGE, *place)
    assert row is not None  # noqa: S101 - sums always are one row
    booked = _Sums(**{name: row[name] for name in _Sums.__struct_fields__})
    is_live = message is not None and not message["test"]
    cost = await connection.fetchval(_COST, *place) if is_live else 0
    paid_in: str = row["unit"] or (unit if message is None else message["unit"])
    missing = _missing(message, booked)
    entry, short = _bearable(missing, available) if paid_in == unit else _of_platform(missing)
    await _post(connection, tenant_id, message_id, entry, unit=paid_in, reason=reason)
    if short and is_live:
        await connection.execute(_BORNE, *place, short)
    cost_entry = _Sums(cogs=cost - booked.cogs)
    await _post(connection, tenant_id, message_id, cost_entry, unit="micros", reason=reason)
    if is_live:
        await connection.execute(_BOOKED, *place, cost)
    return entry


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


def _of_platform(entry: _Sums) -> tuple[_Sums, int]:
    """Move to the platform's adjustment what a balance that counts in another unit neither pays nor gets."""
    borne = structs.replace(entry, available=0, adjustment=entry.adjustment + entry.available)
    return borne, -entry.available if entry.revenue else 0


async def _post(
    connection: HotConnection,
    tenant_id: UUID,
    message_id: UUID | None,
    entry: _Sums,
    *,
    unit: str,
    reason: str,
) -> None:
    if entry == _Sums():
        return
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
