"""The columns of a message that its view is made of, for where a mapped object would cost too much."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct


class MessageRow(Struct, frozen=True):
    """
    A message as `view_of` reads it; the names and types are those of `Message`.

    Rows are read in the order of the members: by name, making one takes many times as long.
    """

    id: UUID
    created_at: datetime
    test: bool
    status: str
    reason_code: str | None
    reason_detail: str | None
    channel: str
    type: str
    country: str
    to_sealed: bytes
    body_sealed: bytes | None
    template_id: UUID | None
    template_version: int | None
    encoding: str
    parts: int
    unit: str
    price_estimated: int
    price_final: int | None
    account_id: UUID | None
    sender_value: str
    sender_arn: str | None
    send_at: datetime | None
    estimated_dispatch_at: datetime | None
    expires_at: datetime
    dispatched_at: datetime | None
    final_at: datetime | None
    attempts: int
    content: dict[str, Any] | None
    context: dict[str, str] | None
    client_reference: str | None
    feedback: str | None
    provider_message_id: str | None
    provider_status: str | None
    provider_parts: int | None
    provider_encoding: str | None
    carrier: str | None
    resend_of_unknown: bool
    rulings: dict[str, Any] | None = None


ROW_COLUMNS: Final = ", ".join(MessageRow.__struct_fields__)
