"""
The body that SNS posts to an HTTPS subscription, read strictly.

Only what the signature covers is kept, with the three fields needed to check it. MessageAttributes and
UnsubscribeURL are unsigned, so they are never read; neither is a field this page does not name.

A body with a repeated key is refused: two readers may disagree about which value counts, and a signature
checked over one must not vouch for the other.
"""

import json
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAX_BODY_BYTES = 512 * 1024
"""SNS carries 256 KiB of message; JSON escapes can double that."""

_ONE_LINE = r"^[^\r\n\x00]+\Z"
"""No line break: the string to sign separates fields with one, so a field with one could pose as two."""

_Id = Annotated[str, Meta(max_length=128, pattern=_ONE_LINE)]
_Arn = Annotated[str, Meta(max_length=512, pattern=r"^arn:[^\r\n\x00 ]+\Z")]
_Timestamp = Annotated[str, Meta(max_length=40, pattern=_ONE_LINE)]
_Subject = Annotated[str, Meta(max_length=256, pattern=r"^[^\r\n\x00]*\Z")]
_Message = Annotated[str, Meta(max_length=256 * 1024)]
_Signature = Annotated[str, Meta(max_length=1024, pattern=r"^[A-Za-z0-9+/]+={0,2}\Z")]
_Url = Annotated[str, Meta(max_length=2048, pattern=_ONE_LINE)]
_Token = Annotated[str, Meta(max_length=1024, pattern=_ONE_LINE)]

MalformedReason = Literal["too_long", "not_json", "duplicate_key", "shape"]

_NAMES = {
    "message_id": "MessageId",
    "topic_arn": "TopicArn",
    "message": "Message",
    "timestamp": "Timestamp",
    "signature_version": "SignatureVersion",
    "signature": "Signature",
    "signing_cert_url": "SigningCertURL",
    "subject": "Subject",
    "token": "Token",
    "subscribe_url": "SubscribeURL",
}


class _Signed(Struct, frozen=True, kw_only=True, tag_field="Type", rename=_NAMES):
    message_id: _Id
    """The same over every retry of one delivery, so it removes duplicates."""
    topic_arn: _Arn
    message: _Message
    timestamp: _Timestamp
    signature_version: str
    signature: _Signature
    """Base64."""
    signing_cert_url: _Url


class Notification(_Signed, frozen=True, kw_only=True, tag_field="Type", tag="Notification", rename=_NAMES):
    """A published message; for receipts `message` is the event as JSON text."""

    subject: _Subject | None = None
    """Signed only if present; an empty one counts as present."""


class SubscriptionConfirmation(
    _Signed, frozen=True, kw_only=True, tag_field="Type", tag="SubscriptionConfirmation", rename=_NAMES
):
    """A topic asks to be confirmed: call ConfirmSubscription with `token`, never fetch `subscribe_url`."""

    token: _Token
    subscribe_url: _Url
    """Kept because the signature covers it. Fetching it would let a stranger choose our request."""


class UnsubscribeConfirmation(
    _Signed, frozen=True, kw_only=True, tag_field="Type", tag="UnsubscribeConfirmation", rename=_NAMES
):
    """The subscription was removed; `token` would bring it back."""

    token: _Token
    subscribe_url: _Url


Envelope = Notification | SubscriptionConfirmation | UnsubscribeConfirmation


class Malformed(Struct, frozen=True, kw_only=True, tag="malformed"):
    """Not an SNS body; nothing in it was believed."""

    reason: MalformedReason
    detail: str


class _RepeatedKeyError(ValueError):
    """A JSON object names one key twice."""


def parse(body: bytes) -> Envelope | Malformed:
    """Return the envelope in `body`, or why there is none; never raises."""
    if len(body) > MAX_BODY_BYTES:
        return Malformed(reason="too_long", detail=f"{len(body)} bytes, at most {MAX_BODY_BYTES}")
    try:
        envelope = _DECODER.decode(body)
        json.loads(body.decode("utf-8"), object_pairs_hook=_refuse_repeated_key)
    except msgspec.ValidationError as error:
        return Malformed(reason="shape", detail=str(error))
    except _RepeatedKeyError as error:
        return Malformed(reason="duplicate_key", detail=str(error))
    except (ValueError, RecursionError) as error:
        return Malformed(reason="not_json", detail=str(error))
    return envelope


def _refuse_repeated_key(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _RepeatedKeyError("an object names one key twice")


_DECODER: msgspec.json.Decoder[Envelope] = msgspec.json.Decoder(Envelope)
