"""
A recipient's own sender, so that a person sees one number: the last that it had, else one by rendezvous
hashing. Pure; nothing is stored.

Every process makes the same choice from the same senders, also for messages that come at once. When a sender
goes, only its own recipients move, each to the same next one. Whoever has a sender keeps it while messages
come, also when others are added (`gateway.intake.last_sender`).
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from gateway.routing.facts import SenderFact


def sticky(equals: Sequence[SenderFact], recipient_hash: bytes, had: Sequence[UUID] = ()) -> SenderFact:
    """
    Return the recipient's own among senders that are equals; there is at least one.

    Args:
        had: The senders of its last days, that of the newest message first.
    """
    by_id = {sender.id: sender for sender in equals}
    if (last := next((each for each in had if each in by_id), None)) is not None:
        return by_id[last]
    return max(equals, key=lambda sender: _weight(sender, recipient_hash))


def _weight(sender: SenderFact, recipient_hash: bytes) -> bytes:
    return hashlib.blake2b(sender.id.bytes + recipient_hash, digest_size=8).digest()
