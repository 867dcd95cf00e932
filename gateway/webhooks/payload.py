"""The body of a webhook: the event, with the message's unchanging fields joined in and opened."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from gateway.messages.models import Message
from gateway.messages.row import MessageRow
from gateway.messages.store import view_of
from gateway.messages.view import timestamp
from gateway.webhooks.personal import Personal, opened
from tenants.accounts.sealing import DataKey
from tenants.ids import created_at


class StoredEvent(Struct, frozen=True, kw_only=True):
    """An event as Postgres keeps it, and its message where it has one."""

    id: UUID
    type: str
    sequence: int
    data: dict[str, Any]
    message: Message | MessageRow | None
    personal: Personal | None = None
    """What it says of a person, where it is about one and no message."""


def body_of(event: StoredEvent, key: DataKey) -> str:
    """
    Return the JSON text that is signed and sent; the same event gives the same text on every attempt.

    `sequence` counts the events of one message, since webhooks promise no order.
    """
    data = dict(event.data)
    if event.message is not None:
        view: dict[str, Any] = msgspec.to_builtins(view_of(event.message, key))
        provider = view["provider"] | data.get("provider", {})
        data = view | _frozen(event.message) | data | {"provider": provider}
    if event.personal is not None:
        data |= opened(event.personal, key)
    body = {
        "type": event.type,
        "timestamp": timestamp(created_at(event.id)),
        "data": data,
        "sequence": event.sequence,
    }
    return msgspec.json.encode(body).decode()


def _frozen(message: Message | MessageRow) -> dict[str, Any]:
    """Fields that the event's own data does not carry and that may have moved on since: left out of time."""
    return {"feedback": None if message.feedback is None else "pending"}


def reply_context(delivery_id: UUID) -> bytes:
    """Return what binds a sealed reply to its delivery."""
    return b"webhook-reply:" + delivery_id.bytes
