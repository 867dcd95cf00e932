"""Where one blocked number would silence a tenant: its countries with fewer than two types of sender."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.routing.candidates import Need, rank
from gateway.routing.facts import SenderFact, TenantRouting
from gateway.routing.health import Illness
from gateway.routing.judging import NO_PROBE, judge
from gateway.routing.models import HealthRow
from gateway.routing.reading import read_routings
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.countries.facts import Country, by_iso
from tenants.senders.service import MESSAGE_TYPES

ENOUGH_TYPES: Final = 2
_TENANTS_AT_ONCE: Final = 500
"""Whose senders and routes are read together."""


class Thin(Struct, frozen=True, kw_only=True):
    """Message types of a country that rest on one type of sender, or on none."""

    message_types: tuple[str, ...]
    types: tuple[str, ...]
    """Types of the senders that the choice would take for them."""


class Gap(Struct, frozen=True, kw_only=True):
    """Where a tenant is thin, and what would help."""

    tenant_id: UUID
    tenant: str
    country: str
    thin: Thin
    add: tuple[str, ...]
    """Types that AWS has in the country beside them; `SENDER_ID (registration)` needs one."""


async def gaps(session: AsyncSession) -> list[Gap]:
    """Return the gaps of every active tenant, by tenant and country; four queries for 500 tenants."""
    query = select(Tenant).where(Tenant.state == "active").order_by(Tenant.id)
    tenants = (await session.scalars(query)).all()
    disabled = await _disabled(session)
    found: list[Gap] = []
    for first in range(0, len(tenants), _TENANTS_AT_ONCE):
        some = tenants[first : first + _TENANTS_AT_ONCE]
        routings = await read_routings(session, {each.id: accounts.plan_of(each) for each in some})
        for tenant in some:
            found.extend(_gaps_of(tenant, routings[tenant.id], disabled))
    return found


def _gaps_of(tenant: Tenant, routing: TenantRouting, disabled: Mapping[UUID, Illness]) -> Iterator[Gap]:
    for country in sorted(tenant.countries):
        for thin in thin_in(routing, country, disabled):
            add = advice(country, thin.types)
            yield Gap(tenant_id=tenant.id, tenant=tenant.slug, country=country, thin=thin, add=add)


def thin_in(routing: TenantRouting, country: str, disabled: Mapping[UUID, Illness]) -> list[Thin]:
    """
    Return where a country is thin, message types that rest on the same together.

    A type of message that no sender there carries is none that the tenant sends there; with no sender at all,
    every type is thin.

    Args:
        disabled: Senders and routes that are out of use. What is merely ill is not missing: it will be well.
    """
    there = [sender for sender in routing.senders.values() if sender.country == country and _is_real(sender)]
    carried = {kind for sender in there for kind in sender.message_types} or set(MESSAGE_TYPES)
    resting: dict[tuple[str, ...], list[str]] = {}
    for message_type in (each for each in MESSAGE_TYPES if each in carried):
        types = _types(routing, Need(country=country, message_type=message_type), disabled)
        if len(types) < ENOUGH_TYPES:
            resting.setdefault(types, []).append(message_type)
    return [Thin(message_types=tuple(kinds), types=types) for types, kinds in resting.items()]


def advice(country: str, held: Sequence[str]) -> tuple[str, ...]:
    """Return the types that AWS has in a country and that are not held, in AWS's order of throughput."""
    facts = by_iso().get(country)
    return () if facts is None else tuple(each for each in _offered(facts) if each.split()[0] not in held)


def _types(routing: TenantRouting, need: Need, disabled: Mapping[UUID, Illness]) -> tuple[str, ...]:
    """Return the types that the choice of a sender would take a message to."""
    candidates = judge(rank(routing, need), disabled, draw=NO_PROBE)
    return tuple(sorted({each.sender.type for each in candidates if each.taken and _is_real(each.sender)}))


def _is_real(sender: SenderFact) -> bool:
    return sender.type != "SIMULATOR"


async def _disabled(session: AsyncSession) -> dict[UUID, Illness]:
    rows = await session.scalars(select(HealthRow).where(HealthRow.state == "disabled"))
    return {row.subject_id: Illness(state="disabled", reason=row.reason) for row in rows}


def _offered(facts: Country) -> list[str]:
    """The United States have the 10DLC and toll-free numbers that the table calls long codes."""
    offered = ["SHORT_CODE"] if facts.short_code else []
    if facts.iso == "US":
        return [*offered, "TEN_DLC", "TOLL_FREE"]
    if facts.long_code:
        offered.append("LONG_CODE")
    if facts.sender_id != "no":
        offered.append("SENDER_ID" if facts.sender_id == "yes" else "SENDER_ID (registration)")
    return offered
