"""Table of tenants."""

from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json, Sealed, Texts


class Tenant(Base):
    """One customer of the operator. `policy_version` grows with every change that admission must see."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("model BETWEEN 1 AND 6", name="model"),
        CheckConstraint("state IN ('active', 'suspended', 'closed')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    model: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="active")
    live: Mapped[bool] = mapped_column(server_default=text("false"))
    countries: Mapped[Texts]
    plan: Mapped[Json]
    policy_version: Mapped[int] = mapped_column(server_default="1")
    data_key: Mapped[Sealed]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
