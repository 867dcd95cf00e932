"""Tables of the roads by which AWS's events come in; what came is in `gateway.messages.models`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base, Instant


class ReceiptQueue(Base):
    """An SQS queue that the receipts role reads, with the credentials of its account."""

    __tablename__ = "receipt_queues"
    __table_args__ = (ForeignKeyConstraint(["account_id"], ["aws_accounts.id"]),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    url: Mapped[str] = mapped_column(unique=True)
    """As SQS gives it; its origin is where the calls go."""
    signed_only: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a body without SNS's signature is refused: for a queue to which others may write, too."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class Sweep(Base):
    """How far a sweep has come that looks at everything once, by the instants of what it looks at."""

    __tablename__ = "sweeps"

    name: Mapped[str] = mapped_column(primary_key=True)
    reached: Mapped[Instant]


class FirehoseKey(Base):
    """An access key that an account's Firehose streams present; only the HMAC of its secret is stored."""

    __tablename__ = "firehose_keys"
    __table_args__ = (ForeignKeyConstraint(["account_id"], ["aws_accounts.id"]),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    hint: Mapped[str]
    """The last characters, to tell one from another."""
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    revoked_at: Mapped[datetime | None]
