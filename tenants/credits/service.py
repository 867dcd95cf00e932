"""
What is done with a tenant's money outside the message's road: topped up, adjusted, shown.

Every movement is one transfer and one change of the cached balance in one transaction, with the balance
locked first; the hot batches of `tenants.credits.batch` take the same lock.
"""

from datetime import datetime
from typing import Final, Literal, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.credits import store
from tenants.credits.filters import LedgerFilter
from tenants.credits.marks import given, topped_up
from tenants.credits.models import Balance, Transfer
from tenants.credits.money import amount_text, format_amount
from tenants.credits.pricing import Unit
from tenants.errors import Conflict, InvalidId, InvalidInput, NotFound
from tenants.ids import created_at, decode, encode, new_uuid
from tenants.scope import TenantScope

_LARGEST_BALANCE: Final = 10**18
"""A tenth of what the column holds, so that no sum of two balances leaves it."""
_MAX_NOTE: Final = 500
ByHand = Literal["top_up", "adjust", "correction"]
"""What an operator moves."""


class BalanceView(Struct, frozen=True, kw_only=True):
    """What a tenant has; `available` is what new messages may hold, `held` is promised to those under way."""

    unit: Unit
    available: int
    held: int

    @property
    def available_text(self) -> str:
        """The available amount as the wire writes it: decimal dollars or whole credits."""
        return format_amount(self.available, self.unit)

    @property
    def held_text(self) -> str:
        """The held amount as the wire writes it."""
        return format_amount(self.held, self.unit)


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """One transfer as its tenant sees it."""

    id: str
    """`led_…`"""
    kind: str
    unit: Unit
    available: int
    """Change of what the tenant may spend; negative for a hold."""
    held: int
    """Change of what is promised."""
    charged: int
    """What went to the operator as revenue; negative for a refund."""
    message_id: str | None
    """`msg_…` where a message moved it or is corrected by it, None for a top-up or an adjustment."""
    revision: int
    note: str | None
    at: datetime
    cursor: str
    """Asks for the page after this entry."""


async def balance(scope: TenantScope, session: AsyncSession) -> BalanceView:
    """
    Return what the tenant has.

    Raises:
        NotFound: There is no such tenant.
    """
    return _view(_found(await store.balance(scope, session)))


async def unit_to_move(scope: TenantScope, session: AsyncSession) -> Unit:
    """
    Return the unit in which an amount for the tenant is read; it stays so until the transaction ends.

    Read without the balance's lock it could change before the amount is posted, and 5 dollars would be five
    million credits. Needs a worker's session.

    Raises:
        NotFound: There is no such tenant.
    """
    return cast("Unit", _found(await store.lock_balance(scope, session)).unit)


async def top_up(
    scope: TenantScope, session: AsyncSession, *, amount: int, note: str | None = None
) -> LedgerEntry:
    """
    Add money that the tenant paid, in the unit of its balance; needs a worker's session.

    Raises:
        InvalidInput: The amount is not positive, or the note too long.
        Conflict: The balance would grow beyond what it can count.
        NotFound: There is no such tenant.
    """
    if amount <= 0:
        raise InvalidInput("/amount", "amount_not_positive", "a top-up adds more than nothing")
    entry = await _move(scope, session, kind="top_up", amount=amount, note=note)
    await topped_up(scope, session, amount)
    return entry


async def adjust(
    scope: TenantScope, session: AsyncSession, *, amount: int, note: str | None = None
) -> LedgerEntry:
    """
    Correct a balance by hand, up or down; needs a worker's session.

    Raises:
        InvalidInput: The amount is zero, or the note too long.
        Conflict: It would take more than is available, or grow beyond what a balance can count.
        NotFound: There is no such tenant.
    """
    if amount == 0:
        raise InvalidInput("/amount", "amount_zero", "an adjustment changes something")
    return await _move(scope, session, kind="adjust", amount=amount, note=note)


async def correct(
    scope: TenantScope, session: AsyncSession, *, amount: int, reason: str, message_id: UUID | None = None
) -> LedgerEntry:
    """
    Put right what the ledger says, by a new entry with a reason; needs a worker's session.

    Without a message the platform's `adjustment` gives or takes; with one it is the revenue that the message
    brought, and no more than that can be given back. The message's own price stays as it was settled.

    Raises:
        InvalidInput: The amount is zero, or the reason empty or too long.
        Conflict: It would take more than is available, give back more than was charged, or grow beyond what
            a balance can count.
        NotFound: There is no such tenant, or no message of its that moved money.
    """
    if amount == 0:
        raise InvalidInput("/amount", "amount_zero", "a correction changes something")
    if not reason.strip():
        raise InvalidInput("/reason", "reason_missing", "a correction says why")
    if message_id is not None:
        _found(await store.lock_balance(scope, session))
        await _check_refund(scope, session, amount, message_id)
    return await _move(
        scope, session, kind="correction", amount=amount, note=reason.strip(), about_id=message_id
    )


async def _check_refund(scope: TenantScope, session: AsyncSession, amount: int, message_id: UUID) -> None:
    purse = _found(await store.balance(scope, session))
    unit, charged = await store.charged_for(scope, session, message_id)
    if unit is None:
        raise NotFound("message")
    if unit != purse.unit:
        raise Conflict("balance_not_zero", "the message was paid in another unit than the balance counts in")
    if amount > charged:
        detail = f"the message was charged {amount_text(charged, unit)} in all"
        raise Conflict("correction_above_charge", detail)


async def ledger_page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: str | None = None,
    wanted: LedgerFilter | None = None,
) -> list[LedgerEntry]:
    """
    Return up to `limit` entries, those of the newest message or top-up first.

    The page begins after the entry whose `cursor` is given.

    Raises:
        InvalidInput: `after` is no cursor of a ledger.
    """
    place = None if after is None else _place(after)
    rows = await store.ledger_page(scope, session, limit=limit, after=place, wanted=wanted or LedgerFilter())
    return [_entry(row) for row in rows]


async def _move(
    scope: TenantScope,
    session: AsyncSession,
    *,
    kind: ByHand,
    amount: int,
    note: str | None,
    about_id: UUID | None = None,
) -> LedgerEntry:
    if note is not None and len(note) > _MAX_NOTE:
        raise InvalidInput("/note", "note_too_long", f"a note has at most {_MAX_NOTE} characters")
    purse = _found(await store.lock_balance(scope, session))
    _check_bounds(purse, amount)
    transfer = _transfer(scope, kind=kind, amount=amount, unit=purse.unit, note=note, about_id=about_id)
    session.add(transfer)
    purse.posted += amount
    await session.flush()
    if amount > 0:
        await given(scope, session)
    entry = _entry(transfer)
    detail = {"amount": format_amount(amount, entry.unit), "unit": entry.unit}
    await audit.append(scope, session, action=f"credits.{kind}", subject=entry.id, detail=detail)
    return entry


def _check_bounds(purse: Balance, amount: int) -> None:
    available = purse.posted - purse.held
    if available + amount < 0:
        left = amount_text(available, purse.unit)
        detail = f"only {left} are available; the rest is held by messages under way"
        raise Conflict("insufficient_credits", detail)
    if purse.posted + amount > _LARGEST_BALANCE:
        raise Conflict("balance_too_large", "the balance would be larger than the ledger counts")


def _transfer(
    scope: TenantScope, *, kind: ByHand, amount: int, unit: str, note: str | None, about_id: UUID | None
) -> Transfer:
    transfer_id = new_uuid()
    account = _counter_account(kind, about_id)
    return Transfer(
        tenant_id=scope.tenant_id,
        id=transfer_id,
        subject_id=transfer_id,
        subject_at=created_at(transfer_id),
        kind=kind,
        revision=0,
        available=amount,
        held=0,
        revenue=-amount if account == "revenue" else 0,
        funding=-amount if account == "funding" else 0,
        adjustment=-amount if account == "adjustment" else 0,
        unit=unit,
        about_id=about_id,
        note=note,
    )


def _counter_account(kind: ByHand, about_id: UUID | None) -> Literal["revenue", "funding", "adjustment"]:
    """Return the platform's account that gives what the tenant gets."""
    if kind == "top_up":
        return "funding"
    return "revenue" if kind == "correction" and about_id is not None else "adjustment"


def _found(purse: Balance | None) -> Balance:
    if purse is None:
        raise NotFound("tenant")
    return purse


def _view(purse: Balance) -> BalanceView:
    return BalanceView(unit=cast("Unit", purse.unit), available=purse.posted - purse.held, held=purse.held)


def _entry(row: Transfer) -> LedgerEntry:
    return LedgerEntry(
        id=encode("led", row.id),
        kind=row.kind,
        unit=cast("Unit", row.unit),
        available=row.available,
        held=row.held,
        charged=row.revenue,
        message_id=_message_of(row),
        revision=row.revision,
        note=row.note,
        at=row.at,
        cursor=f"{encode('led', row.subject_id)}.{row.kind}.{row.revision}",
    )


def _message_of(row: Transfer) -> str | None:
    named = row.about_id if row.subject_id == row.id else row.subject_id
    return None if named is None else encode("msg", named)


def _place(cursor: str) -> tuple[UUID, str, int]:
    subject, _, rest = cursor.partition(".")
    kind, _, revision = rest.partition(".")
    try:
        return decode("led", subject), kind, int(revision)
    except (InvalidId, ValueError):
        raise InvalidInput(
            "?after", "invalid_cursor", "this is no cursor of a ledger; leave it out"
        ) from None
