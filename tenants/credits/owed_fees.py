"""
Fees that are written down: posted when the balance covers them, waived, shown.

A fee is a row first and a transfer then: one that the balance does not cover stays open and is tried again,
since a balance is never negative. The row and the transfer are written in one transaction, so however often
a round runs, nothing is charged twice. Lock order: the fee, then the balance.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.credits import store
from tenants.credits.models import MonthlyFee, Transfer
from tenants.credits.pricing import Unit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import created_at, encode, new_uuid
from tenants.scope import TenantScope

FeeState = Literal["open", "charged", "waived"]
FeeItem = Literal["lease", "lease_end", "platform", "registration"]

_POSTED_AT_ONCE: Final = 20
"""Their balances are locked until all are posted, and the tenants' sends wait as long."""
_MAX_REASON: Final = 500
_OPEN: Final = text(
    """
    SELECT f.tenant_id, f.id FROM monthly_fees f JOIN balances b ON b.tenant_id = f.tenant_id
    WHERE NOT f.charged AND f.waived_why IS NULL AND b.unit = f.unit AND b.posted - b.held >= f.amount
        AND NOT (f.item = 'lease_end' AND EXISTS (SELECT FROM monthly_fees l
            WHERE l.tenant_id = f.tenant_id AND l.subject_id = f.subject_id AND l.month = f.month
                AND l.leg = f.leg AND l.item = 'lease' AND NOT l.charged))
    ORDER BY f.tenant_id, f.month, f.subject_id, f.leg LIMIT :batch FOR UPDATE OF f SKIP LOCKED
    """
)
"""What is given back of a lease waits for the lease itself."""
_UNCOVERED: Final = text(
    """
    SELECT count(*) AS fees, count(DISTINCT tenant_id) AS tenants FROM monthly_fees
    WHERE NOT charged AND waived_why IS NULL
    """
)


class Fee(Struct, frozen=True, kw_only=True):
    """One fee."""

    id: UUID
    month: date
    item: FeeItem
    subject_id: UUID
    amount: int
    """In `unit`; negative for what is given back."""
    unit: Unit
    note: str
    state: FeeState
    waived_why: str | None


async def post_open_fees(session: AsyncSession) -> int:
    """Post some open fees that balances cover, each with its note; return how many, 0 when all are."""
    rows = (await session.execute(_OPEN, {"batch": _POSTED_AT_ONCE})).all()
    posted = [await post(TenantScope(tenant_id=row.tenant_id), session, row.id) for row in rows]
    return sum(posted)


async def post(scope: TenantScope, session: AsyncSession, fee_id: UUID) -> bool:
    """Post one fee if it is open and the balance covers it; needs a worker's session."""
    row = await _locked(scope, session, fee_id)
    if row is None or row.charged or row.waived_why is not None:
        return False
    purse = await store.lock_balance(scope, session)
    if purse is None or purse.unit != row.unit or purse.posted - purse.held < row.amount:
        return False
    purse.posted -= row.amount
    row.charged = True
    session.add(_transfer(row))
    await session.flush()
    return True


async def page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: UUID | None = None,
    state: FeeState | None = None,
) -> list[Fee]:
    """Return up to `limit` of the tenant's fees, the newest first."""
    query = select(MonthlyFee).where(MonthlyFee.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(MonthlyFee.id < after)
    if state is not None:
        is_waived = MonthlyFee.waived_why.is_not(None)
        query = query.where(MonthlyFee.charged.is_(state == "charged"), is_waived.is_(state == "waived"))
    rows = await session.scalars(query.order_by(MonthlyFee.id.desc()).limit(limit))
    return [view(row) for row in rows]


async def uncharged_of(scope: TenantScope, session: AsyncSession, month: date) -> list[Fee]:
    """Return what a month's fees have not brought: open ones and waived ones."""
    query = select(MonthlyFee).where(
        MonthlyFee.tenant_id == scope.tenant_id, MonthlyFee.month == month, MonthlyFee.charged.is_(False)
    )
    return [view(row) for row in await session.scalars(query.order_by(MonthlyFee.id))]


async def waive(scope: TenantScope, session: AsyncSession, fee_id: UUID, *, reason: str) -> Fee:
    """
    Let an open fee go, with what would be given back of it; again, it stays waived for the first reason.

    Raises:
        InvalidInput: The reason is empty or too long.
        NotFound: The tenant has no such fee.
        Conflict: It is in the ledger already, where a correction gives it back.
    """
    why = reason.strip()
    if not why or len(why) > _MAX_REASON:
        raise InvalidInput("/reason", "reason_missing", f"say why, in at most {_MAX_REASON} characters")
    row = await _locked(scope, session, fee_id)
    if row is None:
        raise NotFound("fee")
    if row.charged:
        raise Conflict("fee_charged", "the fee is in the ledger already; a correction can give it back")
    if row.waived_why is None:
        for each in (row, *await _given_back_of(row, session)):
            each.waived_why = why
        await session.flush()
        await audit.append(
            scope, session, action="fee.waived", subject=encode("fee", row.id), detail={"reason": why}
        )
    return view(row)


async def uncovered(session: AsyncSession) -> tuple[int, int]:
    """Return how many fees are owed and not posted, and of how many tenants."""
    row = (await session.execute(_UNCOVERED)).one()
    return row.fees, row.tenants


def view(row: MonthlyFee) -> Fee:
    """Return a row as others see it."""
    state: FeeState = "charged" if row.charged else "open" if row.waived_why is None else "waived"
    return Fee(
        id=row.id,
        month=row.month,
        item=cast("FeeItem", row.item),
        subject_id=row.subject_id,
        amount=row.amount,
        unit=cast("Unit", row.unit),
        note=row.note,
        state=state,
        waived_why=row.waived_why,
    )


async def _locked(scope: TenantScope, session: AsyncSession, fee_id: UUID) -> MonthlyFee | None:
    own = select(MonthlyFee).where(MonthlyFee.tenant_id == scope.tenant_id, MonthlyFee.id == fee_id)
    return await session.scalar(own.with_for_update().execution_options(populate_existing=True))


async def _given_back_of(row: MonthlyFee, session: AsyncSession) -> Sequence[MonthlyFee]:
    if row.item != "lease":
        return ()
    query = select(MonthlyFee).where(
        MonthlyFee.tenant_id == row.tenant_id,
        MonthlyFee.subject_id == row.subject_id,
        MonthlyFee.month == row.month,
        MonthlyFee.leg == row.leg,
        MonthlyFee.item == "lease_end",
        MonthlyFee.charged.is_(False),
    )
    return (await session.scalars(query)).all()


def _transfer(fee: MonthlyFee) -> Transfer:
    transfer_id = new_uuid()
    return Transfer(
        tenant_id=fee.tenant_id,
        id=transfer_id,
        subject_id=transfer_id,
        subject_at=created_at(transfer_id),
        kind="fee",
        revision=0,
        available=-fee.amount,
        revenue=fee.amount,
        unit=fee.unit,
        note=fee.note,
    )
