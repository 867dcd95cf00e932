"""Whether a post comes from whom it says: Standard Webhooks 1.0, through that project's own library."""

from collections.abc import Sequence

from litestar.datastructures import Headers
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.api.idempotency import MAX_KEY_LENGTH
from gateway.api.refusals import Refusal

_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def proven_id(headers: Headers, body: bytes, secrets: Sequence[str]) -> str:
    """
    Return the `webhook-id` of a post that one of the secrets signed within the last five minutes.

    Raises:
        Refusal: 401, whatever is wrong: who cannot sign learns nothing.
    """
    given = {name: headers.get(name, "") for name in _HEADERS}
    webhook_id = given["webhook-id"]
    if 0 < len(webhook_id) <= MAX_KEY_LENGTH and webhook_id.isascii() and webhook_id.isprintable():
        for secret in secrets:
            if _signed(secret, given, body):
                return webhook_id
    raise Refusal("signature_rejected")


def _signed(secret: str, given: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, given, json_parse=False)
    except (WebhookVerificationError, ValueError):  # of a header or a body that is no text of this form
        return False
    return True
