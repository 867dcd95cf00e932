"""
``GET /_emulator/messages``: what was accepted, and how it went.

Members are spelled as elsewhere in this API; ``messageId`` and ``acceptedAt`` repeat two of them in the
spelling of delivery events, so that both can be matched without renaming.
"""

from itertools import islice
from typing import Any

from gateway.emulator.carrier.event_record import event_type
from gateway.emulator.control.refusal import whole_number
from gateway.emulator.operations.messages import FEEDBACK_WINDOW_MS
from gateway.emulator.state.traffic_records import Message
from gateway.emulator.world import World

LARGEST_LIMIT = 100_000
"""Messages in one answer, and the default."""


def message_list(world: World, query: dict[str, str]) -> dict[str, Any]:
    """Return a page of the retained messages, oldest first."""
    limit = min(whole_number(query, "limit", LARGEST_LIMIT), LARGEST_LIMIT)
    offset = whole_number(query, "offset", 0)
    wants_automatic = query.get("automatic", "0") not in {"0", "false"}
    messages = [each for _, each in world.traffic.messages() if wants_automatic or not each.automatic]
    if "destination" in query:
        wanted = "+" + query["destination"].strip().lstrip("+")
        messages = [message for message in messages if message.destination == wanted]
    now_ms = world.clock.now_ms()
    shown = islice(messages, offset, offset + limit)
    return {
        "data": [_described(message, now_ms) for message in shown],
        "total": len(messages),
        "offset": offset,
    }


def _described(message: Message, now_ms: float) -> dict[str, Any]:
    account, _, region = message.scope.partition("/")
    return {
        "message_id": message.id,
        "messageId": message.id,
        "account": account,
        "region": region,
        "channel": message.channel,
        "destination": message.destination,
        "country": message.country,
        "body": message.body,
        "origination": message.origination,
        "identity": message.identity,
        "context": message.context,
        "configuration_set": message.configuration_set,
        "message_type": message.message_type,
        "encoding": message.encoding,
        "parts": message.parts,
        "price_micros": message.price_micros,
        "fee_micros": message.fee_micros,
        "max_price": message.max_price,
        "ttl_s": message.ttl_s,
        "country_parameters": message.country_parameters,
        "media_urls": message.media_urls,
        "dry_run": message.dry_run,
        "automatic": message.automatic,
        "accepted_at": message.accepted_ms,
        "acceptedAt": message.accepted_ms,
        "outcome": message.outcome,
        "status": _status(message, now_ms),
        "feedback": _feedback(message, now_ms),
        "protect": message.protect_status,
        "protect_configuration": message.protect_id,
        "events": [_event(message, index) for index in range(len(message.steps))],
    }


def _status(message: Message, now_ms: float) -> str:
    """Return the status of the last step whose time has come."""
    elapsed_ms = now_ms - message.accepted_ms
    reached = [step.status for step in message.steps if step.offset_ms <= elapsed_ms]
    return reached[-1] if reached else "ACCEPTED"


def _feedback(message: Message, now_ms: float) -> str | None:
    if not message.feedback:
        return None
    late = now_ms - message.accepted_ms > FEEDBACK_WINDOW_MS
    return message.feedback_status or ("FAILED" if late else None)


def _event(message: Message, index: int) -> dict[str, Any]:
    step = message.steps[index]
    return {
        "type": event_type(message, step),
        "at": int(message.accepted_ms) + step.offset_ms,
        "final": step.is_final,
        "delivered": bool(message.steps_done >> index & 1),
    }
