"""Tables of intakes and of whom they brought."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed


class Intake(Base):
    """One platform that may post; the operator's, and no tenant's."""

    __tablename__ = "intakes"
    __table_args__ = (
        UniqueConstraint("name", name="uq_intakes_name"),
        CheckConstraint("model BETWEEN 1 AND 6", name="model"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    model: Mapped[int]
    """Of the tenants that it brings: 1 to 6."""
    secret_sealed: Mapped[Sealed]
    """The Standard Webhooks secret, sealed with the platform's own key."""
    previous_sealed: Mapped[Sealed | None]
    """The secret before, good until `previous_until`."""
    previous_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class IntakeCustomer(Base):
    """A tenant that an intake brought, by the platform's own name for it."""

    __tablename__ = "intake_customers"
    __table_args__ = (
        UniqueConstraint("intake_id", "reference", name="uq_intake_customers_intake_id_reference"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    intake_id: Mapped[UUID]
    reference: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
