"""The records of registrations: forms, their versions, fields, attachments and associations."""

import msgspec

from gateway.emulator.state.records import Record


class FieldValue(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was filled into one field of a form, and what the reviewer said about it."""

    text: str | None = None
    choices: list[str] | None = None
    attachment_id: str | None = None
    denied_reason: str | None = None
    feedback: str | None = None


class DeniedReason(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a whole version was denied."""

    reason: str
    short: str
    long: str | None = None


class Version(msgspec.Struct, kw_only=True):
    """One filling of a form."""

    number: int
    status: str
    history_s: dict[str, float]
    """Status -> when it was entered."""
    fields: dict[str, FieldValue] = {}
    denied: list[DeniedReason] = []
    feedback: str | None = None


class Registration(Record):
    """An application to a regulator or carrier for one use."""

    id: str
    type: str
    status: str
    created_s: float
    versions: list[Version]
    """Oldest first; the last one is current."""
    associations: list[str] = msgspec.field(default_factory=list)
    """Keys of phone numbers and sender ids, and ids of registrations."""
    next_step_ms: float = 0.0
    """When the review moves on by itself; 0 is never."""

    @property
    def key(self) -> str:
        """The registration's id."""
        return self.id


class Attachment(Record):
    """A document that a form refers to."""

    id: str
    status: str
    created_s: float
    url: str | None = None
    size_bytes: int = 0

    @property
    def key(self) -> str:
        """The attachment's id."""
        return self.id
