"""What becomes of each sender that a migration brings, by what the AWS account leases. Pure."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct, structs

from gateway.api.moving.files import NumberRow
from gateway.api.moving.report import MigrationRow, Outcome
from gateway.carrier.provision.plan_ports import HeldIdentity
from gateway.carrier.provision.ports import SenderWish
from tenants.moves.plan import MovedNumber, not_portable

Held = Mapping[tuple[str, str], HeldIdentity]
"""What the account leases, by value and country."""


class JudgedNumber(Struct, frozen=True, kw_only=True):
    """One row, and what is done about it."""

    row: MigrationRow
    number: MovedNumber
    wish: SenderWish | None = None
    """What is provisioned: the account has it and no tenant does."""


def asks_aws(rows: Sequence[NumberRow]) -> bool:
    """Return whether a row can only be judged by what the account leases."""
    return any(row.number.way in {"adopt", "port"} for row in rows)


def held_by(found: Sequence[HeldIdentity]) -> Held:
    """Return what an account leases as it is looked up."""
    return {(each.value, each.country): each for each in found}


def judged(row: NumberRow, held: Held, tenant_id: UUID) -> JudgedNumber:
    """Return what becomes of one sender."""
    number = row.number
    match number.way:
        case "leave":
            return _said(row, "new", "stays with the provider; exchange opt-outs while both send", done=True)
        case "replace":
            detail = "get its successor with `tollgate senders provision`, then give it up at the provider"
            return _said(row, "by_hand", detail)
        case "port" if (why := not_portable(number.type)) is not None:
            return _said(row, "refused", why)
        case "adopt" | "port":
            found = held.get((number.value, number.country))
            return _missing(row) if found is None else _found(row, found, tenant_id)


def _missing(row: NumberRow) -> JudgedNumber:
    if row.number.way == "port":
        return _said(
            row, "waiting", "ask AWS by support case to port it; apply again once the account has it"
        )
    detail = "the AWS account leases no such sender: name the account that does, or port or replace it"
    return _said(row, "refused", detail)


def _found(row: NumberRow, found: HeldIdentity, tenant_id: UUID) -> JudgedNumber:
    if found.type != row.number.type:
        return _said(row, "refused", f"at AWS it is of type {found.type}")
    if any(owner.tenant_id == tenant_id for owner in found.owners):
        return _said(row, "known", "it is the tenant's sender", done=True)
    if found.owners:
        names = ", ".join(sorted({owner.tenant_name for owner in found.owners}))
        return _said(row, "refused", f"it is a sender of {names}")
    number = row.number
    wish = SenderWish(country=number.country, type=number.type, value=number.value)
    return structs.replace(_said(row, "new", "becomes the tenant's sender"), wish=wish)


def _said(row: NumberRow, outcome: Outcome, detail: str, *, done: bool = False) -> JudgedNumber:
    number = structs.replace(row.number, state="done") if done else row.number
    said = MigrationRow(file="numbers", line=row.line, outcome=outcome, detail=detail)
    return JudgedNumber(row=said, number=number)
