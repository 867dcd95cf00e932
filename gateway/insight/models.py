"""Tables of what messages say together."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Amount, Base, Instant


class InsightHour(Base):
    """What became of a tenant's live messages that were accepted in an hour, by country, type and unit."""

    __tablename__ = "insight_hours"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "hour", "country", "type", "unit"),
        Index("ix_insight_hours_hour", "hour"),
    )

    tenant_id: Mapped[UUID]
    hour: Mapped[Instant]
    country: Mapped[str]
    type: Mapped[str]
    unit: Mapped[str]
    accepted: Mapped[int]
    parts: Mapped[int]
    dispatched: Mapped[int]
    waiting: Mapped[int]
    """Scheduled, queued or dispatching."""
    pending: Mapped[int]
    """Sent, without a final receipt."""
    delivered: Mapped[int]
    undelivered: Mapped[int]
    failed: Mapped[int]
    expired: Mapped[int]
    canceled: Mapped[int]
    unknown: Mapped[int]
    blocked: Mapped[int]
    """Of the undelivered: blocked or judged spam, which is a sign of something systematic."""
    feedback_received: Mapped[int]
    feedback_failed: Mapped[int]
    spent: Mapped[Amount]
    """What was held at the accept, in `unit`; it never changes, unlike prices."""
    receipt_p50_ms: Mapped[int | None] = mapped_column(BigInteger)
    """From hand-over to the final receipt."""
    receipt_p95_ms: Mapped[int | None] = mapped_column(BigInteger)


class InsightMark(Base):
    """An hour of a tenant that has messages, and when it is to be counted again."""

    __tablename__ = "insight_marks"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "hour"),
        Index("ix_insight_marks_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    tenant_id: Mapped[UUID]
    hour: Mapped[Instant]
    due_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]


class InsightProgress(Base):
    """How far the events have been looked through."""

    __tablename__ = "insight_progress"

    name: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[Instant]


class Alarm(Base):
    """What a tenant wants to be told about, and where it stands."""

    __tablename__ = "alarms"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint(
            "metric IN ('conversion', 'delivery_rate', 'failure_rate', 'block_rate', 'pending_rate', "
            "'spend_pace', 'throttle_rate')",
            name="metric",
        ),
        CheckConstraint("against IN ('static', 'baseline')", name="against"),
        CheckConstraint("window_s BETWEEN 300 AND 86400", name="window_s"),
        Index("ix_alarms_due_at", "due_at", postgresql_where=text("enabled")),
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    name: Mapped[str]
    metric: Mapped[str]
    country: Mapped[str | None]
    """None for all together."""
    type: Mapped[str | None]
    against: Mapped[str]
    raise_at: Mapped[float] = mapped_column(Double)
    clear_at: Mapped[float] = mapped_column(Double)
    window_s: Mapped[int]
    minimum: Mapped[int]
    """Messages without which nothing is judged."""
    rounds_to_raise: Mapped[int] = mapped_column(SmallInteger)
    rounds_to_clear: Mapped[int] = mapped_column(SmallInteger)
    after_s: Mapped[int | None]
    """Of `pending_rate`: when a receipt is overdue; None for the usual time."""
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    raised: Mapped[bool] = mapped_column(server_default=text("false"))
    streak: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    changed_at: Mapped[datetime | None]
    """When it was raised or cleared last."""
    value: Mapped[float | None] = mapped_column(Double)
    usual: Mapped[float | None] = mapped_column(Double)
    measured_at: Mapped[datetime | None]
    """When there were enough messages last."""
    judged_at: Mapped[datetime | None]
    due_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
