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
    type: str = "transactional"


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
    found += [f"{m.id} is promotional and was resent" for m in stored if _is_resent_promotion(m)]
    return found


def _is_resent_promotion(message: StoredMessage) -> bool:
    return message.type == "promotional" and message.resend_of_unknown


def broken_attempts(attempts: Sequence[tuple[str, str]]) -> list[str]:
    """Return each attempt (message id, number) that the carrier took more than once."""
    return [
        f"attempt {attempt} of {message} was sent {times} times"
        for (message, attempt), times in Counter(attempts).items()
        if times > 1
    ]


def too_many_unknown(stored: Sequence[StoredMessage], *, at_most: int) -> list[str]:
    """Return the complaint that more outcomes were unknown than calls were under way at the faults."""
    unknown = [m.id for m in stored if m.resend_of_unknown or m.status == "unknown"]
    return [f"{len(unknown)} unknown outcomes, at most {at_most}"] if len(unknown) > at_most else []
