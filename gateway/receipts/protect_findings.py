"""What AWS's protection found, kept per message for the tenant's report."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from gateway.messages.state import MessageState
from gateway.receipts.event import Receipt
from tenants.compound import Write

Kind = Literal["blocked", "recommended"]
_BLOCKED: Final = "PROTECT_BLOCKED"
_RECOMMENDS: Final = "BLOCK"
_SQL: Final = """
    INSERT INTO protect_findings (tenant_id, message_id, kind, configuration_id, channel, country, reason, at)
    SELECT m.tenant_id, m.id, d.kind, m.protect_configuration_id, m.channel, m.country, d.reason, m.created_at
    FROM unnest({0}::uuid[], {1}::uuid[], {2}::timestamptz[], {3}::text[], {4}::text[])
        AS d (tenant_id, id, created_at, kind, reason)
    JOIN messages m ON m.tenant_id = d.tenant_id AND m.id = d.id AND m.created_at = d.created_at
    ON CONFLICT DO NOTHING
"""


def kinds_of(receipt: Receipt) -> tuple[Kind, ...]:
    """Return what an event says of protection: that AWS blocked the message, or would have."""
    blocked: tuple[Kind, ...] = ("blocked",) if receipt.status == _BLOCKED else ()
    found = receipt.protect
    recommended = found is not None and found.recommendation == _RECOMMENDS
    return (*blocked, "recommended") if recommended else blocked


def findings(fresh: Sequence[tuple[Receipt, MessageState]]) -> list[Write]:
    """Return the writes for what new events found; each message is counted once per kind."""
    found: dict[tuple[UUID, Kind], tuple[MessageState, str | None]] = {}
    for receipt, state in fresh:
        for kind in kinds_of(receipt):
            reason = None if receipt.protect is None else receipt.protect.reason
            found.setdefault((state.id, kind), (state, reason))
    if not found:
        return []
    states = [state for state, _ in found.values()]
    arrays = (
        [state.tenant_id for state in states],
        [state.id for state in states],
        [state.created_at for state in states],
        [kind for _, kind in found],
        [reason for _, reason in found.values()],
    )
    return [Write("protect_found", _SQL, arrays)]
