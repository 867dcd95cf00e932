"""Where one blocked number would silence a tenant: its countries with fewer than two types of sender."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.models import Tenant
from tenants.countries.facts import Country, by_iso
from tenants.senders.models import Sender

ENOUGH_TYPES = 2


class Gap(Struct, frozen=True, kw_only=True):
    """A country of a tenant that rests on one type of sender, or on none."""

    tenant_id: UUID
    tenant: str
    country: str
    types: tuple[str, ...]
    """Types of active senders there."""
    add: tuple[str, ...]
    """Types that AWS has in the country and the tenant has not; `SENDER_ID (registration)` needs one."""


async def gaps(session: AsyncSession) -> list[Gap]:
    """Return the gaps of every active tenant, by tenant and country."""
    tenants = (
        await session.scalars(select(Tenant).where(Tenant.state == "active").order_by(Tenant.id))
    ).all()
    query = (
        select(Sender.tenant_id, Sender.country, func.array_agg(Sender.type.distinct()))
        .where(Sender.state == "active", Sender.type != "SIMULATOR")
        .group_by(Sender.tenant_id, Sender.country)
    )
    held = {(row[0], row[1]): sorted(row[2]) for row in await session.execute(query)}
    found: list[Gap] = []
    for tenant in tenants:
        for country in sorted(tenant.countries):
            types = held.get((tenant.id, country), [])
            if len(types) < ENOUGH_TYPES:
                found.append(
                    Gap(
                        tenant_id=tenant.id,
                        tenant=tenant.slug,
                        country=country,
                        types=tuple(types),
                        add=advice(country, types),
                    )
                )
    return found


def advice(country: str, held: Sequence[str]) -> tuple[str, ...]:
    """Return the types that AWS has in a country and that are not held, in AWS's order of throughput."""
    facts = by_iso().get(country)
    return () if facts is None else tuple(each for each in _offered(facts) if each.split()[0] not in held)


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
