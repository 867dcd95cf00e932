"""Queries on suspected pumping; each takes the tenant first."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.protection.pumping import PumpingHold, PumpingSuspicion
from tenants.scope import TenantScope


async def holds(
    scope: TenantScope, session: AsyncSession, now: datetime, *, prefixes: Collection[str] | None = None
) -> Sequence[PumpingHold]:
    """Return the holds that have not ended, of these prefixes or of all, the next to end first."""
    query = select(PumpingHold).where(PumpingHold.tenant_id == scope.tenant_id, PumpingHold.until > now)
    if prefixes is not None:
        query = query.where(PumpingHold.prefix.in_(prefixes))
    return (await session.scalars(query.order_by(PumpingHold.until, PumpingHold.workflow))).all()


async def drop_hold(scope: TenantScope, session: AsyncSession, *, workflow: str, prefix: str) -> bool:
    """End a hold; False if there was none."""
    ended = (
        delete(PumpingHold)
        .where(
            PumpingHold.tenant_id == scope.tenant_id,
            PumpingHold.workflow == workflow,
            PumpingHold.prefix == prefix,
        )
        .returning(PumpingHold.prefix)
    )
    return (await session.execute(ended)).first() is not None


async def suspicions(scope: TenantScope, session: AsyncSession) -> dict[str, int]:
    """Return how many things are unusual about each country; one that is not named has none."""
    query = select(PumpingSuspicion).where(PumpingSuspicion.tenant_id == scope.tenant_id)
    return {row.country: len(row.reasons) for row in await session.scalars(query)}
