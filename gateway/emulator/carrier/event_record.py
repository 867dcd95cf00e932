"""The JSON record of one delivery event, as configuration sets publish it."""

import hashlib
from typing import Any

import msgspec

from gateway.emulator.carrier.life import FILE_FAILURES
from gateway.emulator.state.traffic_records import Message, Step

DESCRIPTIONS = {
    "QUEUED": "Message has been queued for delivery",
    "PENDING": "Message is pending delivery",
    "SUCCESSFUL": "Message has been accepted by phone carrier",
    "DELIVERED": "Message has been accepted by phone",
    "BLOCKED": "Phone has blocked SMS",
    "CARRIER_BLOCKED": "Phone carrier has blocked this message",
    "SPAM": "Phone carrier has detected this message as spam",
    "UNREACHABLE": "Phone is currently unreachable/unavailable",
    "CARRIER_UNREACHABLE": "Phone carrier is currently unreachable/unavailable",
    "INVALID": "Phone number is invalid",
    "INVALID_MESSAGE": "Message body is invalid",
    "TTL_EXPIRED": "Message could not be delivered within the time to live",
    "PROTECT_BLOCKED": "Message blocked by protect configuration",
    "UNKNOWN": "Phone carrier has returned an unknown error",
    "FILE_INACCESSIBLE": "Media file is inaccessible",
    "FILE_TYPE_UNSUPPORTED": "Media file type is not supported",
    "FILE_SIZE_EXCEEDED": "Media file size exceeds the limit",
    "INITIATED": "Call has been initiated",
    "RINGING": "Phone is ringing",
    "ANSWERED": "Call has been answered",
    "COMPLETED": "Call has been completed",
    "BUSY": "Phone line is busy",
    "NO_ANSWER": "Call was not answered",
    "FAILED": "Call has failed",
}
"""Texts seen in published events, and plain ones where none is public."""

UNPAID = FILE_FAILURES | {"PROTECT_BLOCKED", "TTL_EXPIRED", "INVALID_MESSAGE"}
"""Never handed to a carrier, hence free."""

THOUSANDTHS_OF_A_CENT = 100_000


def event_type(message: Message, step: Step) -> str:
    """Return the event type of a step, such as TEXT_DELIVERED."""
    return f"{message.channel}_{step.status}"


def event_record(message: Message, step: Step, price_unit: str) -> dict[str, Any]:
    """Return the record of one step. Times are epoch milliseconds, prices dollars unless asked otherwise."""
    record: dict[str, Any] = {
        "eventType": event_type(message, step),
        "eventVersion": "1.0",
        "eventTimestamp": int(message.accepted_ms) + step.offset_ms,
        "isFinal": step.is_final,
        "originationPhoneNumber": message.origination or "NOTICE",
        "destinationPhoneNumber": message.destination,
        "isoCountryCode": message.country,
        **_network(message),
        "messageId": message.id,
        "messageRequestTimestamp": int(message.accepted_ms),
        "messageEncoding": message.encoding,
        "messageType": message.message_type,
        "messageStatus": step.status,
        "messageStatusDescription": DESCRIPTIONS[step.status],
        **({"context": message.context} if message.context else {}),
        **_channel(message, step),
        **_prices(message, step, price_unit),
        **_protect(message),
    }
    return record


def event_json(message: Message, step: Step, price_unit: str) -> str:
    """Return the record as the text that SNS carries."""
    return msgspec.json.encode(event_record(message, step, price_unit)).decode()


def _network(message: Message) -> dict[str, Any]:
    known = {"mcc": message.mcc, "mnc": message.mnc, "carrierName": message.operator} if message.mcc else {}
    return {**known, "isInternationalSend": False}


def _channel(message: Message, step: Step) -> dict[str, Any]:
    if message.channel == "MEDIA":
        return {"contentType": "MMS", "totalMessageParts": message.parts}
    if message.channel == "VOICE":
        seconds = _call_seconds(message) if step.status == "COMPLETED" else 0
        return {"callDurationInSeconds": seconds, "totalDurationInMinutes": -(-seconds // 60)}
    return {"totalMessageParts": message.parts}


def _call_seconds(message: Message) -> int:
    """Speech of about fourteen characters a second, and a pause before hanging up."""
    wobble = hashlib.blake2b(message.id.encode(), digest_size=1).digest()[0] % 5
    return 3 + len(message.body) // 14 + wobble


def _prices(message: Message, step: Step, unit: str) -> dict[str, float]:
    scale = THOUSANDTHS_OF_A_CENT if unit == "thousandth_cent" else 1
    free = step.status in UNPAID
    price = 0.0 if free else message.price_micros * scale / 1_000_000
    if message.channel == "VOICE":
        return {"totalMessagePrice": price}
    fee = 0.0 if free else message.fee_micros * scale / 1_000_000
    return {"totalMessagePrice": price, "totalCarrierFee": fee}


def _protect(message: Message) -> dict[str, Any]:
    if message.protect_id is None:
        return {}
    applied = {
        "protectConfigurationId": message.protect_id,
        "protectStatus": message.protect_status or "ALLOW",
    }
    if message.protect_status not in {"MONITOR", "FILTER"}:
        return {"protectConfiguration": applied}
    recommendation = "BLOCK" if message.pumping else "ALLOW"
    insights = {"protectInsights": {"blockReason": "AIT_SUSPECTED"}} if message.pumping else {}
    assessment = {"protectRecommendation": recommendation, **insights}
    return {"protectConfiguration": applied, "protectConfigurationAssessment": assessment}
