"""A message as the contract shows it to its tenant."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, field

from gateway.messages.content import Media, Speech, from_column
from tenants.credits.money import format_usd
from tenants.ids import encode


class StatusReason(Struct, frozen=True, kw_only=True):
    """Why a message is where it is."""

    code: str
    detail: str


class PriceView(Struct, frozen=True, kw_only=True):
    """Decimal strings in `currency`, or `credits` for tenants that pay in credits."""

    estimated: str | None
    final: str | None
    currency: str
    credits: int | None


class ProviderView(Struct, frozen=True, kw_only=True):
    """What AWS said."""

    message_id: str | None
    account: str | None
    region: str | None
    status: str | None
    parts: int | None = None
    """Message parts that AWS counted and charges for; null until an event names them."""
    encoding: str | None = None
    """In which AWS sent the text: `GSM` or `UNICODE`; null until an event names it."""


NOT_ASKED: Final = ProviderView(message_id=None, account=None, region=None, status=None)
"""Of a message that AWS has not heard of yet."""


class MessageTemplate(Struct, frozen=True, kw_only=True):
    """The template version that gave the body."""

    id: str
    version: int


class MediaView(Struct, frozen=True, kw_only=True):
    """The file of an MMS."""

    id: str
    content_type: str


class VoiceView(Struct, frozen=True, kw_only=True):
    """How a call reads its body."""

    id: str
    text_type: str


class MessageView(Struct, frozen=True, kw_only=True):
    """The contract's Message; times are RFC 3339 in UTC with milliseconds."""

    id: str
    status: str
    status_reason: StatusReason | None
    to: str
    country: str
    carrier: str | None
    from_: str = field(name="from")
    channel: str
    type: str
    body: str | None
    media: tuple[MediaView, ...]
    """The file of an MMS; empty for everything else."""
    voice: VoiceView | None
    """Null for everything but calls."""
    template: MessageTemplate | None
    encoding: str
    parts: int
    """What is charged for: message parts of an SMS, 1 for an MMS, the minutes held for a call."""
    price: PriceView
    estimated_dispatch_at: str | None
    created_at: str
    send_at: str | None
    dispatched_at: str | None
    final_at: str | None
    expires_at: str
    attempts: int
    context: dict[str, str]
    client_reference: str | None
    feedback: str | None
    provider: ProviderView
    resend_of_unknown: bool
    test: bool


class MessageEventView(Struct, frozen=True, kw_only=True):
    """One step of a message's history: ours (`message.queued`, …) or AWS's (`TEXT_DELIVERED`, …)."""

    id: str | None
    type: str
    source: str
    """`tollgate` or `aws`."""
    at: str
    sequence: int | None
    detail: dict[str, Any]


def timestamp(value: datetime | None) -> str | None:
    """Return an aware instant as RFC 3339 in UTC with milliseconds, or None."""
    if value is None:
        return None
    since = value - _EPOCH
    return f"{_second(since.days, since.seconds)}.{since.microseconds // 1000:03}Z"


def timestamp_of_ms(unix_ms: int) -> str:
    """Return Unix milliseconds in the same form."""
    return timestamp(datetime.fromtimestamp(unix_ms / 1000, UTC)) or ""


@lru_cache(maxsize=1024)
def _second(days: int, seconds: int) -> str:
    """Return one second after 1970; what is answered within it begins alike."""
    return (_EPOCH + timedelta(days, seconds)).isoformat()[:_WITHOUT_OFFSET]


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WITHOUT_OFFSET: Final = len("2026-01-31T09:00:00")


@lru_cache(maxsize=1024)
def price_view(*, unit: str, estimated: int, final: int | None) -> PriceView:
    """Return the price of a message in the unit its tenant pays in."""
    if unit == "credits":
        spent = estimated if final is None else final
        return PriceView(estimated=None, final=None, currency="USD", credits=spent)
    return PriceView(
        estimated=format_usd(estimated),
        final=None if final is None else format_usd(final),
        currency="USD",
        credits=None,
    )


def media_view(content: dict[str, Any] | None) -> tuple[MediaView, ...]:
    """Return the file of an MMS, or nothing."""
    found = from_column(content)
    return (MediaView(id=found.id, content_type=found.content_type),) if isinstance(found, Media) else ()


def voice_view(content: dict[str, Any] | None) -> VoiceView | None:
    """Return how a call reads its body, or None for what is no call."""
    found = from_column(content)
    return VoiceView(id=found.voice_id, text_type=found.text_type) if isinstance(found, Speech) else None


def template_view(template_id: UUID | None, version: int | None) -> MessageTemplate | None:
    """Return the reference to the template version, or None for free text."""
    if template_id is None or version is None:
        return None
    return MessageTemplate(id=encode("tpl", template_id), version=version)


def reason_view(code: str | None, detail: str | None) -> StatusReason | None:
    """Return the reason of a status, or None where it speaks for itself."""
    return None if code is None else StatusReason(code=code, detail=detail or "")
