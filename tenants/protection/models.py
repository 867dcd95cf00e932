"""Tables of protect configurations, number overrides, and what they stopped."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Amount, Base, Instant, Json, JsonList, Sealed

_ONE_DEFAULT = text("is_default")
_CHANNELS = "channel IN ('sms', 'mms', 'voice')"


class ProtectConfiguration(Base):
    """A tenant's named set of country rules; one of them is the tenant's default."""

    __tablename__ = "protect_configurations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        Index("ux_protect_configurations_default", "tenant_id", unique=True, postgresql_where=_ONE_DEFAULT),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    locked: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether only the operator may change it, its overrides included."""
    rules: Mapped[Json] = mapped_column(server_default="{}")
    """`{channel: {country: ALLOW | BLOCK | MONITOR | FILTER}}`; what is not named follows the allowlist."""
    version: Mapped[int] = mapped_column(server_default="1")
    """Grows with every change that AWS must see, those of its overrides included."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class ProtectOverride(Base):
    """A number that a configuration treats otherwise than its country, for good or until an instant."""

    __tablename__ = "protect_overrides"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "configuration_id"],
            ["protect_configurations.tenant_id", "protect_configurations.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("action IN ('ALWAYS_ALLOW', 'ALWAYS_BLOCK')", name="action"),
        Index("ix_protect_overrides_updated_at", "updated_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    configuration_id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_hash: Mapped[bytes] = mapped_column(primary_key=True)
    number_sealed: Mapped[Sealed]
    country: Mapped[str]
    action: Mapped[str]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class ProtectAssociation(Base):
    """The configuration of a tenant's configuration set in one AWS account."""

    __tablename__ = "protect_associations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "configuration_id"],
            ["protect_configurations.tenant_id", "protect_configurations.id"],
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    configuration_id: Mapped[UUID]


class AccountProtectConfiguration(Base):
    """The operator's: one is the default of every send whose tenant has none."""

    __tablename__ = "account_protect_configurations"
    __table_args__ = (
        Index(
            "ux_account_protect_configurations_default",
            "is_default",
            unique=True,
            postgresql_where=_ONE_DEFAULT,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    rules: Mapped[Json] = mapped_column(server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class ProtectLink(Base):
    """
    What stands at AWS for a configuration, the tenant's or the operator's, in one account.

    It outlives the configuration until AWS's copy is deleted, too.
    """

    __tablename__ = "protect_links"
    __table_args__ = (CheckConstraint("state IN ('own', 'shared', 'leaving')", name="state"),)

    configuration_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    aws_id: Mapped[str | None]
    """AWS's `protect-…`; None where the account's quota left none to have."""
    state: Mapped[str]
    synced_version: Mapped[int] = mapped_column(server_default="0")
    """The configuration's version that AWS has in full."""
    drift: Mapped[JsonList] = mapped_column(server_default="[]")
    """What somebody else changed at AWS, as found by the last look; put right by the same look."""
    fault: Mapped[str | None]
    """What AWS said to the last try, where it refused."""
    checked_at: Mapped[datetime | None]


class ProtectFinding(Base):
    """A message that AWS blocked, or said it would have blocked."""

    __tablename__ = "protect_findings"
    __table_args__ = (
        CheckConstraint("kind IN ('blocked', 'recommended')", name="kind"),
        Index("ix_protect_findings_at", "tenant_id", "at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    configuration_id: Mapped[UUID | None]
    channel: Mapped[str]
    country: Mapped[str]
    reason: Mapped[str | None]
    """AWS's `blockReason`, such as AIT_SUSPECTED."""
    false_positive: Mapped[bool] = mapped_column(server_default=text("false"))
    """What the tenant says of it."""
    at: Mapped[Instant]


class ProtectRefusals(Base):
    """How many sends the gateway's own protect gate refused, by UTC day."""

    __tablename__ = "protect_refusals"
    __table_args__ = (
        CheckConstraint(_CHANNELS, name="channel"),
        CheckConstraint("rule IN ('country_rule', 'number_override')", name="rule"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    configuration_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[Amount]
