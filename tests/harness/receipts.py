"""AWS delivery events as the emulated carrier would have them, for tests that need one in hand."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.receipts.event import Receipt, parse
from tenants.ids import encode

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(
    status: str,
    *,
    message_id: UUID | None = None,
    provider_message_id: str = "aws-1",
    second: float = 0,
    final: bool | None = None,
    price: float | None = 0.00581,
    attempt: int = 1,
    **members: Any,
) -> dict[str, Any]:
    """Return one event, `second` seconds after the start."""
    at = START + timedelta(seconds=second)
    context = {} if message_id is None else {"tg_m": encode("msg", message_id), "tg_a": str(attempt)}
    made: dict[str, Any] = {
        "eventType": f"TEXT_{status}",
        "eventVersion": "1.0",
        "eventTimestamp": int(at.timestamp() * 1000),
        "isFinal": status in {"DELIVERED", "BLOCKED"} if final is None else final,
        "originationPhoneNumber": "+12065550100",
        "destinationPhoneNumber": "+12065550199",
        "isoCountryCode": "US",
        "messageId": provider_message_id,
        "messageRequestTimestamp": int(START.timestamp() * 1000),
        "messageEncoding": "GSM",
        "messageType": "TRANSACTIONAL",
        "messageStatus": status,
        "messageStatusDescription": status.lower(),
        "context": context,
        "totalMessageParts": 1,
        "totalCarrierFee": 0.0026,
    }
    if price is not None:
        made["totalMessagePrice"] = price
    return made | members


def receipt(status: str, **changes: Any) -> Receipt:
    """Return one event as the gateway reads it."""
    parsed = parse(json.dumps(event(status, **changes)))
    assert isinstance(parsed, Receipt), parsed
    return parsed
