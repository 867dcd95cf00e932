"""Tables of routes, origination identities, pools and configuration sets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json, Texts


class AwsAccount(Base):
    """A route: one AWS account in one Region, with the request rate AWS allows it."""

    __tablename__ = "aws_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    region: Mapped[str]
    endpoint_url: Mapped[str | None]
    role_arn: Mapped[str | None]
    external_id: Mapped[str | None]
    sends_per_second: Mapped[float]
    """SendTextMessage requests per second of the account; AWS starts every account at 1."""
    media_per_second: Mapped[float] = mapped_column(server_default="1")
    """SendMediaMessage requests per second; AWS counts each action by itself."""
    voice_per_second: Mapped[float] = mapped_column(server_default="1")
    """SendVoiceMessage requests per second."""
    media_bucket: Mapped[str | None]
    """The S3 bucket of the same account and Region in which files for MMS are staged; None for none."""
    topic_arn: Mapped[str | None]
    """The SNS topic to which the account's events are published; the ingest allow-list."""
    subscription_arn: Mapped[str | None]
    shared_routes: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether its messages may leave by AWS's shared routes; the tenant's plan must say so, too."""
    sandbox: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the account is in AWS's sandbox, from which only verified numbers are reached."""
    owner_id: Mapped[UUID | None]
    """The tenant whose own account it is, and whom alone it carries; None for the operator's."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Sender(Base):
    """An origination identity that one tenant may use."""

    __tablename__ = "senders"
    __table_args__ = (
        UniqueConstraint("tenant_id", "arn"),
        CheckConstraint(
            "type IN ('SHORT_CODE', 'TEN_DLC', 'LONG_CODE', 'TOLL_FREE', 'SENDER_ID', 'SHARED', 'SIMULATOR')",
            name="type",
        ),
        CheckConstraint("state IN ('pending', 'active', 'standby', 'disabled', 'released')", name="state"),
        Index("ix_senders_value", "value", postgresql_where=text("state <> 'released'")),
        Index("ix_senders_arn", "arn"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    type: Mapped[str]
    value: Mapped[str]
    """What the phone shows: an E.164 number, a short code or a sender id."""
    country: Mapped[str]
    arn: Mapped[str]
    message_types: Mapped[Texts]
    parts_per_second: Mapped[float]
    state: Mapped[str] = mapped_column(server_default="active")
    """`standby` is ready at AWS and sends nothing until it takes the place of another."""
    channels: Mapped[Texts] = mapped_column(server_default="{sms}")
    """Of `sms`, `mms`, `voice`."""
    two_way: Mapped[bool] = mapped_column(server_default=text("false"))
    use_cases: Mapped[Texts] = mapped_column(server_default="{}")
    """Use cases it is registered for; empty where no registration names one."""
    allow_mixed: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the operator let it carry promotional messages beside others."""
    opt_out_list: Mapped[str | None]
    """AWS's list that its recipients stop on; None where unknown, or where it has none, as a sender id."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    released_at: Mapped[datetime | None]
    """Set by the database when its state becomes `released`; its lease ends that day."""
    let_go_at: Mapped[datetime | None]
    """When it was released before it was taken again, the last time; set by the database, as the next."""
    retaken_at: Mapped[datetime | None]
    """When it was; its lease begins anew that day."""
    identity: Mapped[UUID]
    """What its lanes and gates are named by, equal for all tenants that share it; set by the database."""


class TwoWaySettings(Base):
    """Who answers STOP and HELP on a number, and what a STOP there stops; without a row AWS answers."""

    __tablename__ = "two_way_settings"
    __table_args__ = (
        CheckConstraint("opt_outs IN ('managed', 'self_managed', 'carrier')", name="opt_outs"),
        CheckConstraint("stop_scope IN ('everything', 'use_case')", name="stop_scope"),
        ForeignKeyConstraint(["tenant_id", "sender_id"], ["senders.tenant_id", "senders.id"]),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID] = mapped_column(primary_key=True)
    opt_outs: Mapped[str]
    """`managed` by AWS, `self_managed` by the gateway, or by the `carrier` (every toll-free number)."""
    stop_scope: Mapped[str]
    """`everything` of the tenant, or the `use_case`: the message types that the number carries."""
    confirmed_by: Mapped[str | None]
    """Who took over the duty to answer and to honour opt-outs, where it is self-managed."""
    updated_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Pool(Base):
    """An ordered set of a tenant's senders; owns a dedicated AWS pool or none."""

    __tablename__ = "pools"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    account_id: Mapped[UUID]
    message_types: Mapped[Texts]
    """The gateway's types (otp, transactional, promotional) for which it is the default."""
    aws_pool_arn: Mapped[str | None]
    opt_out_list: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class PoolSender(Base):
    """Membership of a sender in a pool, in order."""

    __tablename__ = "pool_senders"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "pool_id"], ["pools.tenant_id", "pools.id"]),
        ForeignKeyConstraint(["tenant_id", "sender_id"], ["senders.tenant_id", "senders.id"]),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]


class TenantRoute(Base):
    """An account in a tenant's ordered list of routes; a tenant without any uses all of the operator's."""

    __tablename__ = "tenant_routes"
    __table_args__ = (ForeignKeyConstraint(["account_id"], ["aws_accounts.id"]),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]


class ConfigurationSet(Base):
    """The configuration set that a tenant's sends name."""

    __tablename__ = "configuration_sets"
    __table_args__ = (UniqueConstraint("tenant_id", "account_id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    name: Mapped[str]
    arn: Mapped[str]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Campaign(Base):
    """A 10DLC campaign, whose ceiling all of its numbers share."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("vetting_score BETWEEN 0 AND 100", name="vetting_score"),
        CheckConstraint("parts_per_second > 0", name="parts_per_second"),
        CheckConstraint("parts_per_day > 0", name="parts_per_day"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    """The Campaign Registry's, such as `C1A2B3C`."""
    brand_id: Mapped[str]
    vetting_score: Mapped[int | None]
    """The brand's, 0 to 100; None where vetting was skipped."""
    use_case: Mapped[str]
    parts_per_second: Mapped[float | None]
    """What the carriers granted otherwise than by the score."""
    parts_per_day: Mapped[int | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class SenderQuota(Base):
    """What differs from the facts for one sender."""

    __tablename__ = "sender_quotas"
    __table_args__ = (
        CheckConstraint("parts_per_second > 0", name="parts_per_second"),
        CheckConstraint("parts_per_day > 0", name="parts_per_day"),
        ForeignKeyConstraint(["tenant_id", "sender_id"], ["senders.tenant_id", "senders.id"]),
        ForeignKeyConstraint(["tenant_id", "campaign_id"], ["campaigns.tenant_id", "campaigns.campaign_id"]),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[str | None]
    parts_per_second: Mapped[float | None]
    country_parts_per_second: Mapped[Json] = mapped_column(server_default="{}")
    parts_per_day: Mapped[int | None]


class MpsIncrease(Base):
    """An increase that was asked for at AWS."""

    __tablename__ = "mps_increases"
    __table_args__ = (
        CheckConstraint("state IN ('requested', 'approved', 'denied')", name="state"),
        CheckConstraint("requested_parts_per_second > 0", name="requested_parts_per_second"),
        ForeignKeyConstraint(["tenant_id", "sender_id"], ["senders.tenant_id", "senders.id"]),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID]
    country: Mapped[str | None]
    """None for every country the sender serves."""
    requested_parts_per_second: Mapped[float]
    granted_parts_per_second: Mapped[float | None]
    state: Mapped[str] = mapped_column(server_default="requested")
    case_id: Mapped[str | None]
    """The support case at AWS."""
    note: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    decided_at: Mapped[Instant | None]
