"""One event of any road, as what the group commit takes; what cannot be read is kept as what it is."""

import hashlib
from uuid import UUID

from msgspec import structs

from gateway.receipts.apply import Incoming, ParkReason, Stray, stray_of
from gateway.receipts.event import InboundText, Receipt, parse
from gateway.telemetry import metrics


def incoming_of(message: str | bytes, *, owner: UUID | None = None) -> Incoming:
    """
    Return the event in `message`; one that makes no sense is counted and will be kept sealed.

    Args:
        owner: The tenant in whose own AWS account it was published, whom alone it may concern.
    """
    read = _read(message)
    return read if owner is None else structs.replace(read, owner=owner)


def _read(message: str | bytes) -> Incoming:
    event = parse(message)
    match event:
        case Receipt():
            return event
        case InboundText():
            return stray_of(event)
        case _:
            metrics.RECEIPTS_REJECTED.labels(reason=event.reason).inc()
            return kept(message, "unreadable")


def kept(message: str | bytes, reason: ParkReason) -> Stray:
    """Return bytes that move nothing and are to be shown to the operator."""
    raw = message.encode("utf-8", "replace") if isinstance(message, str) else message
    return Stray(event_key=hashlib.sha256(raw).digest(), raw=raw, reason=reason)
