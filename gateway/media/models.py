"""The table of files for MMS."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant


class MediaFile(Base):
    """A file that a tenant may send; its bytes lie in S3 only."""

    __tablename__ = "media"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_bytes"),
        Index("ix_media_expires_at", "expires_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    test: Mapped[bool]
    """Uploaded by a test key: judged, kept nowhere, and sendable by test keys only."""
    content_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[bytes]
    object_key: Mapped[str]
    """Random, under a prefix of the tenant's own."""
    staged: Mapped[dict[str, str]] = mapped_column(JSONB)
    """`s3://` address by AWS account."""
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]

    def lives_until(self, instant: datetime) -> bool:
        """Whether the bytes are still there at an instant."""
        return self.expires_at >= instant
