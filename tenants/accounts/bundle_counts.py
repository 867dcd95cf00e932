"""
How a bundle counts, where a month has drawn on it.

Counters are the business of `tenants.budgets`, which stands above accounts; only the shape of their table is
named here, as `purse` does it with balances.
"""

from typing import Final

from sqlalchemy import BigInteger, Date, Text, Uuid, cast, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.plan import Bundle
from tenants.errors import InvalidInput
from tenants.scope import TenantScope

_COUNTERS: Final = table(
    "spend_counters",
    column("tenant_id", Uuid),
    column("name", Text),
    column("month", Date),
    column("used", BigInteger),
)
_BUNDLE: Final = "bundle"


async def check_counts(
    scope: TenantScope, session: AsyncSession, *, present: Bundle | None, wanted: Bundle | None
) -> None:
    """
    Let a bundle count messages instead of parts, or parts instead, only while its month has drawn nothing.

    Raises:
        InvalidInput: It has: ten parts are not ten messages.
    """
    if present is None or wanted is None or present.counts == wanted.counts:
        return
    month = cast(func.date_trunc("month", func.timezone("UTC", func.now())), Date)
    own = (_COUNTERS.c.tenant_id == scope.tenant_id) & (_COUNTERS.c.name == _BUNDLE)
    used = await session.scalar(select(_COUNTERS.c.used).where(own, _COUNTERS.c.month == month))
    if used:
        detail = (
            f"{used} {present.counts} of this month's bundle are used, and they are no {wanted.counts}: take "
            "the bundle away, and give the other one in a month that has used none"
        )
        raise InvalidInput("/plan/bundle/counts", "bundle_used", detail)
