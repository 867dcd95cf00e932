"""
Whether the books agree with themselves: balances with transfers, and transfers with zero.

Read in one transaction of the caller's, so that no message is seen half posted.
"""

from datetime import date
from uuid import UUID

from msgspec import Struct

from tenants.tables import HotConnection


class Difference(Struct, frozen=True, kw_only=True):
    """One place where two records of the same money disagree."""

    rule: str
    """Which proof failed, as a word."""
    tenant_id: UUID | None
    subject_id: UUID | None = None
    """The message, where one is meant."""
    day: date | None = None
    """The UTC day of usage, or the first one of a bundle's month, where one is meant."""
    expected: int
    found: int
    """Both in the tenant's unit: micro-dollars or credits; of a bundle in its parts or messages."""


_BALANCES = """
    SELECT b.tenant_id, b.posted, b.held,
        coalesce(t.posted, 0)::bigint AS moved, coalesce(t.held, 0)::bigint AS kept
    FROM balances b LEFT JOIN (
        SELECT tenant_id, sum(available + held) AS posted, sum(held) AS held
        FROM ledger_transfers GROUP BY tenant_id
    ) t USING (tenant_id)
    WHERE b.posted <> coalesce(t.posted, 0) OR b.held <> coalesce(t.held, 0)
        OR b.posted < b.held OR b.held < 0
"""
_SUM = "available + held + revenue + funding + adjustment + cogs + payable"
_UNBALANCED = f"SELECT tenant_id, subject_id, {_SUM} AS remainder FROM ledger_transfers WHERE {_SUM} <> 0"  # noqa: S608 - a constant
_TOTAL = f"SELECT coalesce(sum({_SUM}), 0)::bigint FROM ledger_transfers"  # noqa: S608 - a constant
_ORPHANS = """
    SELECT DISTINCT t.tenant_id FROM ledger_transfers t
    WHERE NOT EXISTS (SELECT FROM balances b WHERE b.tenant_id = t.tenant_id)
"""


async def balance_differences(connection: HotConnection) -> list[Difference]:
    """Return where a cached balance is not the sum of its transfers, or more is spent than was there."""
    found: list[Difference] = []
    for row in await connection.fetch(_BALANCES):
        tenant: UUID = row["tenant_id"]
        for rule, expected, seen in (
            ("balance_is_sum_of_transfers", row["moved"], row["posted"]),
            ("held_is_sum_of_holds", row["kept"], row["held"]),
            ("available_not_negative", max(0, row["posted"] - row["held"]), row["posted"] - row["held"]),
            ("held_not_negative", max(0, row["held"]), row["held"]),
        ):
            if expected != seen:
                found.append(Difference(rule=rule, tenant_id=tenant, expected=expected, found=seen))
    found += [
        Difference(rule="transfers_have_a_balance", tenant_id=row["tenant_id"], expected=1, found=0)
        for row in await connection.fetch(_ORPHANS)
    ]
    return found


async def transfer_differences(connection: HotConnection) -> list[Difference]:
    """Return transfers whose accounts do not sum to zero, and the sum of all where it is not."""
    found = [
        Difference(
            rule="transfer_sums_to_zero",
            tenant_id=row["tenant_id"],
            subject_id=row["subject_id"],
            expected=0,
            found=row["remainder"],
        )
        for row in await connection.fetch(_UNBALANCED)
    ]
    total = await connection.fetchval(_TOTAL)
    if total != 0:
        found.append(Difference(rule="ledger_sums_to_zero", tenant_id=None, expected=0, found=total))
    return found
