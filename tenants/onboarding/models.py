"""Table of onboardings."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed


class Onboarding(Base):
    """A tenant's answers and what was decided about them; the steps are computed."""

    __tablename__ = "onboardings"
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy's form: `updated_at` comes back with the write

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    answers_sealed: Mapped[Sealed | None]
    """`steps.Answers` as JSON, sealed with the tenant's data key: it names people."""
    version: Mapped[int] = mapped_column(server_default="0")
    """Grows with every answer, so that two browsers do not overwrite each other."""
    asked_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    sent_back: Mapped[str | None]
    decided: Mapped[str | None]
    """`tenant` or `operator`, where the relationship question did not decide."""
    live_at: Mapped[datetime | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[Instant] = mapped_column(server_default=text("now()"), onupdate=func.now())
