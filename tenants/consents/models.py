"""Tables of consents: words shown, events as they came, where each person stands, texts to send."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed

_METHODS: Final = "method IN ('web', 'widget', 'keyword', 'verbal', 'paper', 'api', 'import')"
_TYPES: Final = "message_type IN ('otp', 'transactional', 'promotional')"


class ConsentText(Base):
    """The exact words that people agreed to, once for each version; found by SHA-256. Append-only."""

    __tablename__ = "consent_texts"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    text_hash: Mapped[bytes] = mapped_column(primary_key=True)
    text: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=sql("now()"))


class ConsentRecord(Base):
    """One line of the ledger: somebody was asked, agreed, confirmed or withdrew. Append-only."""

    __tablename__ = "consent_records"
    __table_args__ = (
        CheckConstraint("event IN ('asked', 'granted', 'confirmed', 'withdrawn')", name="event"),
        CheckConstraint(_METHODS, name="method"),
        CheckConstraint(_TYPES, name="message_type"),
        Index("ix_consent_records_recipient", "tenant_id", "recipient_hash"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    test: Mapped[bool]
    recipient_hash: Mapped[bytes]
    number_sealed: Mapped[Sealed]
    use_case: Mapped[str]
    message_type: Mapped[str]
    event: Mapped[str]
    method: Mapped[str]
    text_hash: Mapped[bytes | None]
    """Which words; None for a withdrawal, or where an old record does not say."""
    proof_sealed: Mapped[bytes | None]
    """`service.Proof` as JSON: address, signer, reference of the evidence."""
    actor: Mapped[str]
    """Whose doing: `recipient`, `key_…`, `operator`."""
    given_at: Mapped[Instant]
    """When it happened, which for papers and imports is before it was recorded."""
    at: Mapped[Instant] = mapped_column(server_default=sql("now()"))


class Consent(Base):
    """Where a person stands with a use case now; follows from the ledger."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'granted', 'withdrawn')", name="state"),
        CheckConstraint(_METHODS, name="method"),
        CheckConstraint(_TYPES, name="message_type"),
        Index("ux_consents_id", "tenant_id", "id", unique=True),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    test: Mapped[bool] = mapped_column(primary_key=True)
    recipient_hash: Mapped[bytes] = mapped_column(primary_key=True)
    use_case: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    number_sealed: Mapped[Sealed]
    message_type: Mapped[str]
    state: Mapped[str]
    method: Mapped[str]
    text_hash: Mapped[bytes | None]
    since: Mapped[Instant]
    """When what the state says happened."""
    closes_at: Mapped[datetime | None]
    """Until when a pending one may be confirmed."""


class ConsentAsk(Base):
    """A text to a phone that asks for a confirmation, or carries a code; gone when a message of it exists."""

    __tablename__ = "consent_asks"
    __table_args__ = (
        CheckConstraint("kind IN ('confirm', 'code')", name="kind"),
        Index("ix_consent_asks_due_at", "due_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    test: Mapped[bool]
    kind: Mapped[str]
    recipient_hash: Mapped[bytes]
    number_sealed: Mapped[Sealed]
    text_sealed: Mapped[Sealed]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[Instant]
    closes_at: Mapped[Instant]
