"""A dead letter as it is shown; apart from SQS, so that the web process can name it without the AWS SDK."""

from datetime import datetime

from msgspec import Struct


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that was received too often without being stored."""

    id: str
    """SQS's message id."""
    reason: str
    """Why the gateway would not take it now; `none` if it would, as after a correction."""
    sent_at: datetime
    receives: int
    size_bytes: int
    body_sha256: str
    excerpt: str
    """The first 200 characters, with every long number masked."""
