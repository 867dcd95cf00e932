"""Table of webhook endpoints."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed, Texts


class WebhookEndpoint(Base):
    """A URL of a tenant; its signing secret is sealed with the tenant's key."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("state IN ('enabled', 'disabled')", name="state"),
        CheckConstraint("pause_reason IN ('asked', 'failing')", name="pause_reason"),
        Index("ix_webhook_endpoints_holding", "paused_until", postgresql_where=text("holding")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    events: Mapped[Texts]
    """Event types wanted; empty for all."""
    secret_sealed: Mapped[Sealed]
    old_secret_sealed: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="enabled")
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """In a row, as the circuit counts them."""
    paused_until: Mapped[datetime | None]
    """Nothing is posted before; then one delivery is tried, and the others follow if it arrives."""
    pause_reason: Mapped[str | None]
    """`asked` by the receiver (429, 503), or `failing`."""
    holding: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether deliveries wait for this endpoint rather than for a time."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
