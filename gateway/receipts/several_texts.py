"""
What became of a message that AWS has under more than one id: it arrived if one of its texts did.

Each id is a text of its own with events of its own. The second one of a resend may well come to nothing, as a
copy that the carrier takes for spam; that takes nothing away from the first, which is on the phone. So the
greatest event is found for each id, and among those one that says "delivered" is before all others. It is
still a function of the set of events: order and copies cannot matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from gateway.messages.state import MessageState
from gateway.messages.status import Outcome, Projection, outcome_of, project
from gateway.receipts.event import stored_status
from gateway.receipts.fold import standing
from tenants.tables import HotConnection

_EVENTS: Final = """
    SELECT r.message_id, r.provider_message_id, r.event_type, r.event_at,
        r.detail->>'messageStatus' AS message_status
    FROM receipts r JOIN unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS m (tenant_id, id, at)
        ON r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.message_at = m.at
"""


class Event(Struct, frozen=True, kw_only=True):
    """One stored event; it satisfies `gateway.messages.status.Reported`."""

    provider_message_id: str | None
    status: str
    at: datetime


def best_standing(events: Iterable[Event]) -> Projection | None:
    """Return what the events of one message come to, whichever of its texts they are of; None for none."""
    of_each: dict[str | None, Projection] = {}
    for event in events:
        of_each[event.provider_message_id] = project(of_each.get(event.provider_message_id), event)
    return max(of_each.values(), key=_arrived_first, default=None)


def _arrived_first(projection: Projection) -> tuple[bool, Projection]:
    outcome = outcome_of(projection)
    return isinstance(outcome, Outcome) and outcome.status == "delivered", projection


async def with_best_text(
    connection: HotConnection, before: Mapping[UUID, MessageState], after: Sequence[MessageState]
) -> dict[UUID, MessageState]:
    """
    Return those of the messages that may be several texts, standing where the best of these does.

    Args:
        before: The messages as they stood before the events that have just been stored.
    """
    several = [state for state in after if state.attempts > 1 or state.other_ids]
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
        )
        events.setdefault(row["message_id"], []).append(event)
    found: dict[UUID, MessageState] = {}
    for state in several:
        best = best_standing(events.get(state.id, ()))
        if best is not None and best.name != state.receipt_name:
            found[state.id] = standing(before[state.id], state, best)
    return found
