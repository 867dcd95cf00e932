"""Queries of messages and their history; the scope comes first and proves the tenant."""

from typing import Any
from uuid import UUID

from msgspec import convert, structs
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.keys import body_context, number_context
from gateway.messages.models import Event, Message, StoredReceipt
from gateway.messages.row import MessageRow
from gateway.messages.rulings import Rulings
from gateway.messages.told_prices import without_prices
from gateway.messages.view import (
    NOT_ASKED,
    MessageEventView,
    MessageView,
    ProviderView,
    StatusReason,
    media_view,
    price_view,
    reason_view,
    template_view,
    timestamp,
    voice_view,
)
from tenants.accounts.sealing import DataKey
from tenants.ids import created_at, encode
from tenants.scope import TenantScope


async def get(
    scope: TenantScope, session: AsyncSession, message_id: UUID, *, lock: bool = False
) -> Message | None:
    """Return the tenant's message, or None if it is absent or someone else's, or of the other mode."""
    query = _owned(scope).where(*_is(message_id))
    return await session.scalar(query.with_for_update() if lock else query)


async def history(
    scope: TenantScope, session: AsyncSession, message_id: UUID
) -> list[MessageEventView] | None:
    """Return everything that happened to a message in order of time, or None if it is not the tenant's."""
    if await get(scope, session, message_id) is None:
        return None
    owned_events = select(Event).where(
        Event.tenant_id == scope.tenant_id,
        Event.message_id == message_id,
        Event.created_at >= created_at(message_id),
    )
    owned_receipts = select(StoredReceipt).where(
        StoredReceipt.tenant_id == scope.tenant_id,
        StoredReceipt.message_id == message_id,
        StoredReceipt.message_at == created_at(message_id),
    )
    ours = [(event.created_at, 0, _event_view(event)) for event in await session.scalars(owned_events)]
    theirs = [(r.event_at, 1, _receipt_view(r)) for r in await session.scalars(owned_receipts)]
    return [view for _, _, view in sorted([*ours, *theirs], key=lambda item: item[:2])]


def view_of(message: Message | MessageRow, key: DataKey) -> MessageView:
    """Return the message as its tenant sees it, opened with the tenant's key."""
    context = message.context or {}
    return MessageView(
        id=encode("msg", message.id),
        status=message.status,
        status_reason=reason_view(message.reason_code, message.reason_detail)
        or (_held(message) if message.status == "scheduled" else None),
        to=key.open(message.to_sealed, context=number_context(message.id)).decode(),
        country=message.country,
        carrier=message.carrier,
        from_=message.sender_value,
        channel=message.channel,
        type=message.type,
        body=_body(message, key),
        media=media_view(message.content),
        voice=voice_view(message.content),
        template=template_view(message.template_id, message.template_version),
        encoding=message.encoding,
        parts=message.parts,
        price=price_view(unit=message.unit, estimated=message.price_estimated, final=message.price_final),
        estimated_dispatch_at=timestamp(message.estimated_dispatch_at),
        created_at=timestamp(message.created_at) or "",
        send_at=timestamp(message.send_at),
        dispatched_at=timestamp(message.dispatched_at),
        final_at=timestamp(message.final_at),
        expires_at=timestamp(message.expires_at) or "",
        attempts=message.attempts,
        context=context,
        client_reference=message.client_reference,
        feedback=message.feedback,
        provider=_provider(message),
        resend_of_unknown=message.resend_of_unknown,
        test=message.test,
    )


def as_accepted(message: Message, key: DataKey) -> MessageView:
    """Return the view that the 202 showed, whatever has happened since: what a replay must answer."""
    return structs.replace(
        view_of(message, key),
        status="scheduled" if message.send_at else "queued",
        status_reason=_held(message),
        carrier=None,
        price=price_view(unit=message.unit, estimated=message.price_estimated, final=None),
        dispatched_at=None,
        final_at=None,
        attempts=0,
        feedback=None if message.feedback is None else "pending",
        provider=NOT_ASKED,
        resend_of_unknown=False,
    )


def _held(message: Message | MessageRow) -> StatusReason | None:
    """Return why a message waits although it was to leave earlier."""
    return None if message.rulings is None else convert(message.rulings, Rulings).held


def _owned(scope: TenantScope) -> Select[Message]:
    """A test key sees test messages, a live key live ones."""
    return select(Message).where(Message.tenant_id == scope.tenant_id, Message.test == (not scope.live))


def _is(message_id: UUID) -> tuple[Any, ...]:
    return (Message.id == message_id, Message.created_at == created_at(message_id))


def _body(message: Message | MessageRow, key: DataKey) -> str | None:
    if message.body_sealed is None:
        return None
    return key.open(message.body_sealed, context=body_context(message.id)).decode() or None


def _provider(message: Message | MessageRow) -> ProviderView:
    return ProviderView(
        message_id=message.provider_message_id,
        account=encode("acc", message.account_id) if message.account_id else None,
        region=_region(message.sender_arn),
        status=message.provider_status,
        parts=message.provider_parts,
        encoding=message.provider_encoding,
    )


def _region(arn: str | None) -> str | None:
    """Return the Region inside an ARN: arn:partition:service:region:account:resource."""
    return arn.split(":")[3] if arn else None


def _event_view(event: Event) -> MessageEventView:
    return MessageEventView(
        id=encode("evt", event.id),
        type=event.type,
        source="tollgate",
        at=timestamp(event.created_at) or "",
        sequence=event.sequence,
        detail=event.data,
    )


def _receipt_view(receipt: StoredReceipt) -> MessageEventView:
    return MessageEventView(
        id=None,
        type=receipt.event_type,
        source="aws",
        at=timestamp(receipt.event_at) or "",
        sequence=None,
        detail=without_prices(receipt.detail),
    )
