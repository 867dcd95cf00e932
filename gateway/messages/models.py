"""
Tables of messages and of what is still to be done with them.

`messages` and `events` are partitioned by month. A message's partition follows from its own id (the
milliseconds of the UUIDv7 are its `created_at`), so a look-up by id touches one partition.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Amount, Base, Instant, Sealed

_STATUSES = (
    "'scheduled', 'queued', 'dispatching', 'sent', 'delivered', 'undelivered', "
    "'failed', 'expired', 'canceled', 'unknown'"
)


class Message(Base):
    """
    A text, MMS or call to one recipient, accept to final state. Amounts are in the tenant's `unit`.

    No index names what every message changes on its way (`status`, `provider_message_id`, …), so that these
    updates leave the indexes alone (docs/adr/0034).
    """

    __tablename__ = "messages"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id", "created_at"),
        Index("ix_messages_id", "id"),
        Index(
            "ix_messages_feedback",
            "tenant_id",
            "created_at",
            postgresql_where=text("feedback IS NOT NULL"),
        ),
        Index("ix_messages_recipient", "tenant_id", "recipient_hash", "id"),
        Index(
            "ix_messages_reason",
            "tenant_id",
            "reason_code",
            "id",
            postgresql_where=text("reason_code IS NOT NULL"),
        ),
        Index(
            "ix_messages_bad_end",
            "tenant_id",
            "bad_end",
            "id",
            postgresql_where=text("bad_end IS NOT NULL"),
        ),
        Index(
            "ix_messages_client_reference",
            "tenant_id",
            "client_reference",
            "id",
            postgresql_where=text("client_reference IS NOT NULL"),
        ),
        Index(
            "ix_messages_feedback_given",
            "created_at",
            postgresql_where=text("feedback IN ('received', 'failed')"),
        ),
        Index("ix_messages_feedback_pending", "created_at", postgresql_where=text("feedback = 'pending'")),
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        CheckConstraint("type IN ('otp', 'transactional', 'promotional')", name="type"),
        CheckConstraint("parts > 0", name="parts"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    created_at: Mapped[Instant]
    test: Mapped[bool]
    status: Mapped[str]
    bad_end: Mapped[str | None]
    """The status where it is a bad end, by which such messages are found; else None. Written by a trigger."""
    reason_code: Mapped[str | None]
    reason_detail: Mapped[str | None]
    channel: Mapped[str]
    type: Mapped[str]
    country: Mapped[str]
    recipient_hash: Mapped[bytes]
    to_sealed: Mapped[Sealed]
    body_sealed: Mapped[bytes | None]
    """None once the body has been purged."""
    template_id: Mapped[UUID | None]
    template_version: Mapped[int | None]
    encoding: Mapped[str]
    parts: Mapped[int] = mapped_column(SmallInteger)
    """What is charged for: message parts of an SMS, 1 for an MMS, the minutes held for a call."""
    unit: Mapped[str]
    price_estimated: Mapped[Amount]
    """What is held for it; the price is per message, parts included."""
    included: Mapped[int] = mapped_column(server_default="0")
    """Parts, or messages, that the tenant's bundle covers of it; `price_estimated` is for the rest."""
    price_final: Mapped[int | None] = mapped_column(BigInteger)
    """What the tenant has paid; None until the first settlement."""
    price_excess: Mapped[Amount] = mapped_column(server_default="0")
    """What the platform bore of it, because a late charge came when the tenant's credit was gone."""
    max_price_micros: Mapped[Amount]
    """Sent to AWS as MaxPrice, in micro-dollars."""
    cost_estimated: Mapped[Amount] = mapped_column(server_default="0")
    """What AWS was expected to charge when it was accepted, in micro-dollars."""
    account_id: Mapped[UUID | None]
    """The AWS account that carries it; None for the sandbox carrier."""
    sender_id: Mapped[UUID | None]
    sender_value: Mapped[str]
    sender_arn: Mapped[str | None]
    configuration_set: Mapped[str | None]
    protect_configuration_id: Mapped[UUID | None]
    """By which it was judged, the tenant's or the operator's; None for none."""
    send_at: Mapped[datetime | None]
    estimated_dispatch_at: Mapped[datetime | None]
    expires_at: Mapped[Instant]
    dispatched_at: Mapped[datetime | None]
    final_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    sequence: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    """Number of the last event told to the tenant about it."""
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What goes beside the body, as `gateway.messages.content` has it; None for every SMS."""
    call_seconds: Mapped[int | None]
    """How long the call lasted; None until AWS has said it, and for what is no call."""
    context: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    client_reference: Mapped[str | None]
    feedback: Mapped[str | None]
    """`pending`, `received` or `failed`; None where the send did not ask for any."""
    provider_message_id: Mapped[str | None]
    other_ids: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether AWS has named it by another id, too: then it became several texts, and costs all of them."""
    provider_status: Mapped[str | None]
    carrier: Mapped[str | None]
    mcc: Mapped[str | None]
    mnc: Mapped[str | None]
    provider_price_micros: Mapped[int | None] = mapped_column(BigInteger)
    provider_fee_micros: Mapped[int | None] = mapped_column(BigInteger)
    provider_parts: Mapped[int | None] = mapped_column(SmallInteger)
    """Message parts that AWS counted and charges for; the gateway's own count is `parts`."""
    provider_encoding: Mapped[str | None]
    """`GSM` or `UNICODE`, as AWS sent it."""
    cost_micros: Mapped[Amount] = mapped_column(server_default="0")
    """What AWS charged for it, fees and every attempt included, as the ledger has it."""
    cost_revision: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """How often that was booked."""
    receipt_rank: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    receipt_at: Mapped[datetime | None]
    receipt_name: Mapped[str | None]
    resend_of_unknown: Mapped[bool] = mapped_column(server_default=text("false"))
    rulings: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What the rules added at the accept (`gateway.messages.rulings`); None for nearly all."""


class QueuedMessage(Base):
    """
    A message that AWS has not yet answered for; small, and gone when the outcome is recorded.

    `state` is the truth of dispatch: Redis only says whose turn it is. Statements that name rows by their ids
    compare `state || ''`, so that they are never answered by the index of due times, and say
    `message_id = ANY` even where a join names them, lest a queue that looked empty is read whole
    (docs/adr/0025).
    """

    __tablename__ = "dispatch_queue"
    __table_args__ = (
        CheckConstraint(
            "state IN ('scheduled', 'queued', 'dispatching', 'unknown', 'quarantined')", name="state"
        ),
        Index(
            "ix_dispatch_queue_due_at",
            "due_at",
            postgresql_where=text("state <> 'queued'"),
        ),
    )

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    route: Mapped[str]
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime | None]
    """
    Scheduled: when to queue. Queued later than at the accept: when that was. Dispatching: when the lease
    ends. Unknown: when the policy decides. Quarantined: since when.
    """
    worker: Mapped[UUID | None]
    lane: Mapped[dict[str, object]] = mapped_column(JSONB)
    """The lane entry as pushed, so that Redis can be rebuilt from this table alone."""
    need: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    """What the request asked of its sender beyond country and type; None for nearly all."""
    trail: Mapped[list[dict[str, object]]] = mapped_column(JSONB, server_default="[]")
    """The senders it was moved away from, in order; no message goes to one of them again."""
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Attempts that the present sender's side did not take."""
    claims: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Claims in a row that ended without an outcome, as far as each was alone with its dispatcher."""
    waits_for: Mapped[str | None]
    """Why it was not sent when it was tried last; what the tenant is told if its life ends with it."""


class OutboxBatch(Base):
    """
    The messages of one accept commit, until they stand in their lanes.

    One row per commit, not per message: the process that committed deletes it after the push; the relay
    pushes what a dead process left behind.
    """

    __tablename__ = "outbox_batches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    message_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Base.type_annotation_map[UUID]))


class QuarantinedMessage(Base):
    """A message that was failed because it kept ending whoever held it; for the operator to look at."""

    __tablename__ = "quarantined_messages"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str]
    reason: Mapped[str]
    claims: Mapped[int] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    """Marks of it that may have become a text; above zero its status is `unknown`."""
    quarantined_at: Mapped[Instant]


class LiveDispatcher(Base):
    """One dispatcher of one route, as it last said that it lives."""

    __tablename__ = "dispatchers"
    __table_args__ = (CheckConstraint("mode IN ('lanes', 'static')", name="mode"),)

    route: Mapped[str] = mapped_column(primary_key=True)
    worker: Mapped[UUID] = mapped_column(primary_key=True)
    mode: Mapped[str]
    seen_at: Mapped[Instant]


class Event(Base):
    """One thing told to a tenant; the webhook body and the pull feed are made from it. Holds no number."""

    __tablename__ = "events"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id", "created_at"),
        Index("ix_events_message", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    created_at: Mapped[Instant]
    type: Mapped[str]
    message_id: Mapped[UUID | None]
    sequence: Mapped[int] = mapped_column(server_default="1")
    data: Mapped[dict[str, object]] = mapped_column(JSONB)


class FeedbackOrder(Base):
    """Feedback of which AWS is still to be told; gone when it has heard, or will not hear."""

    __tablename__ = "feedback_orders"
    __table_args__ = (
        CheckConstraint("status IN ('received', 'failed')", name="status"),
        Index("ix_feedback_orders_due_at", "due_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    """Which sent the message: no other account knows AWS's id of it."""
    provider_message_id: Mapped[str]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[Instant]
    closes_at: Mapped[Instant]
    """An hour after the message left; what comes later AWS does not count."""


class StoredReceipt(Base):
    """
    A delivery event as AWS sent it, less the numbers; append-only.

    Partitioned by its message's instant, so that the primary key makes an event unique for good.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "message_id", "event_key", "message_at"),
        {"postgresql_partition_by": "RANGE (message_at)"},
    )

    tenant_id: Mapped[UUID]
    message_id: Mapped[UUID]
    message_at: Mapped[Instant]
    event_key: Mapped[bytes]
    event_type: Mapped[str]
    event_at: Mapped[Instant]
    received_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    provider_message_id: Mapped[str | None]
    price_micros: Mapped[int | None] = mapped_column(BigInteger)
    """As far as believed, the carriers' fee excluded; in micro-dollars."""
    fee_micros: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, object]] = mapped_column(JSONB)


class ParkedReceipt(Base):
    """An authentic event that no message claims yet, or an inbound text, sealed under the operator's key."""

    __tablename__ = "parked_receipts"
    __table_args__ = (
        Index(
            "ix_parked_receipts_inbound",
            "received_at",
            postgresql_where=text("reason IN ('inbound', 'no_such_number')"),
        ),
        Index("ix_parked_receipts_reason", "reason", "received_at"),
    )

    event_key: Mapped[bytes] = mapped_column(primary_key=True)
    provider_message_id: Mapped[str | None] = mapped_column(index=True)
    reason: Mapped[str]
    body_sealed: Mapped[Sealed]
    received_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """How often an inbound text could not be taken in, or the operator had another event tried in vain."""
    owner_id: Mapped[UUID | None]
    """The tenant in whose own AWS account it was published, whom alone it may concern."""


class SandboxReceipt(Base):
    """An event that the sandbox carrier owes for a test message; survives a restart."""

    __tablename__ = "sandbox_receipts"
    __table_args__ = (
        PrimaryKeyConstraint("message_id", "ordinal"),
        Index("ix_sandbox_receipts_due_at", "due_at"),
    )

    message_id: Mapped[UUID]
    ordinal: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[Instant]
    event: Mapped[dict[str, object]] = mapped_column(JSONB)


class BodyPurge(Base):
    """Up to which message the texts have been looked through, of the OTPs and of the others."""

    __tablename__ = "body_purges"

    kind: Mapped[str] = mapped_column(primary_key=True)
    after_id: Mapped[UUID]


class LateBody(Base):
    """A message that was walked past with its text: scheduled ahead, or without a final state yet."""

    __tablename__ = "late_bodies"
    __table_args__ = (Index("ix_late_bodies_due_at", "kind", "due_at"),)

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_at: Mapped[Instant]
    kind: Mapped[str]
    due_at: Mapped[Instant]
    """When it is looked at again."""
