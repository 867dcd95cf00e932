"""
What AWS charged for a message that it has under more than one id.

A message sent again after an unknown outcome may have become two texts, and a single attempt may become
several where something between the gateway and AWS repeats it; AWS bills each. Each of AWS's ids costs the
greatest price and the greatest fee that any of its events named; a message costs their sum. That AWS has
named another id is kept with the message, since a later event of the first id alone would not tell.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import structs

from gateway.messages.state import MessageState
from tenants.tables import HotConnection

_PRICES: Final = """
    SELECT message_id, sum(price + fee)::bigint AS cost FROM (
        SELECT r.message_id, coalesce(max(r.price_micros), 0) AS price, coalesce(max(r.fee_micros), 0) AS fee
        FROM receipts r JOIN unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS m (tenant_id, id, at)
            ON r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.message_at = m.at
        GROUP BY r.message_id, r.provider_message_id
    ) AS each_id GROUP BY message_id
"""


async def with_every_price(
    connection: HotConnection, states: Sequence[MessageState]
) -> dict[UUID, MessageState]:
    """Return those of the messages that may be several texts, with the cost that all their events name."""
    again = [s for s in states if (s.attempts > 1 or s.other_ids) and not s.test]
    if not again:
        return {}
    rows = await connection.fetch(
        _PRICES,
        [state.tenant_id for state in again],
        [state.id for state in again],
        [state.created_at for state in again],
    )
    costs = {row["message_id"]: row["cost"] for row in rows}
    return {s.id: structs.replace(s, cost_micros=costs.get(s.id, s.cost_micros)) for s in again}
