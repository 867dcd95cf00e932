"""Where a month's bundle stands, for its owner to see."""

from datetime import datetime
from typing import Literal

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.budgets import store
from tenants.budgets.budget import BUNDLE, month_of, resets_at
from tenants.scope import TenantScope


class BundleUse(Struct, frozen=True, kw_only=True):
    """A bundle in the present month."""

    included: int
    used: int
    """Of messages accepted in the month, without those that cost nothing after all."""
    counts: Literal["parts", "messages"]
    resets_at: datetime

    @property
    def left(self) -> int:
        """What is still included; never negative."""
        return max(0, self.included - self.used)


async def bundle_use(scope: TenantScope, session: AsyncSession, *, now: datetime) -> BundleUse | None:
    """Return how far the tenant's bundle is used; None where its plan has none."""
    bundle = accounts.plan_of(await accounts.get(scope, session)).bundle
    if bundle is None:
        return None
    month = month_of(now)
    used = {row.name: row.used for row in await store.counters(scope, session, month)}
    return BundleUse(
        included=bundle.included,
        used=used.get(BUNDLE, 0),
        counts=bundle.counts,
        resets_at=resets_at(month),
    )
