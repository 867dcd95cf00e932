"""
What must hold after any crash, from three witnesses: the clients, the carrier and Postgres.

Pure over what they saw, so that each rule can be shown to fail on a story that breaks it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tests.harness.stack import FINAL

MOST_SENDS = 2
"""The first attempt and one flagged resend."""


class StoredMessage(Struct, frozen=True):
    """A message as Postgres has it at the end."""

    id: str
    status: str
    resend_of_unknown: bool


def broken_promises(
    accepted: Mapping[str, Sequence[str]], stored: Sequence[StoredMessage], carried: Sequence[str]
) -> list[str]:
    """
    Return every promise that was broken, as a sentence.

    Args:
        accepted: Idempotency key to the message ids that its 202s named, retries included.
        stored: The tenant's messages in Postgres.
        carried: Message id in the Context of each text that the carrier accepted, one entry per text.
    """
    known = {message.id: message for message in stored}
    found: list[str] = []
    for key, ids in accepted.items():
        if len(set(ids)) != 1:
            found.append(f"the key {key} gave {len(set(ids))} messages")
        found += [f"{each} was accepted and is gone" for each in set(ids) if each not in known]
    if len(known) > len(accepted):
        found.append(f"{len(known)} messages for {len(accepted)} keys")
    found += [f"{m.id} ended as {m.status}" for m in stored if m.status not in FINAL]
    texts = Counter(carried)
    for message in stored:
        times = texts.pop(message.id, 0)
        if times > (MOST_SENDS if message.resend_of_unknown else 1):
            found.append(f"{message.id} was sent {times} times, flagged: {message.resend_of_unknown}")
        if message.status in {"delivered", "undelivered"} and times == 0:
            found.append(f"{message.id} is {message.status} and was never sent")
    found += [f"{each} was sent and is not stored" for each in texts]
    return found
