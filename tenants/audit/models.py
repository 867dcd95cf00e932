"""Table of audit rows."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json


class AuditRow(Base):
    """One change of a tenant's world; append-only."""

    __tablename__ = "audit_rows"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[str]
    """`operator`, or the public id of the API key."""
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[Json]
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))
