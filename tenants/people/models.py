"""Tables of the console's people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Sealed, Texts


class Invitation(Base):
    """A link that makes one person of a tenant, once."""

    __tablename__ = "console_invitations"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_sealed: Mapped[Sealed]
    email_hash: Mapped[bytes]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[Instant]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Person(Base):
    """Somebody who may sign in for one tenant."""

    __tablename__ = "console_people"
    __table_args__ = (CheckConstraint("(password_hash IS NULL) <> (identity_hash IS NULL)", name="proof"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_sealed: Mapped[Sealed]
    email_hash: Mapped[bytes] = mapped_column(unique=True)
    """One person, one tenant: the address alone says whose pages are shown."""
    password_hash: Mapped[str | None]
    """Argon2id in PHC form; None for whom an OpenID provider proves."""
    identity_hash: Mapped[bytes | None] = mapped_column(unique=True)
    """Keyed hash of the provider and its name for the account."""
    totp_sealed: Mapped[Sealed]
    totp_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The last 30 s step whose code was used; a code works once."""
    recovery_hashes: Mapped[Texts] = mapped_column(server_default="{}")
    """Of codes not yet used."""
    enrolled_at: Mapped[datetime | None]
    """When the second factor was shown to work; until then nothing but its set-up is open."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class ConsoleSession(Base):
    """A browser that is signed in: as a person, or as the operator where there is no tenant."""

    __tablename__ = "console_sessions"
    __table_args__ = (
        CheckConstraint("stage IN ('enrolling', 'second_factor', 'open')", name="stage"),
        CheckConstraint("(tenant_id IS NULL) = (person_id IS NULL)", name="owner"),
        ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["console_people.tenant_id", "console_people.id"],
            ondelete="CASCADE",
        ),
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    stage: Mapped[str]
    created_at: Mapped[Instant]
    seen_at: Mapped[Instant]
    expires_at: Mapped[Instant]


class LoginBrake(Base):
    """Failures counted against an address, a network, or both; keys are hashes."""

    __tablename__ = "login_brakes"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[Instant]
