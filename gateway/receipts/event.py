"""
What AWS says happened, read from any of its roads into one struct.

The roads carry the same JSON object: as text in an SNS `Message`, as a Firehose record, or as the `detail`
of an EventBridge event. AWS's field list is documented by example only, so reading is tolerant: the few
fields a receipt is useless without (id, status, time) must be right, any other that makes no sense becomes
None and is named in `doubts`. Nothing here raises: a receipt is authentic input, and one odd record must
not stop a batch.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Literal, TypeGuard, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from gateway import ids
from gateway.carrier.ports import CONTEXT_ATTEMPT, CONTEXT_MESSAGE
from tenants.errors import InvalidId

MAX_EVENT_BYTES: Final = 256 * 1024
"""The most an SNS message can hold."""
MAX_PRICE_MICROS: Final = 50_000_000
"""
50 USD. One field table calls the unit thousandths of a cent, every example shows dollars; read in the wrong
unit the cheapest message ($0.0005 and up) would exceed this cap, so it is not believed.
"""
MAX_PARTS: Final = 255
MAX_CALL_S: Final = 86_400

_MAX_NAME: Final = 128
_MAX_TEXT: Final = 1024
_MAX_BODY: Final = 16 * 1024
_MAX_NUMBER_LITERAL: Final = 40
_MAX_CONTEXT: Final = 16
"""AWS allows 5 pairs; more is tolerated, a flood is not kept."""
_MAX_ATTEMPT_DIGITS: Final = 4
_FIRST_MS: Final = 1_420_070_400_000
"""2015-01-01: an earlier instant is a wrong unit; seconds taken for milliseconds land in 1970."""
_LAST_MS: Final = 4_102_444_800_000
"""2100-01-01."""
_KNOWN_PRICES: Final = 1024
"""Numbers that are not read anew each time: events repeat a few prices."""
_KNOWN_NAMES: Final = 256
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROS: Final = 1_000_000

Channel = Literal["text", "media", "voice", "other"]
Encoding = Literal["GSM", "UNICODE"]
UnreadableReason = Literal["too_long", "not_json", "shape", "message_id", "status", "timestamp", "number"]

_CHANNELS: Final[dict[str, Channel]] = {"TEXT": "text", "MEDIA": "media", "VOICE": "voice"}
_EVENT_TYPE: Final = re.compile(r"([A-Z]{3,16})_([A-Z][A-Z_]{1,63})")
_LONGEST_NAME: Final = 16 + 1 + 64
"""What an event type may have."""
_STATUS: Final = re.compile(r"[A-Z][A-Z_]{1,63}")
_PREFIX: Final = re.compile(r"(?:TEXT|MEDIA|VOICE)_(?=[A-Z])")
_WORD: Final = re.compile(r"[A-Z][A-Z_]{0,63}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_MCC: Final = re.compile(r"[0-9]{3}")
_MNC: Final = re.compile(r"[0-9]{2,3}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUL_ESCAPE: Final = b"\\u0000"
_REPLACEMENT_ESCAPE: Final = b"\\ufffd"

_JsonObject = dict[str, object]
_Value = TypeVar("_Value")


class Receipt(Struct, frozen=True, kw_only=True, tag="receipt"):
    """One delivery event. It satisfies `gateway.messages.status.Reported`."""

    event_key: bytes
    """SHA-256 of `raw`: equal for two copies of one event, whatever road they took."""
    raw: bytes
    """The event as canonical JSON (sorted keys, no spaces), safe for a jsonb column."""
    event_type: str
    """As AWS wrote it, such as `TEXT_DELIVERED`; empty if the road leaves it out."""
    channel: Channel
    status: str
    """Without its channel, such as `DELIVERED`; taken from `messageStatus`, else from the event type."""
    at: datetime
    """When AWS reported it, to the millisecond."""
    is_final: bool
    """AWS's word; never treated as an end (a final SUCCESSFUL can be followed by DELIVERED)."""
    provider_message_id: str
    message_id: UUID | None
    """Our message, from the context; None if absent or malformed."""
    attempt: int | None
    """Our attempt, counting from 1, from the context."""
    context: dict[str, str]
    origination: str | None
    """A number, short code or sender id."""
    destination: str | None
    """EventBridge leaves it out."""
    country: str | None
    carrier: str | None
    mcc: str | None
    mnc: str | None
    encoding: Encoding | None
    parts: int | None
    price_micros: int | None
    """For the whole message, carrier fee excluded; None when absent or not believed."""
    carrier_fee_micros: int | None
    description: str | None
    requested_at: datetime | None
    call_duration_s: int | None
    protect: "ProtectAssessment | None" = None
    """What AWS's own protection made of it, where a configuration applied."""
    doubts: tuple[str, ...]
    """AWS's names of fields that were present and not believed."""
    owner: UUID | None = None
    """The tenant in whose own AWS account it was published, whose messages alone it moves; else None."""


class ProtectAssessment(Struct, frozen=True, kw_only=True):
    """What a protect configuration at AWS said of a message."""

    status: str | None
    """The country's rule: ALLOW, BLOCK, MONITOR or FILTER."""
    recommendation: str | None
    """Of MONITOR and FILTER: ALLOW, or BLOCK where AWS takes the message for pumping."""
    reason: str | None
    """Such as AIT_SUSPECTED."""


class InboundText(Struct, frozen=True, kw_only=True, tag="inbound"):
    """A person wrote to one of our numbers."""

    event_key: bytes
    raw: bytes
    inbound_message_id: str
    """Unique per text, so it removes duplicates."""
    origination: str
    """Who wrote."""
    destination: str
    """Our number."""
    keyword: str | None
    """The keyword AWS matched, as sent."""
    body: str
    previous_provider_message_id: str | None
    """The last message we sent to that person, if AWS knows one."""


class Unreadable(Struct, frozen=True, kw_only=True, tag="unreadable"):
    """Authentic, but neither a receipt nor an inbound text: quarantine it and answer 2xx."""

    reason: UnreadableReason
    detail: str


class _FieldError(Exception):
    """A field without which the event is useless is absent or wrong."""

    def __init__(self, reason: UnreadableReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: UnreadableReason = reason
        self.detail = detail


def parse(message: str | bytes) -> Receipt | InboundText | Unreadable:
    """Return the event in one record of any road; never raises, whatever the input."""
    try:
        record = _unwrapped(_decoded(message))
        if "inboundMessageId" in record:
            return _inbound(record)
        return _receipt(record)
    except _FieldError as error:
        return Unreadable(reason=error.reason, detail=error.detail)


def stored_status(event_type: str, message_status: str | None) -> str:
    """Return the status of a stored event, of which `event_type` is the status where it had no type."""
    try:
        return _named(event_type, message_status)[2]
    except _FieldError:
        return event_type


def _decoded(message: str | bytes) -> _JsonObject:
    try:
        data = message.encode("utf-8") if isinstance(message, str) else message
        if len(data) > MAX_EVENT_BYTES:
            raise _FieldError("too_long", f"{len(data)} bytes, at most {MAX_EVENT_BYTES}")
        # Postgres holds U+0000 neither as text nor in jsonb: one such event would fail its whole batch.
        value: object = _DECODER.decode(data.replace(_NUL_ESCAPE, _REPLACEMENT_ESCAPE))
    except (ValueError, RecursionError) as error:
        raise _FieldError("not_json", str(error)[:_MAX_TEXT]) from error
    if not _is_object(value):
        raise _FieldError("shape", "not a JSON object")
    return value


@lru_cache(maxsize=_KNOWN_PRICES)
def _number(literal: str) -> Decimal:
    """Bound what a JSON number may cost: `1e999999999` is short to write and long to print."""
    if len(literal) > _MAX_NUMBER_LITERAL:
        raise ValueError("a number is too long")
    try:
        number = Decimal(literal)
    except InvalidOperation as error:  # an exponent beyond what Decimal can hold; it is no ValueError
        raise ValueError("a number is out of range") from error
    if number and abs(number.adjusted()) > _MAX_NUMBER_LITERAL:
        raise ValueError("a number is out of range")
    return number


_DECODER: Final = msgspec.json.Decoder(float_hook=_number)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def _is_object(value: object) -> TypeGuard[_JsonObject]:
    return isinstance(value, dict)


def _unwrapped(record: _JsonObject) -> _JsonObject:
    """EventBridge wraps the same object and calls it `detail`."""
    detail = record.get("detail")
    return detail if "detail-type" in record and _is_object(detail) else record


def _canonical(record: _JsonObject) -> tuple[bytes, bytes]:
    try:
        raw = _ENCODER.encode(record)
    except (ValueError, RecursionError) as error:
        raise _FieldError("not_json", str(error)[:_MAX_TEXT]) from error
    return raw, hashlib.sha256(raw).digest()


def _receipt(record: _JsonObject) -> Receipt:
    provider_message_id = _required(record, "messageId", "message_id")
    event_type, channel, status = _status(record)
    at = _instant(record.get("eventTimestamp"))
    if at is None:
        raise _FieldError("timestamp", "eventTimestamp is not in milliseconds since 1970, from 2015 to 2100")
    context = _context(record.get("context"))
    fields = _Reader(record)
    raw, event_key = _canonical(record)
    return Receipt(
        event_key=event_key,
        raw=raw,
        event_type=event_type,
        channel=channel,
        status=status,
        at=at,
        is_final=record.get("isFinal") is True,
        provider_message_id=provider_message_id,
        message_id=_our_message(context.get(CONTEXT_MESSAGE)),
        attempt=_our_attempt(context.get(CONTEXT_ATTEMPT)),
        context=context,
        origination=fields.read("originationPhoneNumber", _name),
        destination=fields.read("destinationPhoneNumber", _name),
        country=fields.read("isoCountryCode", _country),
        carrier=fields.read("carrierName", _name),
        mcc=fields.read("mcc", _mcc),
        mnc=fields.read("mnc", _mnc),
        encoding=fields.read("messageEncoding", _encoding),
        parts=fields.read("totalMessageParts", _parts),
        price_micros=fields.read("totalMessagePrice", _micros),
        carrier_fee_micros=fields.read("totalCarrierFee", _micros),
        description=fields.read("messageStatusDescription", _text),
        requested_at=fields.read("messageRequestTimestamp", _instant),
        call_duration_s=fields.read("callDurationInSeconds", _duration_s),
        protect=_protect(record),
        doubts=tuple(fields.doubts),
    )


def _inbound(record: _JsonObject) -> InboundText:
    body = record.get("messageBody")
    if not isinstance(body, str) or len(body) > _MAX_BODY:
        raise _FieldError("shape", f"messageBody is not a text of at most {_MAX_BODY} characters")
    raw, event_key = _canonical(record)
    return InboundText(
        event_key=event_key,
        raw=raw,
        inbound_message_id=_required(record, "inboundMessageId", "message_id"),
        origination=_required(record, "originationNumber", "number"),
        destination=_required(record, "destinationNumber", "number"),
        keyword=_name(record.get("messageKeyword")),
        body=body,
        previous_provider_message_id=_name(record.get("previousPublishedMessageId")),
    )


class _Reader:
    """Reads optional fields and remembers those that were there and made no sense."""

    def __init__(self, record: _JsonObject) -> None:
        self._record = record
        self.doubts: list[str] = []

    def read(self, name: str, form: Callable[[object], _Value | None]) -> _Value | None:
        value = self._record.get(name)
        if value is None:
            return None
        read = form(value)
        if read is None:
            self.doubts.append(name)
        return read


def _required(record: _JsonObject, name: str, reason: UnreadableReason) -> str:
    value = _name(record.get(name))
    if value is None:
        raise _FieldError(reason, f"{name} is not a text of 1 to {_MAX_NAME} characters")
    return value


def _status(record: _JsonObject) -> tuple[str, Channel, str]:
    return _named(_name_in(record, "eventType"), _name_in(record, "messageStatus"))


def _name_in(record: _JsonObject, member: str) -> str | None:
    """Return a name, if it can be one: what is longer is none, and not worth being remembered."""
    value = record.get(member)
    return value if isinstance(value, str) and len(value) <= _LONGEST_NAME else None


@lru_cache(maxsize=_KNOWN_NAMES)
def _named(event_type: str | None, status: str | None) -> tuple[str, Channel, str]:
    typed = None if event_type is None else _EVENT_TYPE.fullmatch(event_type)
    channel = _CHANNELS.get(typed[1], "other") if typed is not None else "other"
    if status is not None and _STATUS.fullmatch(status):
        return (typed[0] if typed is not None else ""), channel, _PREFIX.sub("", status, count=1)
    if typed is not None:
        return typed[0], channel, typed[2]
    raise _FieldError("status", "neither messageStatus nor eventType names a status")


def _context(value: object) -> dict[str, str]:
    if not _is_object(value):
        return {}
    pairs = [(name, text) for name, text in value.items() if isinstance(text, str)]
    return dict(sorted(pairs)[:_MAX_CONTEXT])


def _protect(record: _JsonObject) -> ProtectAssessment | None:
    applied, assessed = record.get("protectConfiguration"), record.get("protectConfigurationAssessment")
    if not _is_object(applied) and not _is_object(assessed):
        return None
    rule = applied if _is_object(applied) else {}
    said = assessed if _is_object(assessed) else {}
    insights = said.get("protectInsights")
    return ProtectAssessment(
        status=_matching(rule.get("protectStatus"), _WORD),
        recommendation=_matching(said.get("protectRecommendation"), _WORD),
        reason=_matching(insights.get("blockReason"), _WORD) if _is_object(insights) else None,
    )


def _our_message(text: str | None) -> UUID | None:
    """The public form is what we send; the bare UUID is what a person pastes."""
    if text is None:
        return None
    try:
        return ids.decode("msg", text)
    except InvalidId:
        return UUID(text) if _UUID.fullmatch(text) else None


def _our_attempt(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= _MAX_ATTEMPT_DIGITS):
        return None
    return int(text) or None


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int) or not _FIRST_MS <= value < _LAST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=value)


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    """JSON's true and false are integers to Python."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _micros(value: object) -> int | None:
    """Dollars to micro-dollars: read exactly, rounded half to even where AWS gives more than six places."""
    return _micros_of(value) if _is_number(value) else None


@lru_cache(maxsize=_KNOWN_PRICES)
def _micros_of(value: int | Decimal) -> int | None:
    if not 0 <= value <= MAX_PRICE_MICROS // _MICROS:
        return None
    return int((Decimal(value) * _MICROS).to_integral_value(ROUND_HALF_EVEN))


def _parts(value: object) -> int | None:
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_PARTS else None
    )


def _duration_s(value: object) -> int | None:
    return int(value) if _is_number(value) and 0 <= value <= MAX_CALL_S else None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME else None


def _text(value: object) -> str | None:
    return value[:_MAX_TEXT] if isinstance(value, str) else None


def _encoding(value: object) -> Encoding | None:
    if value == "GSM":
        return "GSM"
    return "UNICODE" if value == "UNICODE" else None


def _country(value: object) -> str | None:
    return _matching(value, _COUNTRY)


def _mcc(value: object) -> str | None:
    return _matching(value, _MCC)


def _mnc(value: object) -> str | None:
    return _matching(value, _MNC)


def _matching(value: object, form: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) else None
