"""What an event says of a message: the fields that change on its road, none of which is personal."""

from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.messages.view import (
    PriceView,
    StatusReason,
    price_view,
    reason_view,
    timestamp,
)


class ChangedProvider(Struct, frozen=True, kw_only=True):
    """What AWS said, less what was known before: the account and its Region."""

    message_id: str | None
    status: str | None


class MessageChange(Struct, frozen=True, kw_only=True):
    """A subset of `MessageView` by name; laid over the unchanging fields when the event is sent."""

    status: str
    status_reason: StatusReason | None
    attempts: int
    price: PriceView
    carrier: str | None
    dispatched_at: str | None
    final_at: str | None
    provider: ChangedProvider
    resend_of_unknown: bool
    feedback: str | UnsetType = UNSET
    """Only in the event of it."""


def describe_change(
    *,
    status: str,
    reason: tuple[str, str] | None = None,
    attempts: int = 0,
    unit: str,
    price_estimated: int,
    price_final: int | None = None,
    carrier: str | None = None,
    dispatched_at: datetime | None = None,
    final_at: datetime | None = None,
    provider_message_id: str | None = None,
    provider_status: str | None = None,
    resend_of_unknown: bool = False,
    feedback: str | None = None,
) -> msgspec.Raw:
    """Return the event's data as JSON; `reason` is (code, detail)."""
    code, detail = reason or (None, None)
    change = MessageChange(
        status=status,
        status_reason=reason_view(code, detail),
        attempts=attempts,
        price=price_view(unit=unit, estimated=price_estimated, final=price_final),
        carrier=carrier,
        dispatched_at=timestamp(dispatched_at),
        final_at=timestamp(final_at),
        provider=ChangedProvider(message_id=provider_message_id, status=provider_status),
        resend_of_unknown=resend_of_unknown,
        feedback=UNSET if feedback is None else feedback,
    )
    return msgspec.Raw(msgspec.json.encode(change))
