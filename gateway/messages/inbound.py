"""
Tables of texts that came in, and how one is shown.

A text is stored once, sealed like an outgoing one; its sender is found by keyed hash. What is to be answered
waits in `inbound_replies` until a message of it is accepted.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct, field
from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.messages.view import timestamp
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.tables import Base, Instant, Sealed, Texts


class InboundMessage(Base):
    """A text that a person sent to one of a tenant's numbers."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        CheckConstraint("action IN ('opt_out', 'opt_in', 'help', 'reply')", name="action"),
        CheckConstraint(
            "reply IN ('none', 'due', 'sent', 'refused', 'withheld', 'by_aws', 'by_carrier')", name="reply"
        ),
        Index("ix_inbound_messages_recipient", "tenant_id", "recipient_hash", "created_at"),
        Index("ix_inbound_messages_created_at", "created_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[Instant]
    """When it reached the gateway; AWS gives no instant of its own."""
    provider_message_id: Mapped[str]
    """AWS's `inboundMessageId`."""
    sender_id: Mapped[UUID]
    """The tenant's origination identity that was written to."""
    sender_value: Mapped[str]
    country: Mapped[str | None]
    """Of the person's number; None for what is no number, such as another short code."""
    recipient_hash: Mapped[bytes]
    """Of the person, as messages and opt-outs have it."""
    from_sealed: Mapped[Sealed]
    body_sealed: Mapped[bytes | None]
    """None once the text has been purged."""
    keyword: Mapped[str | None]
    """The keyword that it began with, in its plain form; None for any other text."""
    action: Mapped[str | None]
    lists: Mapped[Texts] = mapped_column(server_default="{}")
    """The opt-out lists that it put the person on or took the person off."""
    previous_message_id: Mapped[UUID | None]
    """The tenant's message that it follows, as far as AWS knows one."""
    reply: Mapped[str]
    """What became of the automatic reply; `none` where none was due."""
    reply_detail: Mapped[str | None]
    reply_at: Mapped[datetime | None]
    """When the reply is or was due."""
    reply_message_id: Mapped[UUID | None]


class InboundReply(Base):
    """An automatic reply that is still to be sent; gone when a message of it was accepted, or refused."""

    __tablename__ = "inbound_replies"
    __table_args__ = (
        CheckConstraint("kind IN ('stop', 'help', 'join', 'own')", name="kind"),
        Index("ix_inbound_replies_due_at", "due_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    inbound_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    lists: Mapped[Texts] = mapped_column(server_default="{}")
    """Lists that admission must know before the reply may leave."""
    text_sealed: Mapped[Sealed]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[Instant]
    closes_at: Mapped[Instant]
    """After this the reply would come out of the blue; it is not sent any more."""


class InboundSeen(Base):
    """An `inboundMessageId` that was taken in; outlives the text, so that no late copy counts as new."""

    __tablename__ = "inbound_seen"
    __table_args__ = (Index("ix_inbound_seen_seen_at", "seen_at"),)

    provider_message_id: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class InboundReplyView(Struct, frozen=True, kw_only=True):
    """What was answered."""

    state: str
    """
    `none`, `due`, `sent`, `refused` (the send was declined), `withheld` (too soon after another), `by_aws`
    or `by_carrier` (who answers there).
    """
    detail: str | None
    message_id: str | None


class InboundView(Struct, frozen=True, kw_only=True):
    """A text that came in, as its tenant sees it."""

    id: str
    from_: str = field(name="from")
    to: str
    sender: str
    """`idn_…`"""
    country: str | None
    body: str | None
    """Null once it has been purged."""
    keyword: str | None
    action: str | None
    """`opt_out`, `opt_in`, `help` or `reply`; null where no keyword was met."""
    lists: list[str]
    """Opt-out lists that it changed."""
    previous_message_id: str | None
    reply: InboundReplyView
    created_at: str


def text_context(inbound_id: UUID) -> bytes:
    """Return what binds a sealed text to its row."""
    return b"inbound-body:" + inbound_id.bytes


def person_context(inbound_id: UUID) -> bytes:
    """Return what binds a sealed number to its row."""
    return b"inbound-from:" + inbound_id.bytes


def reply_context(inbound_id: UUID) -> bytes:
    """Return what binds a sealed reply to the text it answers."""
    return b"inbound-reply:" + inbound_id.bytes


def inbound_view(row: InboundMessage, key: DataKey) -> InboundView:
    """Return a text with what is sealed opened."""
    body = None if row.body_sealed is None else key.open(row.body_sealed, context=text_context(row.id))
    return InboundView(
        id=encode("inb", row.id),
        from_=key.open(row.from_sealed, context=person_context(row.id)).decode(),
        to=row.sender_value,
        sender=encode("idn", row.sender_id),
        country=row.country,
        body=None if body is None else body.decode(),
        keyword=row.keyword,
        action=row.action,
        lists=list(row.lists),
        previous_message_id=None
        if row.previous_message_id is None
        else encode("msg", row.previous_message_id),
        reply=InboundReplyView(
            state=row.reply,
            detail=row.reply_detail,
            message_id=None if row.reply_message_id is None else encode("msg", row.reply_message_id),
        ),
        created_at=timestamp(row.created_at) or "",
    )


def told_of(row: InboundMessage, key: DataKey) -> Mapping[str, object]:
    """Return what the event of a text says: the text as it came, without what became of a reply since."""
    view: dict[str, object] = msgspec.to_builtins(inbound_view(row, key))
    view.pop("reply")
    return view
