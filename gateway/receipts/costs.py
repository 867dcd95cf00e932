"""
What AWS charged for a message that it has under more than one id.

AWS bills each of a message's texts. Each of its ids costs the greatest price and the greatest fee that any of
its events named; a message costs their sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import structs

from gateway.messages.state import MessageState
from gateway.receipts.stored_events import Event


def with_every_price(
    states: Mapping[UUID, MessageState], events: Mapping[UUID, Sequence[Event]]
) -> dict[UUID, MessageState]:
    """Return those of the messages that may be several texts, with the cost that all their events name."""
    return {
        message_id: structs.replace(states[message_id], cost_micros=_cost(its_events))
        for message_id, its_events in events.items()
        if not states[message_id].test
    }


def _cost(events: Iterable[Event]) -> int:
    prices: dict[str | None, int] = {}
    fees: dict[str | None, int] = {}
    for event in events:
        each = event.provider_message_id
        prices[each] = max(prices.get(each, 0), event.price_micros or 0)
        fees[each] = max(fees.get(each, 0), event.fee_micros or 0)
    return sum(prices.values()) + sum(fees.values())
