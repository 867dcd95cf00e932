"""`/v1/admin/inbound`: texts that came in for numbers nobody has."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct
from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, Limit
from gateway.messages.models import ParkedReceipt
from gateway.messages.view import timestamp
from gateway.receipts.batch import platform_key
from gateway.receipts.event import InboundText, parse

_NOBODYS: Final = "no_such_number"
_KEPT: Final = (_NOBODYS, "not_taken_in")
"""What may go back: a number that was added since, or a fault of ours that was mended."""


class QuarantinedInboundView(Struct, frozen=True, kw_only=True):
    """A text that found no tenant: who wrote and what stays sealed."""

    event: str
    """Hexadecimal; names the event in logs."""
    to: str | None
    """The number that was written to; null for what cannot be read."""
    received_at: str | None


class QuarantinedInbound(Struct, frozen=True, kw_only=True):
    """The newest of them."""

    data: list[QuarantinedInboundView]


class Returned(Struct, frozen=True, kw_only=True):
    """How many texts went back to the inbox."""

    texts: int


@get(
    "/inbound/quarantined",
    responses=refusals(*OPERATOR),
    summary="List texts for numbers nobody has",
    description="The newest first; each is kept for 30 days.",
)
async def list_quarantined_inbound(
    desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT
) -> QuarantinedInbound:
    """Return quarantined texts."""
    key = platform_key(desk.services.settings.secret_key)
    async with desk.operator() as session:
        rows = await _newest(session, limit)
    views: list[QuarantinedInboundView] = []
    for row in rows:
        event = parse(key.open(row.body_sealed, context=row.event_key))
        to = event.destination if isinstance(event, InboundText) else None
        views.append(
            QuarantinedInboundView(event=row.event_key.hex(), to=to, received_at=timestamp(row.received_at))
        )
    return QuarantinedInbound(data=views)


@post(
    "/inbound/quarantined/return",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY),
    summary="Look again whose the quarantined texts are",
    description=(
        "After a number was added to its tenant, or a fault was mended that kept texts out: a "
        "STOP that came too early still stops."
    ),
)
async def return_quarantined_inbound(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[Returned]:
    """Put every quarantined text back into the inbox."""

    async def work(session: AsyncSession) -> Returned:
        again = update(ParkedReceipt).where(ParkedReceipt.reason.in_(_KEPT)).values(reason="inbound", tries=0)
        done: CursorResult[Any] = await session.execute(again)  # type: ignore[assignment]  # an UPDATE's
        await note(session, "inbound.returned", "quarantined", texts=done.rowcount)
        return Returned(texts=done.rowcount)

    return await desk.operator_once(request, work, status=200)


async def _newest(session: AsyncSession, limit: int) -> Sequence[ParkedReceipt]:
    query = select(ParkedReceipt).where(ParkedReceipt.reason == _NOBODYS)
    return (await session.scalars(query.order_by(ParkedReceipt.received_at.desc()).limit(limit))).all()
