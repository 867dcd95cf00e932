"""
What is stored of the events of messages that AWS may have under more than one id.

A message sent again after an unknown outcome may have become two texts, and a single attempt may become
several where something between the gateway and AWS repeats it. What became of such a message, and what it
cost, is asked of all its events together, read once. That AWS has named another id is kept with the message,
since a later event of the first id alone would not tell.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from gateway.messages.state import MessageState
from gateway.receipts.event import stored_status
from tenants.tables import HotConnection

_EVENTS: Final = """
    SELECT r.message_id, r.provider_message_id, r.event_type, r.event_at,
        r.detail->>'messageStatus' AS message_status, r.price_micros, r.fee_micros
    FROM receipts r JOIN unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS m (tenant_id, id, at)
        ON r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.message_at = m.at
"""


class Event(Struct, frozen=True, kw_only=True):
    """One stored event; it satisfies `gateway.messages.status.Reported`."""

    provider_message_id: str | None
    status: str
    at: datetime
    price_micros: int | None = None
    fee_micros: int | None = None


async def events_of_several(
    connection: HotConnection, states: Collection[MessageState]
) -> Mapping[UUID, list[Event]]:
    """Return all events of those of the messages that may be several texts; mostly there is none."""
    several = [state for state in states if state.attempts > 1 or state.other_ids]
    if not several:
        return {}
    rows = await connection.fetch(
        _EVENTS,
        [state.tenant_id for state in several],
        [state.id for state in several],
        [state.created_at for state in several],
    )
    events: dict[UUID, list[Event]] = {}
    for row in rows:
        event = Event(
            provider_message_id=row["provider_message_id"],
            status=stored_status(row["event_type"], row["message_status"]),
            at=row["event_at"],
            price_micros=row["price_micros"],
            fee_micros=row["fee_micros"],
        )
        events.setdefault(row["message_id"], []).append(event)
    return events
