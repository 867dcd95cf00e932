"""
Tables of money.

A transfer is one row whose columns are the accounts it touches; a CHECK makes each row sum to zero, so the
ledger cannot be unbalanced even by a statement that forgets half of itself (docs/adr/0002).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Amount, Base, Instant, JsonList

_KINDS = (
    "'top_up', 'adjust', 'correction', 'fee', 'hold', 'capture', 'release', 'expire', 'recapture', "
    "'cost', 'reconcile'"
)


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

    `subject_id` is the message for what its own life moves, and the transfer's own id otherwise; then
    `about_id` may name a message that it corrects.
    `subject_at` is the instant inside `subject_id`: it places the row in a partition, which makes the
    primary key a true "once per message, kind and revision".
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "subject_id", "kind", "revision", "subject_at"),
        CheckConstraint(
            "available + held + revenue + funding + adjustment + cogs + payable = 0", name="balanced"
        ),
        CheckConstraint(f"kind IN ({_KINDS})", name="kind"),
        CheckConstraint(
            "(cogs = 0 AND payable = 0) OR (kind IN ('cost', 'reconcile') AND unit = 'micros' "
            "AND available = 0 AND held = 0 AND revenue = 0 AND funding = 0 AND adjustment = 0)",
            name="cost_apart",
        ),
        CheckConstraint(
            "note IS NOT NULL OR kind NOT IN ('correction', 'reconcile')", name="corrections_say_why"
        ),
        Index("ix_ledger_transfers_by_hand", "tenant_id", "at", postgresql_where=text("subject_id = id")),
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
    cogs: Mapped[Amount] = mapped_column(server_default="0")
    """What AWS charged, in micro-dollars."""
    payable: Mapped[Amount] = mapped_column(server_default="0")
    """What is owed to AWS for it."""
    included: Mapped[Amount] = mapped_column(server_default="0")
    """Parts or messages of the tenant's bundle that it used; no money, and in no sum."""
    unit: Mapped[str]
    about_id: Mapped[UUID | None]
    note: Mapped[str | None]
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class UsageBatch(Base):
    """
    Messages of one commit whose settlement no day of usage has counted yet; written with the ledger.

    The arrays have one element per settlement: `first` tells whether the message is counted with it,
    `charged` what the tenant paid by it, `cost_micros` what AWS charged by it, `included` what it used of the
    tenant's bundle.
    """

    __tablename__ = "usage_batches"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("tollgate_uuid7()"))
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    message_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    message_ats: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    first: Mapped[list[bool]] = mapped_column(ARRAY(Boolean))
    charged: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    cost_micros: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    included: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")


class UsageDay(Base):
    """What was settled on one UTC day, by everything a bill is itemised by; equal to a recount."""

    __tablename__ = "usage_days"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The nil UUID for messages of no template."""
    sender: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    messages: Mapped[Amount]
    parts: Mapped[Amount]
    charged: Mapped[Amount]
    cost_micros: Mapped[Amount]
    included: Mapped[Amount] = mapped_column(server_default="0")


class MonthlyFee(Base):
    """A fee that a tenant owes for a month, or once, and whether it is in the ledger."""

    __tablename__ = "monthly_fees"
    __table_args__ = (
        CheckConstraint("amount > 0 OR (amount < 0 AND item = 'lease_end')", name="amount"),
        CheckConstraint("item IN ('lease', 'lease_end', 'platform', 'registration')", name="item"),
        CheckConstraint("NOT charged OR waived_why IS NULL", name="charged_or_waived"),
        Index("ix_monthly_fees_id", "tenant_id", "id", unique=True),
        Index(
            "ix_monthly_fees_once",
            "tenant_id",
            "subject_id",
            unique=True,
            postgresql_where=text("item = 'registration'"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The sender, the registration, or for the platform's fee the tenant."""
    leg: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="0")
    """Counts the leases of a sender that was released and taken again within the month, from 0."""
    id: Mapped[UUID] = mapped_column(server_default=text("tollgate_uuid7()"))
    amount: Mapped[Amount]
    """Negative for what is given back."""
    unit: Mapped[str]
    note: Mapped[str]
    charged: Mapped[bool] = mapped_column(server_default=text("false"))
    since: Mapped[date | None]
    """The first day that a lease is for; None for what is no lease, and for leases written before 0057."""
    until: Mapped[date | None]
    """The last day that a lease was for, once its end is accounted for."""
    waived_why: Mapped[str | None]
    """Why it will never be charged; None for what is owed or charged."""


class FeeRound(Base):
    """Until when the fees of months are written down; the operator's."""

    __tablename__ = "fee_rounds"

    name: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[Instant]


class Reconciliation(Base):
    """What one proof of the books found; the operator's."""

    __tablename__ = "reconciliations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    tenants: Mapped[Amount]
    transfers: Mapped[Amount]
    messages: Mapped[Amount]
    differences: Mapped[Amount]
    sample: Mapped[JsonList]


class PriceBookRow(Base):
    """A named price book; its lines are in `prices`."""

    __tablename__ = "price_books"

    name: Mapped[str] = mapped_column(primary_key=True)
    example: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether its prices are made up."""
    imported_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Price(Base):
    """One line of a price book: what a message part or a fee costs the operator and the tenant."""

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("sell_micros >= 0 AND cost_micros >= 0 AND credits >= 0", name="not_negative"),
        CheckConstraint(
            "item IN ('part', 'carrier_fee', 'protect_fee', 'lease', 'registration')", name="item"
        ),
    )

    book: Mapped[str] = mapped_column(primary_key=True, server_default="default")
    item: Mapped[str] = mapped_column(primary_key=True, server_default="part")
    country: Mapped[str] = mapped_column(primary_key=True)
    """ISO 3166-1 alpha-2, or `*` for every country without a line of its own."""
    sender_type: Mapped[str] = mapped_column(primary_key=True, server_default="*")
    channel: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[Instant] = mapped_column(primary_key=True)
    sell_micros: Mapped[Amount]
    """Per message part, to the tenant."""
    cost_micros: Mapped[Amount]
    """Per message part, by AWS and the carriers together; becomes `MaxPrice` with head-room."""
    credits: Mapped[int]
    """Credits per message part for tenants that pay in credits."""
    valid_to: Mapped[datetime | None]
