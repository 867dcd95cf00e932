"""Tables of suspected pumping: what is held, and which countries are watched more closely."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Texts


class PumpingHold(Base):
    """A prefix whose messages stopped for a while, or would have: what a Redis that forgot it gets back."""

    __tablename__ = "pumping_holds"
    __table_args__ = (
        CheckConstraint("rule IN ('sequence', 'prefix', 'few_prefixes')", name="rule"),
        Index("ix_pumping_holds_until", "until"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    workflow: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(primary_key=True)
    """Digits that the numbers begin with, calling code included."""
    rule: Mapped[str]
    country: Mapped[str]
    enforced: Mapped[bool]
    until: Mapped[datetime]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class PumpingSuspicion(Base):
    """What is unusual about a tenant's traffic to a country."""

    __tablename__ = "pumping_suspicions"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    reasons: Mapped[Texts]
    """Of `country_mix`, `completion`; each raises the country's level by one."""
    since: Mapped[Instant] = mapped_column(server_default=text("now()"))
