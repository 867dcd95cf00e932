"""Tables of health and of what has to be moved between lanes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant


class HealthTally(Base):
    """Calls of one sender or route in five seconds, added up over all processes."""

    __tablename__ = "health_tallies"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(primary_key=True, index=True)
    answered: Mapped[int] = mapped_column(server_default="0")
    throttled: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    unknown: Mapped[int] = mapped_column(server_default="0")


class HealthRow(Base):
    """Where a sender or a route stands; absent for one that was never ill."""

    __tablename__ = "health_states"
    __table_args__ = (
        CheckConstraint("kind IN ('sender', 'route')", name="kind"),
        CheckConstraint("state IN ('healthy', 'unhealthy', 'probing', 'disabled')", name="state"),
    )

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    since: Mapped[Instant]
    hold_seconds: Mapped[int]


class RouteNotice(Base):
    """The newest word about one event of AWS Health, for one account."""

    __tablename__ = "route_notices"
    __table_args__ = (
        ForeignKeyConstraint(["account_id"], ["aws_accounts.id"], ondelete="CASCADE"),
        CheckConstraint("status IN ('upcoming', 'open', 'closed')", name="status"),
        CheckConstraint("effect IN ('degrade', 'disable')", name="effect"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    effect: Mapped[str]
    reason: Mapped[str]
    said_at: Mapped[Instant]
    overruled: Mapped[bool]
    """Whether an operator enabled the route in the middle of it; it then has no effect any more."""


class RelaneOrder(Base):
    """A sender whose queued messages have to go to others; gone when none is left."""

    __tablename__ = "relane_orders"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    done_up_to: Mapped[UUID | None]
    """The last message looked at; the next look begins behind it."""
