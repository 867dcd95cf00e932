"""Table of webhook deliveries: the outbox of what tenants are told."""

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
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    created_at: Mapped[Instant]
    endpoint_id: Mapped[UUID]
    event_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_attempt_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    response_status: Mapped[int | None] = mapped_column(SmallInteger)
    response_excerpt: Mapped[str | None]
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
