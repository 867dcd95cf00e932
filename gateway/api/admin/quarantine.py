"""`/v1/admin/messages/quarantined`: messages that kept ending the dispatchers that held them."""

from collections.abc import Sequence
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.messages.models import QuarantinedMessage
from gateway.messages.view import timestamp
from tenants.ids import encode


class QuarantinedView(Struct, frozen=True, kw_only=True):
    """A message that was failed because no dispatcher could handle it."""

    message_id: str
    tenant_id: str
    route: str
    reason: str
    """`unreadable`: its queue row makes no sense. `not_opened`: its content cannot be opened.
    `claimed_in_vain`: whoever held it died or was lost."""
    claims: int
    """Claims in a row that ended without an outcome while the message was alone with its dispatcher."""
    attempts: int
    """Attempts that may have become a text; above zero the message is `unknown`, else `failed`."""
    quarantined_at: str | None


def quarantined_view(row: QuarantinedMessage) -> QuarantinedView:
    """Return a row as the wire shows it."""
    return QuarantinedView(
        message_id=encode("msg", row.message_id),
        tenant_id=encode("ten", row.tenant_id),
        route=row.route,
        reason=row.reason,
        claims=row.claims,
        attempts=row.attempts,
        quarantined_at=timestamp(row.quarantined_at),
    )


@get("/messages/quarantined", responses=refusals(*OPERATOR), summary="List quarantined messages")
async def list_quarantined_messages(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[QuarantinedView]:
    """Return a page of all tenants' quarantined messages, the newest first; each is kept for 30 days."""
    async with desk.operator() as session:
        rows = await _page(session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=quarantined_view, place=lambda row: row.message_id)


async def _page(session: AsyncSession, *, limit: int, after: UUID | None) -> Sequence[QuarantinedMessage]:
    query = select(QuarantinedMessage).order_by(QuarantinedMessage.message_id.desc()).limit(limit)
    if after is not None:
        query = query.where(QuarantinedMessage.message_id < after)
    return list(await session.scalars(query))
