"""
Standard Webhooks 1.0 signatures, through that project's own library.

A secret is `whsec_` and 32 random bytes in base64. While a secret is being rotated every live one signs, and
the header carries all signatures with a space between, so a receiver that knows either accepts the delivery.
"""

import base64
import secrets as random_secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public mark of a secret, not one
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a fresh secret of 256 random bits; it is shown to the tenant once."""
    return SECRET_PREFIX + base64.b64encode(random_secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def signed_headers(secrets: Sequence[str], *, webhook_id: str, at: datetime, body: str) -> dict[str, str]:
    """
    Return the three headers that prove a delivery.

    Args:
        secrets: Every live secret, the newest first.
        webhook_id: The event's id, the same over all attempts, so receivers can drop duplicates.
        at: When this attempt is made; aware. Receivers refuse one more than 5 minutes off.
        body: The exact text that will be posted.

    Raises:
        ValueError: No secret was given, or `at` is naive.
    """
    if not secrets:
        raise ValueError("a delivery needs at least one secret")
    if at.tzinfo is None:
        raise ValueError("the time of an attempt must be aware")
    instant = at.astimezone(UTC)  # the library reads the wall clock's digits and takes them for UTC
    signatures = [Webhook(secret).sign(webhook_id, instant, body) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
