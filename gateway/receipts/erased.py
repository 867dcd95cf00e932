"""
What a receipt leaves of a tenant that was erased: its status and its money, and nothing of a person.

Receipts come for days after a message's end. They are acknowledged, settled and kept as amounts, since the
books have to agree with AWS's bill; nobody is told, and nothing is stored that the erasure has taken away.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from msgspec import structs

from gateway.messages.state import MessageState


def unnamed(states: Mapping[UUID, MessageState], erased: Collection[UUID]) -> dict[UUID, MessageState]:
    """Return the messages of erased tenants without what a receipt says of the phone and its network."""
    return {
        each.id: structs.replace(each, carrier=None, mcc=None, mnc=None, reason_detail=None)
        for each in states.values()
        if each.tenant_id in erased
    }
