"""Tables of webhook deliveries, the outbox of what tenants are told, and of the attempts at each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant


class WebhookDelivery(Base):
    """One event for one endpoint, written in the transaction that made the event."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id", "created_at"),
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        Index("ix_webhook_deliveries_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
        Index(
            "ix_webhook_deliveries_held",
            "endpoint_id",
            "id",
            postgresql_where=text("state = 'pending' AND next_attempt_at IS NULL"),
        ),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    created_at: Mapped[Instant]
    endpoint_id: Mapped[UUID]
    event_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(server_default=text("now()"))
    """None while it is pending: it is held, and comes when its endpoint can take it."""
    response_status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One post of a delivery and what the receiver said."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "delivery_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    tenant_id: Mapped[UUID]
    delivery_id: Mapped[UUID]
    at: Mapped[Instant]
    """When it ended."""
    number: Mapped[int] = mapped_column(SmallInteger)
    """From 1; a replay begins anew."""
    duration_ms: Mapped[int]
    response_status: Mapped[int | None] = mapped_column(SmallInteger)
    response_sealed: Mapped[bytes | None]
    """The first 16 KB of the reply, sealed with the tenant's key; None if it was empty."""
    error: Mapped[str | None]
    """A `FailureKind`; None for a success."""
