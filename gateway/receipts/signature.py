"""
Whether a posted SNS message is SNS's own, about a topic of ours, and fresh.

The cheap questions come first, so that a stranger costs us neither a fetch nor an RSA operation: version,
topic, age; then the certificate (in memory after the first message), then the signature. Signature version
1 is RSA over SHA-1, which AWS still defaults to; set version 2 on the topic.
"""

import base64
import binascii
import re
from collections.abc import Callable, Container
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from gateway.clock import Clock
from gateway.receipts.certificates import CertificateStore, KeyFault, NoKey
from gateway.receipts.envelope import Envelope, Notification

MAX_AGE: Final = timedelta(hours=1)
"""
Older messages are taken for replays. SNS's timestamp is the publication's and stays over retries, so an HTTPS
delivery policy must not retry for longer; what waited in a queue has `MAX_AGE_IN_A_QUEUE`.
"""
MAX_AGE_IN_A_QUEUE: Final = timedelta(days=40)
"""SNS tries a queue for 23 days, and SQS keeps what it has for up to 14."""
MAX_AHEAD: Final = timedelta(minutes=5)
"""For clocks that differ; wider only for an emulator, whose clock can be moved forward."""

RejectedReason = (
    Literal[
        "signature_version",
        "topic_not_allowed",
        "timestamp_unreadable",
        "timestamp_too_old",
        "timestamp_in_future",
        "signature_mismatch",
    ]
    | KeyFault
)

_TIMESTAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")
_PADDING: Final = padding.PKCS1v15()
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "1": hashes.SHA1(),  # noqa: S303 - AWS's choice; a second preimage, not a collision, would be needed
    "2": hashes.SHA256(),
}


class Verified(Struct, frozen=True, kw_only=True, tag="verified"):
    """SNS signed it for one of our topics, and not longer ago than it may be."""

    envelope: Envelope


class Rejected(Struct, frozen=True, kw_only=True, tag="rejected"):
    """Nothing in it may be believed."""

    reason: RejectedReason
    """Also a metric label."""
    detail: str

    @property
    def may_pass_later(self) -> bool:
        """Whether SNS should try again (answer 503) rather than be told no (403)."""
        return self.reason == "certificate_unavailable"


Verdict = Verified | Rejected


class Verifier:
    """Checks envelopes against the topics we subscribed to."""

    def __init__(
        self,
        certificates: CertificateStore,
        clock: Clock,
        *,
        topics: Container[str] | Callable[[str], bool],
        max_age: timedelta = MAX_AGE,
        max_ahead: timedelta = MAX_AHEAD,
    ) -> None:
        self._certificates = certificates
        self._clock = clock
        self._max_age = max_age
        self._max_ahead = max_ahead
        self._knows_topic = topics if callable(topics) else topics.__contains__

    async def verify(self, envelope: Envelope) -> Verdict:
        """Return the envelope as verified, or why not; the network is touched only for a new certificate."""
        refusal = self._refused_unread(envelope)
        if refusal is not None:
            return refusal
        key = await self._certificates.key(envelope.signing_cert_url)
        if isinstance(key, NoKey):
            return Rejected(reason=key.reason, detail=key.detail)
        if not signature_matches(envelope, key):
            return Rejected(reason="signature_mismatch", detail="the signature is not over this message")
        return Verified(envelope=envelope)

    def _refused_unread(self, envelope: Envelope) -> Rejected | None:
        if envelope.signature_version not in _HASHES:
            return Rejected(reason="signature_version", detail="only versions 1 and 2 exist")
        if not self._knows_topic(envelope.topic_arn):
            return Rejected(reason="topic_not_allowed", detail="not a topic of ours")
        return refused_age(
            envelope.timestamp, now=self._clock.now(), max_age=self._max_age, max_ahead=self._max_ahead
        )


def refused_age(
    timestamp: str, *, now: datetime, max_age: timedelta = MAX_AGE, max_ahead: timedelta = MAX_AHEAD
) -> Rejected | None:
    """Return why a timestamp (RFC 3339, UTC) is not acceptable at `now`, or None if it is."""
    at = _instant(timestamp)
    if at is None:
        return Rejected(reason="timestamp_unreadable", detail="not an RFC 3339 instant in UTC")
    if now - at > max_age:
        return Rejected(reason="timestamp_too_old", detail=f"published more than {max_age} ago")
    if at - now > max_ahead:
        return Rejected(reason="timestamp_in_future", detail="published in the future")
    return None


def signature_matches(envelope: Envelope, key: RSAPublicKey) -> bool:
    """Whether `key` signed this envelope in its signature version."""
    algorithm = _HASHES.get(envelope.signature_version)
    if algorithm is None:
        return False
    try:
        signature = base64.b64decode(envelope.signature, validate=True)
        key.verify(signature, string_to_sign(envelope), _PADDING, algorithm)
    except (binascii.Error, InvalidSignature):
        return False
    # Base64 has spare bits at its end: without this, one signature could be written in several ways.
    return base64.b64encode(signature).decode("ascii") == envelope.signature


def string_to_sign(envelope: Envelope) -> bytes:
    r"""
    Return what SNS signs: `Key\nValue\n` for the signed keys, in the order AWS fixed.

    Only `Message` may hold line breaks (the envelope refuses them elsewhere) and it comes first, so no two
    envelopes share a string.
    """
    lines = ["Message", envelope.message, "MessageId", envelope.message_id]
    if isinstance(envelope, Notification):
        if envelope.subject is not None:
            lines += ["Subject", envelope.subject]
        lines += ["Timestamp", envelope.timestamp, "TopicArn", envelope.topic_arn]
        lines += ["Type", "Notification", ""]
    else:
        lines += ["SubscribeURL", envelope.subscribe_url, "Timestamp", envelope.timestamp]
        lines += ["Token", envelope.token, "TopicArn", envelope.topic_arn]
        lines += ["Type", type(envelope).__name__, ""]
    return "\n".join(lines).encode("utf-8")


def _instant(text: str) -> datetime | None:
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
