"""How many messages did their job: the feedback on those that left, by what they have in common."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.scope import TenantScope

ConversionGroup = Literal["country", "type", "template", "sender"]
MOST_ROWS: Final = 10_000
_COLUMNS: Final[dict[ConversionGroup, str]] = {
    "country": "country",
    "type": "type",
    "template": "template_id",
    "sender": "sender_value",
}


class Conversion(Struct, frozen=True, kw_only=True):
    """Counts of one group; `sent` is the sum of the other three."""

    group: object
    """A country, type or sender; a template's UUID, or None for messages of no template."""
    sent: int
    received: int
    failed: int
    pending: int


async def conversions(
    scope: TenantScope, session: AsyncSession, *, by: ConversionGroup, since: datetime, before: datetime
) -> Sequence[Conversion]:
    """Return the figures of messages accepted in a span that left and whose send asked for feedback."""
    query = f"""
        SELECT {_COLUMNS[by]} AS "group", count(*) AS sent,
            count(*) FILTER (WHERE feedback = 'received') AS received,
            count(*) FILTER (WHERE feedback = 'failed') AS failed,
            count(*) FILTER (WHERE feedback = 'pending') AS pending
        FROM messages
        WHERE tenant_id = :tenant AND test = :test AND created_at >= :since AND created_at < :before
            AND feedback IS NOT NULL AND dispatched_at IS NOT NULL
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
    """  # noqa: S608 - a column of ours
    terms = {
        "tenant": scope.tenant_id,
        "test": not scope.live,
        "since": since,
        "before": before,
        "most": MOST_ROWS,
    }
    rows = (await session.execute(text(query), terms)).mappings()
    return [Conversion(**dict(row)) for row in rows]
