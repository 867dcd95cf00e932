"""Deliveries of webhooks, and the attempts at them, as whoever owns the endpoint sees them."""

from typing import Final

from msgspec import Struct

from gateway.messages.view import timestamp
from gateway.webhooks.models import WebhookAttempt, WebhookDelivery
from gateway.webhooks.payload import reply_context
from tenants.accounts.sealing import DataKey
from tenants.ids import encode

_EXCERPT: Final = 500


class DeliveryView(Struct, frozen=True, kw_only=True):
    """One event for one endpoint."""

    id: str
    """`del_…`"""
    event_id: str
    """As in the `webhook-id` header."""
    event_type: str | None
    state: str
    """`pending`, `delivered` or `failed`."""
    attempts: int
    next_attempt_at: str | None
    """None unless it is pending; then None means that it waits for its endpoint, which is paused or busy."""
    response_status: int | None
    """Of the last attempt."""
    response_excerpt: str | None
    """The start of what the receiver said to the last attempt, at most 500 characters."""
    error: str | None
    """
    Of the last attempt; `endpoint_disabled`, `event_gone`, `event_unreadable` if it ended without one;
    `result_refused` if what became of it could not be stored.
    """
    created_at: str | None
    delivered_at: str | None


class AttemptView(Struct, frozen=True, kw_only=True):
    """One post and its answer."""

    number: int
    at: str | None
    duration_ms: int
    response_status: int | None
    """None where no status came."""
    error: str | None
    """
    None for a success; else `dns`, `connect`, `tls`, `timeout`, `redirect`, `status`, …; `unsigned` where
    nothing was posted, since the endpoint's secret does not open.
    """
    response_body: str | None
    """The first 16 KB of the reply."""


class DeliveryWithAttempts(DeliveryView, frozen=True, kw_only=True):
    """One event for one endpoint, with every attempt."""

    attempts_made: list[AttemptView]
    """The newest first, at most 100."""


def delivery_view(row: WebhookDelivery, event_type: str | None, *, said: str | None = None) -> DeliveryView:
    """Return a delivery as lists show it; `said` is the last reply, opened."""
    is_timed = row.state == "pending" and row.next_attempt_at is not None
    return DeliveryView(
        id=encode("del", row.id),
        event_id=encode("evt", row.event_id),
        event_type=event_type,
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=timestamp(row.next_attempt_at) if is_timed else None,
        response_status=row.response_status,
        response_excerpt=None if said is None else said[:_EXCERPT],
        error=row.error,
        created_at=timestamp(row.created_at),
        delivered_at=timestamp(row.delivered_at),
    )


def attempt_view(row: WebhookAttempt, key: DataKey) -> AttemptView:
    """Return an attempt with the reply, opened."""
    return AttemptView(
        number=row.number,
        at=timestamp(row.at),
        duration_ms=row.duration_ms,
        response_status=row.response_status,
        error=row.error,
        response_body=reply_to(row, key),
    )


def reply_to(row: WebhookAttempt | None, key: DataKey) -> str | None:
    """Return what the receiver said to an attempt; None for no attempt, or no words."""
    if row is None or row.response_sealed is None:
        return None
    return key.open(row.response_sealed, context=reply_context(row.delivery_id)).decode()
