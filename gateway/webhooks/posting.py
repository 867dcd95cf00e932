"""One attempt from end to end: the body joined and signed, posted, and the reply sealed."""

import random

import structlog
from msgspec import Struct

from gateway.clock import Clock
from gateway.messages.keys import DataKeys
from gateway.telemetry import metrics
from gateway.webhooks.client import WebhookClient
from gateway.webhooks.due import DueDelivery
from gateway.webhooks.payload import body_of, reply_context
from gateway.webhooks.results import Result
from gateway.webhooks.schedule import Attempt, Failed
from gateway.webhooks.signing import signed_headers
from tenants.endpoints.service import live_secrets
from tenants.errors import KeyUnwrapFailed, SealBroken
from tenants.ids import encode

_log = structlog.get_logger(__name__)


class Unreadable(Struct, frozen=True):
    """There is nothing to post: of what is stored no body can be made, today or later."""


class Poster:
    """Makes attempts; whoever calls bounds how many run at once."""

    def __init__(self, *, client: WebhookClient, keys: DataKeys, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock

    async def post(self, delivery: DueDelivery) -> Result | Unreadable:
        """Make one attempt and return what became of it."""
        now = self._clock.now()
        try:
            key = await self._keys.of(delivery.tenant_id)
            secrets = live_secrets(delivery.endpoint, key, now=now)
        except (KeyUnwrapFailed, SealBroken) as error:
            return self._unsigned(delivery, error)
        try:
            body = body_of(delivery.event, key)
        except Exception:  # noqa: BLE001 - whatever is wrong with what is stored, it stays so
            _log.exception("webhook_unreadable", delivery_id=str(delivery.id), event_type=delivery.event.type)
            metrics.WEBHOOKS_UNREADABLE.inc()
            return Unreadable()
        headers = signed_headers(secrets, webhook_id=encode("evt", delivery.event.id), at=now, body=body)
        headers["content-type"] = "application/json"
        attempt = await self._client.post(
            delivery.tenant_id, delivery.endpoint.url, headers=headers, body=body.encode()
        )
        said = attempt.body_excerpt.encode()
        return self._result(
            delivery, attempt, key.seal(said, context=reply_context(delivery.id)) if said else None
        )

    def _unsigned(self, delivery: DueDelivery, error: Exception) -> Result:
        """
        Return the attempt that could not be made, as a failure: it is tried again, and the endpoint paused.

        A key that is missing today may be there tomorrow, and another secret may be given at any time.
        """
        _log.error("webhook_unsigned", endpoint_id=str(delivery.endpoint.id), error=str(error))
        failed = Failed(
            kind="unsigned",
            status=None,
            retry_after_s=None,
            detail="The endpoint's secret does not open, so nothing was posted.",
            body_excerpt="",
            duration_ms=0,
        )
        return self._result(delivery, failed, None)

    def _result(self, delivery: DueDelivery, attempt: Attempt, reply_sealed: bytes | None) -> Result:
        return Result(
            delivery=delivery,
            attempt=attempt,
            reply_sealed=reply_sealed,
            at=self._clock.now(),
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
        )
