"""Table of idempotency keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant


class IdempotencyKey(Base):
    """
    The stored answer to one `Idempotency-Key`; never time-partitioned, so a key is unique for its tenant.

    `tenant_id` is the nil UUID for the operator.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_expires_at", "expires_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    """SHA-256 of method, path and body."""
    status: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[bytes | None]
    """The answer as sent; None where it can be made again from `message_id`."""
    message_id: Mapped[UUID | None]
    created_at: Mapped[Instant]
    expires_at: Mapped[datetime]
