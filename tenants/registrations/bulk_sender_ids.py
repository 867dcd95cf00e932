"""
One sender id in many countries (F-SID-BULK): what was asked for, and what became of each country.

The row of a country is the order and its answer at once, so asking again changes only what AWS has not given.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.audit import store as audit
from tenants.countries.facts import by_iso
from tenants.errors import Conflict, InvalidInput
from tenants.ids import encode
from tenants.registrations.models import BulkSenderId
from tenants.registrations.sender_ids import refusal_of
from tenants.scope import TenantScope
from tenants.senders.routing import routes_of

BulkState = Literal["waiting", "created", "adopted", "registration_required", "failed"]
DriftKind = Literal["missing", "unprotected", "message_types", "price", "not_asked_for"]
GIVEN: Final = frozenset({"created", "adopted"})

_NEEDS_REGISTRATION: Final = "AWS gives a sender id here only after a registration: POST …/registrations"


class BulkWish(Struct, frozen=True, kw_only=True):
    """A sender id and where it is wanted."""

    value: str
    countries: tuple[str, ...]
    """ISO 3166-1 alpha-2."""
    message_types: tuple[str, ...]


class Settled(Struct, frozen=True, kw_only=True):
    """The end of one country's request."""

    state: BulkState
    arn: str | None = None
    monthly_usd: str | None = None
    code: str | None = None
    detail: str | None = None


class SenderIdDrift(Struct, frozen=True, kw_only=True):
    """One difference between what was given and what AWS has."""

    sender_id: str
    country: str
    kind: DriftKind
    wanted: str
    found: str


def every_country() -> tuple[str, ...]:
    """Return the countries that have sender ids, those that want a registration among them."""
    return tuple(sorted(iso for iso, facts in by_iso().items() if facts.sender_id != "no"))


def settled_unasked(value: str, country: str) -> Settled | None:
    """Return what is known of a country without asking AWS, or None where AWS has to be asked."""
    if by_iso()[country].sender_id == "registration":
        return Settled(
            state="registration_required", code="sender_id_requires_registration", detail=_NEEDS_REGISTRATION
        )
    refused = refusal_of(value, country)
    if refused is None:
        return None
    return Settled(state="failed", code=refused.code, detail=f"{refused.detail}; {refused.fix}")


async def ask_for(scope: TenantScope, session: AsyncSession, wish: BulkWish, *, now: datetime) -> UUID:
    """
    Order a sender id in the tenant's first AWS account; needs a worker's session. Returns the account.

    Countries that have it already keep it; those that failed, or wanted a registration, are tried again.

    Raises:
        InvalidInput: No carrier takes the sender id, or a country is none that AWS lists.
        Conflict: The tenant has no AWS account, or is closed.
    """
    await accounts.check_open(scope, session)
    _check(wish)
    routes = await routes_of(scope, session)
    if not routes:
        raise Conflict("conflict", "the tenant has no AWS account; add one first")
    account_id = routes[0].account_id
    for country in dict.fromkeys(wish.countries):
        known = settled_unasked(wish.value, country)
        row = {
            "message_types": list(wish.message_types),
            "state": "waiting" if known is None else known.state,
            "code": None if known is None else known.code,
            "detail": None if known is None else known.detail,
            "tries": 0,
            "due_at": now if known is None else None,
            "asked_at": now,
            "settled_at": None if known is None else now,
        }
        key = {
            "tenant_id": scope.tenant_id,
            "account_id": account_id,
            "value": wish.value,
            "country": country,
        }
        statement = insert(BulkSenderId).values(**key, **row)
        open_ = BulkSenderId.state.in_(["failed", "registration_required"])
        await session.execute(
            statement.on_conflict_do_update(index_elements=list(key), set_=row, where=open_)
        )
    subject = encode("ten", scope.tenant_id)
    detail = {"sender_id": wish.value, "countries": len(set(wish.countries))}
    await audit.append(scope, session, action="sender_ids.asked", subject=subject, detail=detail)
    return account_id


def _check(wish: BulkWish) -> None:
    refused = refusal_of(wish.value, "")
    if refused is not None:
        raise InvalidInput("/sender_id", refused.code, f"{refused.detail}; {refused.fix}")
    unknown = sorted(set(wish.countries) - by_iso().keys())
    if unknown:
        raise InvalidInput("/countries", "unknown_country", f"AWS lists no {', '.join(unknown)}")


async def asked(
    scope: TenantScope, session: AsyncSession, value: str | None = None
) -> Sequence[BulkSenderId]:
    """Return every country that was asked for, by sender id and country; None narrows nothing."""
    query = select(BulkSenderId).where(BulkSenderId.tenant_id == scope.tenant_id)
    if value is not None:
        query = query.where(BulkSenderId.value == value)
    return (await session.scalars(query.order_by(BulkSenderId.value, BulkSenderId.country))).all()


async def take(session: AsyncSession, *, now: datetime, lease: timedelta) -> BulkSenderId | None:
    """Return the country that is due longest, of any open tenant, and make it due again after the lease."""
    wanted = (
        select(BulkSenderId)
        .where(BulkSenderId.due_at <= now)
        .where(BulkSenderId.tenant_id.not_in(select(Tenant.id).where(Tenant.state == "closed")))
        .order_by(BulkSenderId.due_at, BulkSenderId.country)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = await session.scalar(wanted)
    if row is not None:
        row.due_at = now + lease
    return row


async def locked(session: AsyncSession, row: BulkSenderId) -> BulkSenderId | None:
    """Return the row as it is now, unless another process settled it meanwhile."""
    found = await session.get(
        BulkSenderId,
        (row.tenant_id, row.account_id, row.value, row.country),
        with_for_update=True,
        populate_existing=True,
    )
    return None if found is None or found.state != "waiting" else found


def settle(row: BulkSenderId, settled: Settled, *, now: datetime) -> None:
    """Write down how a country's request ended."""
    row.state, row.arn, row.monthly_usd = settled.state, settled.arn, settled.monthly_usd
    row.code, row.detail = settled.code, settled.detail
    row.due_at, row.settled_at = None, now


def given(rows: Iterable[BulkSenderId]) -> list[BulkSenderId]:
    """Return those that AWS gave."""
    return [row for row in rows if row.state in GIVEN]
