"""Delivery events and the signed SNS envelopes around them, made before a run."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from gateway.bench.http_wire import request_bytes
from gateway.emulator.sns.signing import Signer
from tenants.ids import encode

_HEADERS = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
_SHA256 = "2"
"""SignatureVersion, as the provisioner asks for it."""


def delivered(message_id: UUID, provider_message_id: str, number: str) -> bytes:
    """Return the event of a delivery as AWS writes it, about 800 bytes."""
    now_ms = int(time.time() * 1000)
    record: dict[str, Any] = {
        "eventType": "TEXT_DELIVERED",
        "eventVersion": "1.0",
        "eventTimestamp": now_ms,
        "isFinal": True,
        "originationPhoneNumber": "BENCH",
        "destinationPhoneNumber": number,
        "isoCountryCode": "GB",
        "mcc": "234",
        "mnc": "30",
        "carrierName": "Everything Everywhere Ltd.",
        "isInternationalSend": False,
        "messageId": provider_message_id,
        "messageRequestTimestamp": now_ms - 900,
        "messageEncoding": "GSM",
        "messageType": "TRANSACTIONAL",
        "messageStatus": "DELIVERED",
        "messageStatusDescription": "Message has been accepted by phone",
        "context": {"tg_m": encode("msg", message_id), "tg_a": "1"},
        "totalMessageParts": 1,
        "totalMessagePrice": 0.0037,
        "totalCarrierFee": 0.0,
    }
    return msgspec.json.encode(record)


def posts(events: Iterable[bytes], signer: Signer, *, topic_arn: str, certificate_url: str) -> list[bytes]:
    """Return each event as a whole request to the ingest road, with a signature of its own."""
    return [
        request_bytes(
            "POST", "/v1/ingest/sns", _HEADERS, _envelope(event, signer, topic_arn, certificate_url)
        )
        for event in events
    ]


def _envelope(event: bytes, signer: Signer, topic_arn: str, certificate_url: str) -> bytes:
    envelope = {
        "Type": "Notification",
        "MessageId": str(uuid4()),
        "TopicArn": topic_arn,
        "Message": event.decode(),
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    signed = envelope | {
        "SignatureVersion": _SHA256,
        "Signature": signer.sign(envelope, _SHA256),
        "SigningCertURL": certificate_url,
    }
    return msgspec.json.encode(signed)
