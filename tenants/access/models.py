"""Table of API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Texts


class ApiKey(Base):
    """A bearer token of one tenant; only the HMAC of its secret part is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("mode IN ('live', 'test')", name="mode"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    mode: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    scopes: Mapped[Texts]
    secret_hash: Mapped[bytes]
    hint: Mapped[str]
    """The last four characters, to tell keys apart in a list."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
