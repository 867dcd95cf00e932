"""
How many of the calls to AWS were throttled, from the tallies that health is judged by. Scope first.

Tallies are kept for an hour (`gateway.routing.checkup`), so no window is longer.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight.metrics import Reading
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

_CALLS: Final = """
    SELECT coalesce(sum(t.throttled), 0)::bigint AS throttled,
        coalesce(sum(t.answered + t.throttled + t.failed + t.unknown), 0)::bigint AS calls
    FROM health_tallies t JOIN {whose}
    WHERE t.at >= :since AND t.at < :before
"""
_OF_TENANT: Final = text(_CALLS.format(whose="senders s ON s.id = t.subject_id AND s.tenant_id = :tenant"))
_OF_ALL: Final = text(_CALLS.format(whose="aws_accounts s ON s.id = t.subject_id"))


async def throttles(
    scope: TenantScope, session: AsyncSession, *, since: datetime, before: datetime
) -> Reading:
    """Return the throttled share of the calls for the tenant's senders; of all routes for `PLATFORM`."""
    span = {"since": since, "before": before}
    if scope.tenant_id == PLATFORM:
        row = (await session.execute(_OF_ALL, span)).one()
    else:
        row = (await session.execute(_OF_TENANT, span | {"tenant": scope.tenant_id})).one()
    return Reading(row.throttled / row.calls if row.calls else 0.0, row.calls)
