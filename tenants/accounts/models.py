"""Table of tenants."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
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
    sends_held: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether what was accepted waits: from a suspension on until a resume, closed meanwhile or not."""
    live: Mapped[bool] = mapped_column(server_default=text("false"))
    countries: Mapped[Texts]
    plan: Mapped[Json]
    policy_version: Mapped[int] = mapped_column(server_default="1")
    data_key: Mapped[Sealed]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Erasure(Base):
    """A closed tenant that is being forgotten, or was: how far it is, and how many rows it took."""

    __tablename__ = "tenant_erasures"
    __table_args__ = (
        Index("ix_tenant_erasures_unfinished", "asked_at", postgresql_where=text("finished_at IS NULL")),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    place: Mapped[int] = mapped_column(server_default="1")
    """In the order of `tollgate_erasure_plan()`."""
    after_id: Mapped[UUID | None]
    """Up to which row of a table that is walked."""
    counts: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    """Rows by table."""
    asked_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]


class ErasureStep(Base):
    """One table of what an erasure takes, in its place; written by migrations, with `tollgate_fence`."""

    __tablename__ = "erasure_steps"

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    walked: Mapped[str | None]
    """By this column, where rows stay."""
    blanks: Mapped[str | None]
    """The SET of an UPDATE; None deletes the rows."""
    concerned: Mapped[str | None]
    """The condition of rows that stay and are changed; None for all of them."""
