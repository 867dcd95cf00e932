"""
The counters of budgets on the hot path: counted with the accept, given back with the settlement.

A count is a write of the accept's own statement, under the locks of its balances. One that would pass its cap
breaks the CHECK on the counter and with it the statement; the batch is then decided send by send under the
counters' locks. Lock order: balances first, then counters in the order of their keys.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from tenants.budgets.budget import BUNDLE, PLATFORM, Count
from tenants.compound import Write
from tenants.tables import HotConnection

CounterKey = tuple[UUID, str, date]


class Counter(Struct, kw_only=True):
    """A counter under this transaction's lock; it moves along while a batch is decided."""

    used: int


class Return(Struct, frozen=True, kw_only=True):
    """A message that turned out to cost nothing, or to cost something after all."""

    tenant_id: UUID
    message_id: UUID
    created_at: datetime
    sign: int
    """-1 gives back what was counted; +1 counts it again, whatever the cap."""


_COUNT = """
    INSERT INTO spend_counters AS c (tenant_id, name, month, used, cap)
    SELECT d.tenant_id, d.name, d.month, CASE WHEN d.amount > d.cap THEN -1 ELSE d.amount END, d.cap
    FROM unnest({0}::uuid[], {1}::text[], {2}::date[], {3}::bigint[], {4}::bigint[])
        AS d (tenant_id, name, month, amount, cap)
    WHERE (SELECT count(*) FROM ordered_balances) >= 0
    ORDER BY d.tenant_id, d.name, d.month
    ON CONFLICT (tenant_id, name, month) DO UPDATE SET cap = EXCLUDED.cap,
        used = CASE WHEN c.used + EXCLUDED.used > EXCLUDED.cap THEN -1 ELSE c.used + EXCLUDED.used END
"""
"""-1 breaks the CHECK; to ask for `ordered_balances` takes its locks first."""

_STILL_SPENT = """
    UPDATE spend_counters c SET used = CASE WHEN c.used >= d.cap THEN c.used ELSE -1 END
    FROM unnest({0}::uuid[], {1}::text[], {2}::date[], {3}::bigint[]) AS d (tenant_id, name, month, cap)
    WHERE c.tenant_id = d.tenant_id AND c.name = d.name AND c.month = d.month
        AND (SELECT count(*) FROM ordered_balances) >= 0
"""
"""Breaks the statement of a batch that took an allowance for spent and should not have."""

_LOCK_ABSENT = """
    INSERT INTO spend_counters (tenant_id, name, month, used, cap)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[], $5::bigint[])
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
"""
_LOCK = """
    SELECT c.tenant_id, c.name, c.month, c.used FROM spend_counters c
    JOIN unnest($1::uuid[], $2::text[], $3::date[]) AS d (tenant_id, name, month)
        USING (tenant_id, name, month)
    ORDER BY c.tenant_id, c.name, c.month FOR UPDATE OF c
"""
_USED = """
    SELECT c.tenant_id, c.name, c.month, c.used FROM spend_counters c
    JOIN unnest($1::uuid[], $2::text[], $3::date[]) AS d (tenant_id, name, month)
        USING (tenant_id, name, month)
"""
_STOPPED = """
    UPDATE spend_counters c SET stopped = true
    FROM unnest($1::uuid[], $2::text[], $3::date[]) AS d (tenant_id, name, month)
    WHERE c.tenant_id = d.tenant_id AND c.name = d.name AND c.month = d.month AND NOT c.stopped
"""

_RETURN = """
    SELECT c.tenant_id, c.name, c.month, s.amount FROM spend_counters c JOIN (
        SELECT k.owner, k.name, date_trunc('month', m.created_at AT TIME ZONE 'UTC')::date AS month,
            sum(d.sign * k.amount) AS amount
        FROM unnest({{0}}::uuid[], {{1}}::uuid[], {{2}}::timestamptz[], {{3}}::int[])
                AS d (tenant_id, id, created_at, sign)
            JOIN messages m ON m.tenant_id = d.tenant_id AND m.id = d.id AND m.created_at = d.created_at
            LEFT JOIN balances b ON b.tenant_id = m.tenant_id AND b.unit = m.unit
            CROSS JOIN LATERAL (
                SELECT CASE WHEN b.unit IS NULL THEN 0 ELSE m.price_estimated END) AS p (price)
            CROSS JOIN LATERAL (VALUES
                (m.tenant_id, 'all', p.price),
                (m.tenant_id, 'country:' || m.country, p.price),
                (m.tenant_id, 'type:' || m.type, p.price),
                (m.tenant_id, 'account:' || m.account_id, p.price),
                (m.tenant_id, '{bundle}', m.included),
                ('{platform}'::uuid, 'all', m.cost_estimated),
                ('{platform}'::uuid, 'country:' || m.country, m.cost_estimated),
                ('{platform}'::uuid, 'type:' || m.type, m.cost_estimated),
                ('{platform}'::uuid, 'account:' || m.account_id, m.cost_estimated)
            ) AS k (owner, name, amount)
        GROUP BY 1, 2, 3
    ) s ON s.owner = c.tenant_id AND s.name = c.name AND s.month = c.month
    {after_balances}
    ORDER BY c.tenant_id, c.name, c.month FOR UPDATE OF c
"""
"""
A message that was paid in another unit, before the pricing changed, is not among what these budgets count.
"""
_RETURN_ALONE: Final = _RETURN.format(platform=PLATFORM, bundle=BUNDLE, after_balances="")
_RETURN_AFTER_BALANCES: Final = _RETURN.format(
    platform=PLATFORM, bundle=BUNDLE, after_balances="WHERE (SELECT count(*) FROM ordered_balances) >= 0"
)
_GIVE_BACK = """
    UPDATE spend_counters c SET used = greatest(0, c.used + r.amount) FROM returned_counts r
    WHERE c.tenant_id = r.tenant_id AND c.name = r.name AND c.month = r.month
"""


def count_writes(counts: Iterable[Count]) -> list[Write]:
    """Return the write that counts, to stand behind `ledger_writes`; none where no budget is concerned."""
    sums: dict[CounterKey, list[int]] = {}
    for count in counts:
        total = sums.setdefault(count.key, [0, count.cap])
        total[0] += count.amount
        # An allowance was granted send by send; its cap is what the newest plan says.
        total[1] = max(total[1], count.cap) if count.name == BUNDLE else min(total[1], count.cap)
    if not sums:
        return []
    rows = [(*key, amount, cap) for key, (amount, cap) in sums.items()]
    return [Write("counted", _COUNT, tuple(list(column) for column in zip(*rows, strict=True)))]


def still_spent_writes(counts: Iterable[Count]) -> list[Write]:
    """Return the write that holds these allowances to be used up, to stand behind `ledger_writes`."""
    caps = {count.key: count.cap for count in counts}
    if not caps:
        return []
    rows = [(*key, caps[key]) for key in sorted(caps)]
    return [Write("still_spent", _STILL_SPENT, tuple(list(column) for column in zip(*rows, strict=True)))]


async def lock_counters(connection: HotConnection, counts: Iterable[Count]) -> dict[CounterKey, Counter]:
    """Lock and return the counters of `counts`, made where absent; to be called under the balances' locks."""
    caps = {count.key: count.cap for count in counts}
    if not caps:
        return {}
    owners, names, months = (list(column) for column in zip(*caps, strict=True))
    await connection.execute(_LOCK_ABSENT, owners, names, months, [0] * len(caps), list(caps.values()))
    rows = await connection.fetch(_LOCK, owners, names, months)
    return {(row["tenant_id"], row["name"], row["month"]): Counter(used=row["used"]) for row in rows}


async def used_of(connection: HotConnection, counts: Sequence[Count]) -> list[int]:
    """Return what is used of each budget, as of now and without a lock; 0 where nothing was counted."""
    if not counts:
        return []
    owners, names, months = (list(column) for column in zip(*(count.key for count in counts), strict=True))
    rows = await connection.fetch(_USED, owners, names, months)
    found = {(row["tenant_id"], row["name"], row["month"]): row["used"] for row in rows}
    return [found.get(count.key, 0) for count in counts]


async def note_stopped(connection: HotConnection, keys: Iterable[CounterKey]) -> None:
    """Remember that a send was refused by these caps, so that their owners are told once."""
    if stopped := sorted(set(keys)):
        owners, names, months = (list(column) for column in zip(*stopped, strict=True))
        await connection.execute(_STOPPED, owners, names, months)


def first_over(counts: Iterable[Count], counters: dict[CounterKey, Counter]) -> Count | None:
    """Return the first budget that a message would pass, None if it fits all."""
    return next((c for c in counts if counters[c.key].used + c.amount > c.cap), None)


def take(counts: Iterable[Count], counters: dict[CounterKey, Counter]) -> None:
    """Count a message that fits."""
    for count in counts:
        counters[count.key].used += count.amount


def return_writes(returns: Sequence[Return], *, after_balances: bool) -> list[Write]:
    """
    Return the writes that correct the counters of messages whose cost turned to nothing, or back.

    Args:
        after_balances: The statement locks balances, as `ordered_balances`; the counters' locks then follow.
    """
    if not returns:
        return []
    columns = (
        [each.tenant_id for each in returns],
        [each.message_id for each in returns],
        [each.created_at for each in returns],
        [each.sign for each in returns],
    )
    sql = _RETURN_AFTER_BALANCES if after_balances else _RETURN_ALONE
    return [Write("returned_counts", sql, columns), Write("given_back", _GIVE_BACK, ())]
