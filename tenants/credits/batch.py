"""
The ledger's hot path: many tenants' balances locked and moved in one transaction.

Lock order: a transaction that touches messages locks them first, then balances, and balances in the order
of tenant ids; so two batches can wait for each other but never in a circle.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from tenants.ids import new_uuid
from tenants.tables import HotConnection

TransferKind = Literal["top_up", "adjust", "hold", "capture", "release", "recapture"]
Unit = Literal["micros", "credits"]


class Movement(Struct, frozen=True, kw_only=True):
    """One transfer to post; its five amounts sum to zero."""

    tenant_id: UUID
    subject_id: UUID
    subject_at: datetime
    kind: TransferKind
    unit: str
    revision: int = 0
    available: int = 0
    held: int = 0
    revenue: int = 0
    funding: int = 0
    adjustment: int = 0


class LockedBalance(Struct, kw_only=True):
    """A balance under this transaction's lock; `take` keeps the running figure while a batch is decided."""

    unit: str
    posted: int
    held: int

    @property
    def available(self) -> int:
        """What a new message may still hold."""
        return self.posted - self.held

    def take(self, amount: int) -> bool:
        """Hold `amount` if it is available; the CHECK in the database repeats the rule."""
        if amount > self.available:
            return False
        self.held += amount
        return True


_LOCK = """
    SELECT tenant_id, unit, posted, held FROM balances
    WHERE tenant_id = ANY($1::uuid[]) ORDER BY tenant_id FOR UPDATE
"""

_POST = """
    INSERT INTO ledger_transfers
        (id, tenant_id, subject_id, subject_at, kind, revision, unit,
         available, held, revenue, funding, adjustment)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::int[],
        $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
"""

_MOVE = """
    UPDATE balances b SET posted = b.posted + d.posted, held = b.held + d.held
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS d (tenant_id, posted, held)
    WHERE b.tenant_id = d.tenant_id
"""


async def lock_balances(connection: HotConnection, tenant_ids: Iterable[UUID]) -> dict[UUID, LockedBalance]:
    """Lock and return the balances, always in the order of the ids."""
    rows = await connection.fetch(_LOCK, sorted(set(tenant_ids)))
    return {
        row["tenant_id"]: LockedBalance(unit=row["unit"], posted=row["posted"], held=row["held"])
        for row in rows
    }


async def post(connection: HotConnection, movements: Sequence[Movement]) -> None:
    """
    Append the transfers and move the cached balances by their sums.

    The caller has locked the balances, or touches no more than it moves here. A movement already posted
    for the same subject, kind and revision is an integrity error: callers decide by what is posted.
    """
    if not movements:
        return
    await connection.execute(
        _POST,
        [new_uuid() for _ in movements],
        [m.tenant_id for m in movements],
        [m.subject_id for m in movements],
        [m.subject_at for m in movements],
        [m.kind for m in movements],
        [m.revision for m in movements],
        [m.unit for m in movements],
        [m.available for m in movements],
        [m.held for m in movements],
        [m.revenue for m in movements],
        [m.funding for m in movements],
        [m.adjustment for m in movements],
    )
    changes = _sums(movements)
    tenants = sorted(changes)
    await connection.execute(
        _MOVE,
        tenants,
        [changes[tenant][0] for tenant in tenants],
        [changes[tenant][1] for tenant in tenants],
    )


def _sums(movements: Sequence[Movement]) -> dict[UUID, tuple[int, int]]:
    sums: dict[UUID, tuple[int, int]] = {}
    for movement in movements:
        posted, held = sums.get(movement.tenant_id, (0, 0))
        sums[movement.tenant_id] = (posted + movement.available + movement.held, held + movement.held)
    return sums
