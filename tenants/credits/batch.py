"""
The ledger's hot path: many tenants' balances locked and moved in one transaction.

Lock order: a transaction that touches messages locks them first, then balances, and balances in the order
of tenant ids; so two batches can wait for each other but never in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from tenants.compound import Alike, Write, execute, insert, insert_alike
from tenants.ids import new_uuid
from tenants.tables import HotConnection

TransferKind = Literal["hold", "capture", "release", "expire", "recapture", "cost"]
"""What a message moves; what is moved by hand is in `tenants.credits.service`."""


class Movement(Struct, frozen=True, kw_only=True):
    """One transfer to post; its seven amounts sum to zero."""

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
    cogs: int = 0
    """What AWS charged, in micro-dollars whatever the tenant's unit; only in a `cost`."""
    payable: int = 0
    """What is owed to AWS for it: minus `cogs`."""

    included: int = 0
    """Parts or messages of the tenant's bundle that it used; no money."""

    @property
    def moves_balance(self) -> bool:
        """Whether the tenant has or holds another amount after it."""
        return self.available != 0 or self.held != 0


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

LOCKED_BALANCES: Final = "ordered_balances"
"""Name of the write that takes the balances' locks; it is left out where no balance moves."""
_GIVEN_BACK = """
    SELECT t.about_id, -sum(t.revenue)::bigint AS given_back
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS m (tenant_id, id, at)
        JOIN ledger_transfers t ON t.tenant_id = m.tenant_id AND t.about_id = m.id
            AND t.at > m.at - interval '1 day'
    WHERE t.subject_id = t.id AND t.kind = 'correction' GROUP BY t.about_id HAVING sum(t.revenue) < 0
"""
"""The day is for clocks that differ; the bound keeps to the index of what was moved by hand."""
_AVAILABLE = "SELECT posted - held FROM balances WHERE tenant_id = $1"

_TRANSFERS = Alike(
    table="ledger_transfers",
    own={"id": "uuid", "subject_id": "uuid", "subject_at": "timestamptz"},
    shared={
        "tenant_id": "uuid", "kind": "word", "revision": "int", "unit": "word", "available": "bigint",
        "held": "bigint", "revenue": "bigint", "funding": "bigint", "adjustment": "bigint",
        "included": "bigint",
    },
)  # fmt: skip
_shared_of_transfer = attrgetter(*_TRANSFERS.shared)
_COSTS = {
    "id": "uuid", "tenant_id": "uuid", "subject_id": "uuid", "subject_at": "timestamptz", "kind": "word",
    "revision": "int", "unit": "word", "cogs": "bigint", "payable": "bigint",
}  # fmt: skip
"""A table of its own in the statement, so that a hold does not carry two columns of nothing."""
_ORDERED = """
    SELECT tenant_id FROM balances WHERE tenant_id = ANY({0}::uuid[]) ORDER BY tenant_id FOR UPDATE
"""
_MOVE = """
    UPDATE balances b SET posted = b.posted + d.posted,
        held = CASE WHEN b.unit = d.unit THEN b.held + d.held ELSE -1 END
    FROM unnest({0}::uuid[], {1}::bigint[], {2}::bigint[], {3}::text[]) AS d (tenant_id, posted, held, unit)
        JOIN ordered_balances USING (tenant_id)
    WHERE b.tenant_id = d.tenant_id
"""
"""A unit that is not the balance's breaks the CHECK on `held`, and so the whole statement."""


async def lock_balances(connection: HotConnection, tenant_ids: Iterable[UUID]) -> dict[UUID, LockedBalance]:
    """Lock and return the balances, always in the order of the ids."""
    rows = await connection.fetch(_LOCK, sorted(set(tenant_ids)))
    return {
        row["tenant_id"]: LockedBalance(unit=row["unit"], posted=row["posted"], held=row["held"])
        for row in rows
    }


async def available(connection: HotConnection, tenant_id: UUID) -> int:
    """Return what the tenant may spend now, in the unit of its plan; a moment later it may be less."""
    return await connection.fetchval(_AVAILABLE, tenant_id) or 0


async def given_back(
    connection: HotConnection, messages: Iterable[tuple[UUID, UUID, datetime]]
) -> dict[UUID, int]:
    """
    Return by message what corrections have given back of it, for those of which they have.

    Args:
        messages: Tenant, message and its instant; their balances are locked, so nobody corrects meanwhile.
    """
    wanted = list(messages)
    if not wanted:
        return {}
    columns = [list(column) for column in zip(*wanted, strict=True)]
    rows = await connection.fetch(_GIVEN_BACK, *columns)
    return {row["about_id"]: row["given_back"] for row in rows}


def ledger_writes(movements: Sequence[Movement], *, also_lock: Iterable[UUID] = ()) -> list[Write]:
    """
    Return the writes that append the transfers and move the cached balances by their sums.

    The balances, and those of `also_lock`, are locked in the order of tenant ids; a later write that joins
    `ordered_balances` runs under these locks. A hold above what is available breaks the CHECK on
    the balance; a movement posted before for the same subject, kind and revision breaks the primary key.
    """
    changes = _sums(movements)
    locked = sorted({*changes, *also_lock})
    lock = [Write(LOCKED_BALANCES, _ORDERED, (locked,))] if locked else []
    return [*lock, *_transfers(movements), *_costs(movements), *_moves(changes)]


def _transfers(movements: Sequence[Movement]) -> list[Write]:
    rows = [
        ((new_uuid(), m.subject_id, m.subject_at), _shared_of_transfer(m))
        for m in movements
        if m.kind != "cost"
    ]
    return [insert_alike("transfers", _TRANSFERS, rows)] if rows else []


def _costs(movements: Sequence[Movement]) -> list[Write]:
    rows = [
        (new_uuid(), m.tenant_id, m.subject_id, m.subject_at, m.kind, m.revision, m.unit, m.cogs, m.payable)
        for m in movements
        if m.kind == "cost"
    ]
    return [insert("costs", "ledger_transfers", _COSTS, rows)] if rows else []


def _moves(changes: Mapping[UUID, LockedBalance]) -> list[Write]:
    if not changes:
        return []
    tenants = list(changes)
    moves = (
        tenants,
        [changes[tenant].posted for tenant in tenants],
        [changes[tenant].held for tenant in tenants],
        [changes[tenant].unit for tenant in tenants],
    )
    return [Write("moved_balances", _MOVE, moves)]


_REFUSED = """
    UPDATE balance_marks SET refused = true WHERE tenant_id = ANY($1::uuid[]) AND NOT refused
"""


async def note_refused(connection: HotConnection, tenant_ids: Iterable[UUID]) -> None:
    """Remember that credit was wanting, so that its owners are told once; under their balances' locks."""
    if refused := sorted(set(tenant_ids)):
        await connection.execute(_REFUSED, refused)


async def post(connection: HotConnection, movements: Sequence[Movement]) -> None:
    """Append the transfers and move the balances, in the caller's transaction."""
    await execute(connection, ledger_writes(movements))


def _sums(movements: Sequence[Movement]) -> dict[UUID, LockedBalance]:
    """
    Return the change of each tenant's balance, in the shape of a balance.

    What changes none is left out: the platform's own entries, whatever unit they count in.
    """
    sums: dict[UUID, LockedBalance] = {}
    for movement in movements:
        if not movement.moves_balance:
            continue
        change = sums.setdefault(movement.tenant_id, LockedBalance(unit=movement.unit, posted=0, held=0))
        change.posted += movement.available + movement.held
        change.held += movement.held
    return sums
