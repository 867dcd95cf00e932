"""Table of the operator's inbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json


class InboxItem(Base):
    """One thing for the operator to look at; the nil UUID owns what concerns no single tenant."""

    __tablename__ = "inbox_items"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        Index(
            "uq_inbox_items_open",
            "tenant_id",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_inbox_items_id", "id"),
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    kind: Mapped[str]
    """`thing.what`, such as `registration.stale`."""
    subject: Mapped[str]
    """Public id of what it is about, or another name of it that is unique within the kind."""
    summary: Mapped[str]
    """One sentence for a person."""
    detail: Mapped[Json]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    """`operator`, or `gateway` where the cause went away."""
    note: Mapped[str | None]
