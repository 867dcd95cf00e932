"""The table of short codes on their way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.shortcodes.stages import STAGE_NAMES
from tenants.tables import Base, Instant, Json, JsonList

_STAGES = ", ".join(f"'{each}'" for each in STAGE_NAMES)


class ShortCode(Base):
    """A tenant's application for a short code in one country."""

    __tablename__ = "short_codes"
    __table_args__ = (CheckConstraint(f"stage IN ({_STAGES})", name="stage"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    country: Mapped[str]
    name: Mapped[str]
    stage: Mapped[str] = mapped_column(server_default="requested")
    stage_since: Mapped[Instant]
    answers: Mapped[Json] = mapped_column(server_default="{}")
    """What was filled in by hand, by the pack's field keys."""
    history: Mapped[JsonList] = mapped_column(server_default=text("'[]'"))
    """Each stage that was entered: `stage`, `at`, `by`, `note`; the first one first."""
    support_case: Mapped[str | None]
    code: Mapped[str | None]
    """The digits, once they are confirmed."""
    billing_started_at: Mapped[datetime | None]
    """As the operator read it on the bill: AWS's guides differ on when it begins."""
    stale_told_at: Mapped[datetime | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
