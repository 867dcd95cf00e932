"""
Which origination identity carries a message: pure choice among the tenant's own.

The gateway picks, and names the identity by ARN, so that it can explain the choice, limit the rate of the
very identity and replace it. Order between types is AWS's: the one with more throughput first.
"""

from collections.abc import Callable, Sequence

from gateway.intake.snapshot import SenderFact, TenantSnapshot
from tenants.errors import InvalidId
from tenants.ids import decode

_ORDER = ("SHORT_CODE", "TEN_DLC", "LONG_CODE", "SENDER_ID", "TOLL_FREE", "SIMULATOR")
"""SHORT_CODE, TEN_DLC, LONG_CODE, SENDER_ID, TOLL_FREE as AWS picks from a pool; the simulator last."""

Wait = Callable[[SenderFact], int]
"""Milliseconds until a part queued now at this sender would leave."""


def candidates(
    snapshot: TenantSnapshot, *, country: str, message_type: str, wanted: str | None
) -> list[SenderFact]:
    """
    Return the senders that may carry the message, best first.

    Args:
        wanted: The request's `from`: a number, a sender id or a public pool id; None for the tenant's pool.
    """
    allowed = [s for s in _named(snapshot, message_type, wanted) if _fits(s, country, message_type)]
    return sorted(allowed, key=lambda sender: _ORDER.index(sender.type))


def choose(ranked: Sequence[SenderFact], wait: Wait) -> SenderFact | None:
    """Return the best type's least busy sender; order inside the pool decides between equals."""
    if not ranked:
        return None
    best = [sender for sender in ranked if sender.type == ranked[0].type]
    return min(best, key=wait)


def _named(snapshot: TenantSnapshot, message_type: str, wanted: str | None) -> list[SenderFact]:
    if wanted is None:
        return _pooled(snapshot, message_type)
    try:
        pool_id = decode("pool", wanted)
    except InvalidId:
        return [sender for sender in snapshot.senders.values() if _shows(sender, wanted)]
    members = [pool.sender_ids for pool in snapshot.pools if pool.id == pool_id]
    return [snapshot.senders[i] for ids in members for i in ids if i in snapshot.senders]


def _pooled(snapshot: TenantSnapshot, message_type: str) -> list[SenderFact]:
    """Members of the pools for the type, in order; all senders where the tenant has no pool."""
    if not snapshot.pools:
        return list(snapshot.senders.values())
    ids = [i for pool in snapshot.pools if message_type in pool.message_types for i in pool.sender_ids]
    return [snapshot.senders[i] for i in dict.fromkeys(ids) if i in snapshot.senders]


def _shows(sender: SenderFact, wanted: str) -> bool:
    return sender.value == wanted or (sender.type == "SENDER_ID" and sender.value.lower() == wanted.lower())


def _fits(sender: SenderFact, country: str, message_type: str) -> bool:
    """A sender serves its own country: what AWS would pick for another one cannot be foretold or limited."""
    return message_type in sender.message_types and sender.country == country
