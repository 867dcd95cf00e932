"""Table of opt-outs."""

from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed


class OptOut(Base):
    """A recipient on one of a tenant's lists; found by keyed hash, readable only with the tenant's key."""

    __tablename__ = "opt_outs"
    __table_args__ = (
        CheckConstraint("source IN ('api', 'csv', 'keyword', 'carrier', 'operator', 'web')", name="source"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(primary_key=True)
    """`all`, or the use case it stops: `otp`, `transactional`, `promotional`."""
    recipient_hash: Mapped[bytes] = mapped_column(primary_key=True)
    number_sealed: Mapped[Sealed]
    source: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
