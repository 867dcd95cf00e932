"""
The carrier of test keys: never leaves the process, answers like AWS, owes receipts it will not forget.

Simulator numbers succeed and fail as AWS documents them; every other number is delivered. The receipts are
rows, due a moment later, that the receipts role feeds into the same road as AWS's own.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import asyncpg

from gateway.carrier.ports import CONTEXT_ATTEMPT, CONTEXT_MESSAGE, OutboundText, Outcome, Sent, Unknown
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from tenants.countries.numbers import simulator_outcomes
from tenants.ids import encode

_QUEUED_AFTER = timedelta(milliseconds=50)
_FINAL_AFTER = timedelta(milliseconds=300)
_FAMILIES: Final = {"sms": "TEXT", "mms": "MEDIA", "voice": "VOICE"}
_STEPS: Final = {
    "sms": ("QUEUED", "DELIVERED", "BLOCKED"),
    "mms": ("QUEUED", "DELIVERED", "BLOCKED"),
    "voice": ("INITIATED", "COMPLETED", "BUSY"),
}
"""First event, last of a good end, last of a bad one."""
_CALL_S: Final = 20
_NO_FEE: Final = {"totalCarrierFee": 0}
_EPOCH_MS = 1000


class SandboxCarrier:
    """Takes every text and plans its receipts."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def send(self, text: OutboundText) -> Outcome:
        """Plan the receipts of one text; a database that cannot be reached leaves the outcome unknown."""
        provider_message_id = str(uuid4())
        events = _events(text, provider_message_id, self._clock.now())
        try:
            await self._pool.executemany(
                """
                INSERT INTO sandbox_receipts (message_id, ordinal, due_at, event)
                VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
                """,
                [(text.message_id, ordinal, due, event) for ordinal, (due, event) in enumerate(events)],
            )
        except DATABASE_FAULTS as error:
            return Unknown(reason=type(error).__name__)
        return Sent(provider_message_id=provider_message_id)


def _events(
    text: OutboundText, provider_message_id: str, now: datetime
) -> list[tuple[datetime, dict[str, Any]]]:
    fails = simulator_outcomes().get(text.destination) == "FAILURE"
    first, good, bad = _STEPS[text.channel]
    plan = ((now + _QUEUED_AFTER, first, False), (now + _FINAL_AFTER, bad if fails else good, True))
    return [(due, _event(text, provider_message_id, due, status, final)) for due, status, final in plan]


def _event(
    text: OutboundText,
    provider_message_id: str,
    at: datetime,
    status: str,
    final: bool,
) -> dict[str, Any]:
    return {
        "eventType": f"{_FAMILIES[text.channel]}_{status}",
        "eventVersion": "1.0",
        "eventTimestamp": int(at.timestamp() * _EPOCH_MS),
        "isFinal": final,
        "messageId": provider_message_id,
        "messageStatus": status,
        "messageStatusDescription": "Sandbox: no phone was reached",
        "context": text.context
        | {CONTEXT_MESSAGE: encode("msg", text.message_id), CONTEXT_ATTEMPT: str(text.attempt)},
        "totalMessagePrice": 0,
        **({"callDurationInSeconds": _CALL_S} if status == "COMPLETED" else _NO_FEE),
    }
