"""Tables of templates and their versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json, Texts


class Template(Base):
    """A named text of a tenant; what is sent is one of its approved versions."""

    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class TemplateVersion(Base):
    """One wording; immutable once submitted, sendable once approved."""

    __tablename__ = "template_versions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "template_id"], ["templates.tenant_id", "templates.id"]),
        CheckConstraint("state IN ('draft', 'submitted', 'approved', 'rejected', 'retired')", name="state"),
        CheckConstraint("type IN ('otp', 'transactional', 'promotional')", name="type"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="draft")
    body: Mapped[str]
    type: Mapped[str]
    variables: Mapped[Json]
    countries: Mapped[Texts]
    """Countries it may go to; empty for every country of the tenant."""
    rejection_reason: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
