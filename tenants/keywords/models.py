"""Tables of keywords."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json, JsonList


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


class KeywordLink(Base):
    """What AWS was told that STOP and HELP answer on a number or a pool, and how the two differed."""

    __tablename__ = "keyword_links"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    arn: Mapped[str] = mapped_column(primary_key=True)
    """Of the number, or of the AWS pool that speaks for its numbers."""
    told: Mapped[Json] = mapped_column(server_default="{}")
    """The words by keyword."""
    compared_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    """Not before; None where AWS refused nothing."""
    drift: Mapped[JsonList] = mapped_column(server_default="[]")
    """What the last comparison found and mended, in words."""
    fault: Mapped[str | None]
    """What AWS refused."""
