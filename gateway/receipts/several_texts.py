"""
What became of a message that AWS has under more than one id: it arrived if one of its texts did.

Each id is a text of its own with events of its own. The second one of a resend may well come to nothing, as a
copy that the carrier takes for spam; that takes nothing away from the first, which is on the phone. So the
greatest event is found for each id, and among those one that says "delivered" is before all others. It is
still a function of the set of events: order and copies cannot matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from gateway.messages.state import MessageState
from gateway.messages.status import Outcome, Projection, outcome_of, project
from gateway.receipts.fold import standing
from gateway.receipts.stored_events import Event


def best_standing(events: Iterable[Event]) -> Projection | None:
    """Return what the events of one message come to, whichever of its texts they are of; None for none."""
    of_each: dict[str | None, Projection] = {}
    for event in events:
        of_each[event.provider_message_id] = project(of_each.get(event.provider_message_id), event)
    return max(of_each.values(), key=_arrived_first, default=None)


def _arrived_first(projection: Projection) -> tuple[bool, Projection]:
    outcome = outcome_of(projection)
    return isinstance(outcome, Outcome) and outcome.status == "delivered", projection


def with_best_text(
    before: Mapping[UUID, MessageState],
    after: Mapping[UUID, MessageState],
    events: Mapping[UUID, Sequence[Event]],
) -> dict[UUID, MessageState]:
    """
    Return those of the messages that may be several texts, standing where the best of these does.

    Args:
        before: The messages as they stood before the events that have just been stored.
        events: All that is stored of those that may be several texts.
    """
    found: dict[UUID, MessageState] = {}
    for message_id, its_events in events.items():
        best = best_standing(its_events)
        if best is not None and best.name != after[message_id].receipt_name:
            found[message_id] = standing(before[message_id], after[message_id], best)
    return found
