"""Tables of public pages: what they are written from, how often forms were used, and codes sent to phones."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json


class HostedPages(Base):
    """The settings of a tenant's pages; a tenant without a row has none."""

    __tablename__ = "hosted_pages"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    settings: Mapped[Json]
    """`settings.PageSettings`."""
    updated_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class FormHit(Base):
    """How often an address or a number used a form since a window began."""

    __tablename__ = "form_hits"
    __table_args__ = (Index("ix_form_hits_began_at", "tenant_id", "began_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    bucket: Mapped[bytes] = mapped_column(primary_key=True)
    """Keyed hash of the form and the address or number."""
    hits: Mapped[int]
    began_at: Mapped[Instant]


class PageCode(Base):
    """The code that was texted to a phone last, and how often its codes were guessed wrongly."""

    __tablename__ = "page_codes"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_hash: Mapped[bytes] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    expires_at: Mapped[Instant]
    digits: Mapped[int] = mapped_column(SmallInteger, server_default="6")
    wrong: Mapped[int] = mapped_column(server_default="0")
    """Wrong guesses at this code and those before it, since `wrong_since`."""
    wrong_since: Mapped[datetime | None]
