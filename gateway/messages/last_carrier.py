"""The carrier of a number, as the tenant's own receipts told it last."""

from msgspec import Struct
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.models import Message
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.scope import TenantScope


class LastCarrier(Struct, frozen=True, kw_only=True):
    """What a receipt said of a number's network; numbers move, so mind how old it is."""

    name: str | None
    mcc: str | None
    """Mobile country code."""
    mnc: str | None
    """Mobile network code."""
    told_at: str | None
    """When the receipt was made."""
    message_id: str
    """The message it was about."""


async def last_carrier(
    scope: TenantScope, session: AsyncSession, recipient_hash: bytes
) -> LastCarrier | None:
    """Return what the newest message to a recipient that has a carrier says, of the key's mode only."""
    query = (
        select(Message.id, Message.carrier, Message.mcc, Message.mnc, Message.receipt_at)
        .where(Message.tenant_id == scope.tenant_id, Message.recipient_hash == recipient_hash)
        .where(Message.test == (not scope.live))
        .where(or_(Message.carrier.is_not(None), Message.mcc.is_not(None)))
        .order_by(Message.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    return LastCarrier(
        name=row.carrier,
        mcc=row.mcc,
        mnc=row.mnc,
        told_at=timestamp(row.receipt_at),
        message_id=encode("msg", row.id),
    )
