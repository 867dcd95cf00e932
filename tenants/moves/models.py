"""The table of moves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json


class Move(Base):
    """A tenant's move from another provider; templates, opt-outs and consents are kept where others are."""

    __tablename__ = "moves"
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy's form: `updated_at` comes back with the write

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(server_default="")
    """The name of where it comes from."""
    volumes: Mapped[Json] = mapped_column(server_default="{}")
    """`plan.Volume` by country."""
    numbers: Mapped[Json] = mapped_column(server_default="{}")
    """`plan.MovedNumber` by number or sender id."""
    shares: Mapped[Json] = mapped_column(server_default="{}")
    """Per cent of each country's recipients that are texted from here; a country that is absent: none."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"), onupdate=func.now())
