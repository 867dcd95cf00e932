"""Table of webhook endpoints."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed, Texts


class WebhookEndpoint(Base):
    """A URL of a tenant; its signing secret is sealed with the tenant's key."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (CheckConstraint("state IN ('enabled', 'disabled')", name="state"),)

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
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
