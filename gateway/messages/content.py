"""What an MMS or a call has beside its body, as it stands in `messages.content`."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

TextType = Literal["text", "ssml"]


class Media(Struct, frozen=True, kw_only=True, tag="media"):
    """The file of an MMS."""

    id: str
    """`med_…`."""
    content_type: str
    staged: dict[str, str]
    """`s3://` address by the AWS account (UUID as text) in which it lies; empty for a test message."""

    def at(self, account_id: UUID) -> str | None:
        """Return the address in an account, or None where it does not lie there."""
        return self.staged.get(str(account_id))


class Speech(Struct, frozen=True, kw_only=True, tag="speech"):
    """How the body of a call is read out."""

    voice_id: str
    """One of Amazon Polly's, in upper case."""
    text_type: TextType


Content = Media | Speech


def to_column(content: Content | None) -> dict[str, Any] | None:
    """Return the value of the jsonb column."""
    return None if content is None else msgspec.to_builtins(content)


def from_column(value: dict[str, Any] | None) -> Content | None:
    """Return what the jsonb column says."""
    return None if value is None else msgspec.convert(value, Media | Speech)
