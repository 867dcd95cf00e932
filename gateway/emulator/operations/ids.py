"""Ids of resources and messages."""

import uuid


def resource_id(kind: str) -> str:
    """Return a new id such as ``pool-`` and 32 hexadecimal digits."""
    return f"{kind}-{uuid.uuid4().hex}"


def message_id() -> str:
    """Return a new MessageId."""
    return str(uuid.uuid4())
