"""
AWS's ids of messages: where they are kept, and which message one names.

They stand beside `messages` and not in an index of it: a column that every message changes once on its way
would make that change one of all its indexes (docs/adr/0034). A text that was sent again has several.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Index, select
from sqlalchemy.orm import Mapped, mapped_column

from gateway.messages.models import Message
from tenants.tables import Base, HotConnection, Instant


class ProviderMessage(Base):
    """One id that AWS gave to a message. A trigger of `messages` writes it, when it is known."""

    __tablename__ = "provider_messages"

    tenant_id: Mapped[UUID]
    message_id: Mapped[UUID] = mapped_column()
    message_at: Mapped[Instant]
    provider_message_id: Mapped[str] = mapped_column()
    known_at: Mapped[Instant]

    __table_args__ = (
        Index("ix_provider_messages_provider_message_id", "provider_message_id", postgresql_using="hash"),
        Index("ix_provider_messages_known_at", "known_at"),
        {"postgresql_partition_by": "RANGE (message_at)"},
    )
    __mapper_args__ = {"primary_key": [message_id, provider_message_id]}  # noqa: RUF012 - SQLAlchemy's own


_OWNERS: Final = """
    SELECT provider_message_id, message_id FROM provider_messages
    WHERE provider_message_id = ANY($1::text[])
"""


async def messages_of(connection: HotConnection, provider_ids: Collection[str]) -> dict[str, UUID]:
    """Return the message that each of AWS's ids names, of those that are known."""
    rows = await connection.fetch(_OWNERS, list(provider_ids))
    return {row["provider_message_id"]: row["message_id"] for row in rows}


def has_provider_id(provider_message_id: str) -> ColumnElement[bool]:
    """Return the condition that AWS knows a message by this id, or has known it by it."""
    named = select(ProviderMessage.message_id).where(
        ProviderMessage.provider_message_id == provider_message_id
    )
    return Message.id.in_(named)
