"""
What is wrapped around an event on its way through other AWS services, peeled off layer by layer.

    SNS → SQS                      {"Type": "Notification", "Message": "{event}", "Signature": …}
    SNS → SQS, raw delivery        {event}
    EventBridge → SQS              {"detail-type": …, "detail": {event}}
    EventBridge → SNS → SQS        {"Type": "Notification", "Message": "{"detail-type": …}"}
    SQS → Pipe → EventBridge       {"detail-type": …, "detail": {"eventSource": "aws:sqs", "body": "…"}}
    SQS → Pipe → Firehose          {"eventSource": "aws:sqs", "body": "…"}

Pure: a signature that is found on the way is handed out to be checked, never judged here.
"""

from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from gateway.receipts.envelope import Envelope, Malformed, Notification
from gateway.receipts.envelope import parse as parse_envelope

MAX_LAYERS: Final = 5
_SNS_TYPES: Final = frozenset({"Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"})
_HINTS: Final = (b'"TopicArn"', b'"aws:sqs"')
"""What every wrapper that matters here holds; a body without them is an event, and is decoded only once."""


class Peeled(Struct, frozen=True, kw_only=True):
    """What is left when nothing more can be peeled off."""

    event: str | bytes | None
    """As the next reader takes it; None where the layers end in a question of SNS's own."""
    envelopes: tuple[Envelope, ...] = ()
    """The signed envelopes on the way, outermost first: believe the event only if you believe them all."""


def peel(body: str | bytes) -> Peeled | Malformed:
    """Return the event inside a queue message or a Firehose record, or why an envelope on the way is none."""
    envelopes: list[Envelope] = []
    inner = body
    for _ in range(MAX_LAYERS):
        layer = _layer(inner)
        if layer is None:
            return Peeled(event=inner, envelopes=tuple(envelopes))
        if layer.envelope is None:
            inner = layer.inside
            continue
        envelope = parse_envelope(layer.envelope)
        if isinstance(envelope, Malformed):
            return envelope
        envelopes.append(envelope)
        if not isinstance(envelope, Notification):
            return Peeled(event=None, envelopes=tuple(envelopes))
        inner = envelope.message
    return Malformed(reason="shape", detail=f"wrapped more than {MAX_LAYERS} times")


class _Layer(Struct, frozen=True, kw_only=True):
    inside: str = ""
    envelope: bytes | None = None
    """The bytes of an SNS body that carries a signature; what is inside is read from them alone."""


def _layer(body: str | bytes) -> _Layer | None:
    """Return the outermost layer if it is one that is peeled off here."""
    data = body.encode("utf-8", "replace") if isinstance(body, str) else body
    if not any(hint in data for hint in _HINTS):
        return None
    found = _object(data)
    detail = found.get("detail")
    if "detail-type" in found and isinstance(detail, dict):
        found, data = cast("dict[str, Any]", detail), msgspec.json.encode(detail)
    if found.get("Type") in _SNS_TYPES and "TopicArn" in found:
        return _Layer(envelope=data) if "Signature" in found else _Layer(inside=str(found.get("Message", "")))
    if found.get("eventSource") == "aws:sqs" and isinstance(found.get("body"), str):
        return _Layer(inside=found["body"])
    return None


def _object(data: bytes) -> dict[str, Any]:
    try:
        found: object = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
