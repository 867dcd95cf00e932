"""
How a bundle counts, where a month has drawn on it.

Counters are the business of `tenants.budgets`, which stands above accounts; only the shape of their table is
named here, as `purse` does it with balances.
"""

from typing import Final

from sqlalchemy import BigInteger, Date, Text, Uuid, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import insert
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
    column("cap", BigInteger),
    column("counts", Text),
)
_BUNDLE: Final = "bundle"
_MONTH: Final = cast(func.date_trunc("month", func.timezone("UTC", func.now())), Date)


async def check_counts(
    scope: TenantScope, session: AsyncSession, *, present: Bundle | None, wanted: Bundle | None
) -> None:
    """
    Let a bundle count messages instead of parts, or parts instead, only while its month has drawn nothing.

    It may have drawn on a bundle that was taken away since.

    Raises:
        InvalidInput: It has: ten parts are not ten messages.
    """
    if wanted is None:
        if present is not None:
            await _keep_counts(scope, session, present)
        return
    if present is not None and present.counts == wanted.counts:
        return
    own = (_COUNTERS.c.tenant_id == scope.tenant_id) & (_COUNTERS.c.name == _BUNDLE)
    query = select(_COUNTERS.c.used, _COUNTERS.c.counts).where(own, _COUNTERS.c.month == _MONTH)
    drawn = (await session.execute(query)).one_or_none()
    if drawn is None or not drawn.used:
        return
    counted = drawn.counts if present is None else present.counts
    if counted not in {None, wanted.counts}:
        detail = (
            f"{drawn.used} {counted} of this month's bundle are used, and they are no {wanted.counts}: give "
            "this bundle in a month that has used none, and until then the former one or none"
        )
        raise InvalidInput("/plan/bundle/counts", "bundle_used", detail)


async def _keep_counts(scope: TenantScope, session: AsyncSession, bundle: Bundle) -> None:
    """Note what the bundle counted, also where nothing is drawn yet: a send under way may still draw."""
    drawn = insert(_COUNTERS).values(
        tenant_id=scope.tenant_id,
        name=_BUNDLE,
        month=_MONTH,
        used=0,
        cap=bundle.included,
        counts=bundle.counts,
    )
    place = ["tenant_id", "name", "month"]
    await session.execute(
        drawn.on_conflict_do_update(index_elements=place, set_={"counts": drawn.excluded.counts})
    )
