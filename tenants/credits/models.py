"""
Tables of money.

A transfer is one row whose columns are the accounts it touches; a CHECK makes each row sum to zero, so the
ledger cannot be unbalanced even by a statement that forgets half of itself (docs/adr/0002).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Amount, Base, Instant


class Balance(Base):
    """
    What a tenant has and what of it is promised to messages under way; the cache of the ledger.

    `posted - held` is what a new message may hold; the CHECK is the last word against overspending.
    """

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint("posted - held >= 0", name="never_overspent"),
        CheckConstraint("held >= 0", name="held"),
        CheckConstraint("unit IN ('micros', 'credits')", name="unit"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    unit: Mapped[str]
    posted: Mapped[Amount] = mapped_column(server_default="0")
    held: Mapped[Amount] = mapped_column(server_default="0")


class Transfer(Base):
    """
    One movement between a tenant's accounts and the platform's; never updated, never deleted.

    `subject_id` is the message for holds, captures and releases, and the transfer's own id otherwise.
    `subject_at` is the instant inside `subject_id`: it places the row in a partition, which makes the
    primary key a true "once per message, kind and revision".
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "subject_id", "kind", "revision", "subject_at"),
        CheckConstraint("available + held + revenue + funding + adjustment = 0", name="balanced"),
        CheckConstraint(
            "kind IN ('top_up', 'adjust', 'hold', 'capture', 'release', 'recapture')", name="kind"
        ),
        {"postgresql_partition_by": "RANGE (subject_at)"},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    subject_id: Mapped[UUID]
    subject_at: Mapped[Instant]
    kind: Mapped[str]
    revision: Mapped[int] = mapped_column(server_default="0")
    available: Mapped[Amount] = mapped_column(server_default="0")
    held: Mapped[Amount] = mapped_column(server_default="0")
    revenue: Mapped[Amount] = mapped_column(server_default="0")
    funding: Mapped[Amount] = mapped_column(server_default="0")
    adjustment: Mapped[Amount] = mapped_column(server_default="0")
    unit: Mapped[str]
    note: Mapped[str | None]
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Price(Base):
    """One line of the price book: what a message part to a country costs the operator and the tenant."""

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("sell_micros >= 0 AND cost_micros >= 0 AND credits >= 0", name="not_negative"),
    )

    country: Mapped[str] = mapped_column(primary_key=True)
    """ISO 3166-1 alpha-2, or `*` for every country without a line of its own."""
    channel: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[Instant] = mapped_column(primary_key=True)
    sell_micros: Mapped[Amount]
    """Per message part, to the tenant."""
    cost_micros: Mapped[Amount]
    """Per message part, by AWS and the carriers together; becomes `MaxPrice` with head-room."""
    credits: Mapped[int]
    """Credits per message part for tenants that pay in credits."""
    valid_to: Mapped[datetime | None]
