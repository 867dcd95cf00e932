"""
What settlements leave behind for usage, in the transaction that books them.

A row per commit and tenant says which messages were settled and for how much; whoever counts takes such rows
by state, with SKIP LOCKED, and adds them to their day. So nothing is counted twice or left out, whatever the
order in which transactions end, and the road of a message pays for one insert.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from tenants.compound import Write


class Counted(Struct, frozen=True, kw_only=True):
    """One settlement of one message."""

    tenant_id: UUID
    message_id: UUID
    message_at: datetime
    first: bool
    """Whether it is the message's first: then the message itself is counted, too."""
    charged: int = 0
    """What the tenant paid by it, in the message's unit; negative for money given back."""
    cost_micros: int = 0
    """What AWS charged by it."""
    included: int = 0
    """What it used of the tenant's bundle; negative for what is given back."""


_LEAVE: Final = """
    INSERT INTO usage_batches (tenant_id, message_ids, message_ats, first, charged, cost_micros,
        included)
    SELECT d.tenant_id, array_agg(d.message_id), array_agg(d.message_at), array_agg(d.first),
        array_agg(d.charged), array_agg(d.cost_micros), array_agg(d.included)
    FROM unnest({0}::uuid[], {1}::uuid[], {2}::timestamptz[], {3}::boolean[], {4}::bigint[], {5}::bigint[],
            {6}::bigint[])
        AS d (tenant_id, message_id, message_at, first, charged, cost_micros, included)
    GROUP BY d.tenant_id
"""


def count_writes(settlements: Sequence[Counted]) -> list[Write]:
    """Return the write that leaves the settlements to be counted; none for none."""
    if not settlements:
        return []
    rows = [
        (s.tenant_id, s.message_id, s.message_at, s.first, s.charged, s.cost_micros, s.included)
        for s in settlements
    ]
    return [Write("left_to_count", _LEAVE, tuple(zip(*rows, strict=True)))]
