"""Tables of templates and their versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json, JsonList, Texts


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
        CheckConstraint("decided_by IN ('operator', 'linter', 'tenant')", name="decided_by"),
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
    use_case: Mapped[str | None]
    """What it is for; None, from before there were use cases, for the type's usual one."""
    locale: Mapped[str | None]
    """Language of `body`."""
    dlt_template_id: Mapped[str | None]
    """India's registration of the wording."""
    variants: Mapped[JsonList] = mapped_column(server_default=text("'[]'"))
    """Bodies in other languages: `{"locale", "body"}`."""
    findings: Mapped[JsonList] = mapped_column(server_default=text("'[]'"))
    """What the linter said when the version was written, and again when it was submitted."""
    decided_by: Mapped[str | None]
    """Who moved it where it is: `operator`, `linter` or `tenant`; None before, and for old rows."""
    rejection_reason: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
