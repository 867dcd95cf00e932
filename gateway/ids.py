"""Ids of what the gateway makes; the form is `tenants.ids`'s, so there is one alphabet and one decoder."""

from datetime import datetime
from uuid import UUID

from tenants.ids import created_at, decode, encode, new_uuid

__all__ = ["decode", "encode", "message_created_at", "message_id", "new_uuid"]


def message_id(value: UUID) -> str:
    """Return the public id of a message."""
    return encode("msg", value)


def message_created_at(value: UUID) -> datetime:
    """Return the instant that places a message in its partition: the millisecond inside its own id."""
    return created_at(value)
