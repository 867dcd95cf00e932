"""The table of verified destination numbers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed

_AT_AWS = text("aws_id IS NOT NULL")


class VerifiedNumber(Base):
    """A number that the tenant says is its own, and how far the proof is."""

    __tablename__ = "verified_numbers"
    __table_args__ = (
        UniqueConstraint("tenant_id", "test", "recipient_hash"),
        CheckConstraint("state IN ('pending', 'verified', 'removed')", name="state"),
        Index("ux_verified_numbers_aws_id", "account_id", "aws_id", unique=True, postgresql_where=_AT_AWS),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    test: Mapped[bool]
    """Whether it counts for test keys; the others are for live keys."""
    recipient_hash: Mapped[bytes]
    number_sealed: Mapped[Sealed]
    country: Mapped[str]
    account_id: Mapped[UUID | None]
    """The AWS account in which it is verified; None for test keys."""
    aws_id: Mapped[str | None]
    """AWS's id of the entry, which no other tenant's row shares; None until AWS has made it."""
    state: Mapped[str] = mapped_column(server_default="pending")
    """`removed` is gone for the tenant, while AWS keeps its entry for a day at least."""
    code_hash: Mapped[bytes | None]
    """Of the code sent last, keyed by the tenant; None where AWS made the code and knows it alone."""
    code_expires_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    """Guesses at the code sent last."""
    codes_sent: Mapped[int] = mapped_column(server_default="0")
    """Codes sent since `codes_since`."""
    codes_since: Mapped[datetime | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    verified_at: Mapped[datetime | None]
