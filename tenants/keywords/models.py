"""Tables of keywords."""

from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant


class Keyword(Base):
    """A word of a tenant's own; the built-in ones are code, not rows."""

    __tablename__ = "keywords"
    __table_args__ = (
        UniqueConstraint("tenant_id", "folded", "country"),
        CheckConstraint("action IN ('reply', 'opt_out', 'opt_in', 'help')", name="action"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    word: Mapped[str]
    folded: Mapped[str]
    """As texts are compared with it: no case, accents, blanks or punctuation."""
    country: Mapped[str] = mapped_column(server_default="")
    """Where it counts, by the person's number; empty for everywhere."""
    action: Mapped[str]
    list_name: Mapped[str | None]
    reply: Mapped[str | None]
    """None where nothing of its own is answered."""
    registered: Mapped[bool] = mapped_column(server_default=sql("false"))
    """Whether carriers have it on file: it changes by a support case first."""
    created_at: Mapped[Instant] = mapped_column(server_default=sql("now()"))


class KeywordText(Base):
    """What a built-in word answers, in one language or (empty) in all that have none of their own."""

    __tablename__ = "keyword_texts"
    __table_args__ = (CheckConstraint("keyword IN ('STOP', 'HELP', 'JOIN')", name="keyword"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    keyword: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    updated_at: Mapped[Instant] = mapped_column(server_default=sql("now()"))
