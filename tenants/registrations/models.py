"""Tables of registrations, their versions, their history and their attachments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant, Json, JsonList, Texts

_STATUSES = (
    "'draft', 'preparing', 'ready', 'submitting', 'submitted', 'aws_reviewing', 'reviewing', "
    "'requires_authentication', 'provisioning', 'complete', 'requires_updates', 'closed', 'deleted'"
)


class StoredForm(Base):
    """A form as AWS described it, or under the type `*` the list of types; every tenant reads the same."""

    __tablename__ = "registration_forms"

    type: Mapped[str] = mapped_column(primary_key=True)
    definition: Mapped[Json]
    fetched_at: Mapped[Instant]


class Registration(Base):
    """An application of a tenant to carriers, and how far it is."""

    __tablename__ = "registrations"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        CheckConstraint("goal IN ('review', 'submit')", name="goal"),
        ForeignKeyConstraint(["tenant_id", "parent_id"], ["registrations.tenant_id", "registrations.id"]),
        Index("ix_registrations_reference", "tenant_id", "reference", unique=True),
        Index("ix_registrations_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    """AWS's RegistrationType."""
    name: Mapped[str]
    """The tenant's own name for it."""
    reference: Mapped[str | None]
    """What an import calls its row; unique for the tenant, so that a second run makes nothing twice."""
    status: Mapped[str] = mapped_column(server_default="draft")
    goal: Mapped[str] = mapped_column(server_default="review")
    """How far the gateway may go by itself."""
    version: Mapped[int] = mapped_column(server_default="1")
    account_id: Mapped[UUID | None]
    """The AWS account in which it is; fixed with the first step."""
    aws_id: Mapped[str | None]
    aws_arn: Mapped[str | None]
    aws_status: Mapped[str | None]
    parent_id: Mapped[UUID | None]
    """The brand of a campaign or vetting."""
    number_terms: Mapped[Json] = mapped_column(server_default="{}")
    """`message_type`, `international` of the number to request."""
    number_id: Mapped[str | None]
    number_arn: Mapped[str | None]
    number: Mapped[str | None]
    number_price: Mapped[str | None]
    """Dollars a month, as AWS said when it gave the number."""
    associated: Mapped[JsonList] = mapped_column(server_default=text("'[]'"))
    cost_confirmed_at: Mapped[datetime | None]
    cost_confirmed_by: Mapped[str | None]
    begun: Mapped[str | None]
    """The step whose call was begun and whose answer was not stored yet."""
    fault: Mapped[Json | None]
    """What AWS said no to: `step`, `code`, `detail`."""
    tries: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime | None]
    """When the gateway works on it next; None for never by itself."""
    submitted_at: Mapped[datetime | None]
    stale_told_at: Mapped[datetime | None]
    changed_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    created_by: Mapped[str]
    """Who opened it: a key's id, or `operator` on behalf of the tenant."""


class RegistrationVersion(Base):
    """One filling of the form; read-only once submitted."""

    __tablename__ = "registration_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "registration_id"], ["registrations.tenant_id", "registrations.id"]
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(server_default="draft")
    aws_version: Mapped[int | None]
    filled: Mapped[Json] = mapped_column(server_default="{}")
    """Values by field path: a text, a list of choices, or an `att_…`."""
    put: Mapped[Json] = mapped_column(server_default="{}")
    """What of them was put at AWS, in the same form."""
    denials: Mapped[JsonList] = mapped_column(server_default=text("'[]'"))
    feedback: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]


class RegistrationMove(Base):
    """A change of state; rows are added and never changed."""

    __tablename__ = "registration_moves"
    __table_args__ = (Index("ix_registration_moves_registration_id", "tenant_id", "registration_id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID]
    version: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]
    by: Mapped[str]
    """A key's id, `operator`, `gateway` or `aws`."""
    at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class RegistrationAttachment(Base):
    """A document or picture for forms, as it was written anew."""

    __tablename__ = "registration_attachments"
    __table_args__ = (
        Index("ix_registration_attachments_sha256", "tenant_id", "sha256"),
        Index("ix_registration_attachments_plain", "tenant_id", "id", postgresql_where=text("NOT sealed")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes]
    """Of the file before it was sealed."""
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """To be read by `sealed_files.opened`."""
    sealed: Mapped[bool] = mapped_column(server_default="false")
    """False for what was kept before attachments were sealed, until the scheduler has sealed it."""
    aws_ids: Mapped[Json] = mapped_column(server_default="{}")
    """AWS account id -> RegistrationAttachmentId."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class BulkSenderId(Base):
    """A sender id that was asked for in one country, and what became of it."""

    __tablename__ = "bulk_sender_ids"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'created', 'adopted', 'registration_required', 'failed')", name="state"
        ),
        Index("ix_bulk_sender_ids_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    """The sender id as it was asked for; AWS may keep it in capitals."""
    country: Mapped[str] = mapped_column(primary_key=True)
    message_types: Mapped[Texts]
    """The gateway's types that it is to carry."""
    state: Mapped[str]
    arn: Mapped[str | None]
    monthly_usd: Mapped[str | None]
    """Dollars a month, as AWS said."""
    code: Mapped[str | None]
    """Why it failed: AWS's reason, or a rule's name."""
    detail: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    """How often AWS was busy or away."""
    due_at: Mapped[datetime | None]
    """When AWS is asked next; None once it is settled."""
    asked_at: Mapped[Instant]
    settled_at: Mapped[datetime | None]
