"""What became of posts, written in batches: the delivery, and what it says of its endpoint."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from gateway.messages.outbox import NewEvent, write_events
from gateway.telemetry import metrics
from gateway.webhooks.due import DueDelivery
from gateway.webhooks.schedule import (
    Attempt,
    Delivered,
    DisableEndpoint,
    Done,
    Exhausted,
    RetryAt,
    decide,
    failing_since,
    must_disable,
)
from tenants.endpoints.models import WebhookEndpoint
from tenants.ids import encode, new_uuid
from tenants.tables import HotConnection

_EXCERPT = 16_384


class Result(Struct, frozen=True, kw_only=True):
    """One attempt of one delivery; `jitter` (0 to 1) was drawn by the sender."""

    delivery: DueDelivery
    attempt: Attempt
    at: datetime
    jitter: float


_RECORD = """
    UPDATE webhook_deliveries w SET state = d.state, attempts = d.attempts,
        next_attempt_at = coalesce(d.next_attempt_at, w.next_attempt_at), response_status = d.response_status,
        response_excerpt = d.response_excerpt, error = d.error, delivered_at = d.delivered_at
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::smallint[], $6::timestamptz[],
        $7::smallint[], $8::text[], $9::text[], $10::timestamptz[])
        AS d (tenant_id, id, created_at, state, attempts, next_attempt_at, response_status, response_excerpt,
              error, delivered_at)
    WHERE w.tenant_id = d.tenant_id AND w.id = d.id AND w.created_at = d.created_at
"""


async def write_results(connection: HotConnection, batch: Sequence[Result]) -> None:
    """Write a batch in the caller's transaction."""
    decided = [
        (r, decide(r.attempt, attempt=r.delivery.attempts + 1, now=r.at, jitter=r.jitter)) for r in batch
    ]
    await connection.execute(
        _RECORD,
        [r.delivery.tenant_id for r, _ in decided],
        [r.delivery.id for r, _ in decided],
        [r.delivery.created_at for r, _ in decided],
        [_STATES[type(decision)] for _, decision in decided],
        [r.delivery.attempts + 1 for r, _ in decided],
        [decision.at if isinstance(decision, RetryAt) else None for _, decision in decided],
        [r.attempt.status for r, _ in decided],
        [r.attempt.body_excerpt.replace("\x00", "")[:_EXCERPT] for r, _ in decided],
        [None if isinstance(r.attempt, Delivered) else r.attempt.kind for r, _ in decided],
        [r.at if isinstance(r.attempt, Delivered) else None for r, _ in decided],
    )
    for result, decision in decided:
        metrics.WEBHOOK_ATTEMPT_SECONDS.observe(result.attempt.duration_ms / 1000)
        metrics.WEBHOOK_ATTEMPTS.labels(outcome=_OUTCOMES[type(decision)]).inc()
        await _judge_endpoint(connection, result, gone=isinstance(decision, DisableEndpoint))


async def _judge_endpoint(connection: HotConnection, result: Result, *, gone: bool) -> None:
    """Remember since when an endpoint only fails, and switch it off when it is gone or failed too long."""
    endpoint = result.delivery.endpoint
    failing = failing_since(result.attempt, before=endpoint.failing_since, now=result.at)
    too_long = must_disable(failing, now=result.at)
    if failing == endpoint.failing_since and not gone and not too_long:
        return
    reason = "gone" if gone else "failing" if too_long else None
    changed = await connection.fetchval(
        """
        UPDATE webhook_endpoints SET failing_since = $3,
            state = CASE WHEN $4::text IS NULL THEN state ELSE 'disabled' END,
            disabled_reason = coalesce($4, disabled_reason)
        WHERE tenant_id = $1 AND id = $2 AND state = 'enabled' RETURNING id
        """,
        endpoint.tenant_id,
        endpoint.id,
        failing,
        reason,
    )
    if changed is not None and reason is not None:
        await write_events(connection, [_disabled(endpoint, reason)])


def _disabled(endpoint: WebhookEndpoint, reason: str) -> NewEvent:
    return NewEvent(
        id=new_uuid(),
        tenant_id=endpoint.tenant_id,
        type="webhook_endpoint.disabled",
        data=msgspec.Raw(
            msgspec.json.encode(
                {"endpoint_id": encode("wh", endpoint.id), "url": endpoint.url, "reason": reason}
            )
        ),
    )


_STATES: dict[type, str] = {
    Done: "delivered",
    RetryAt: "pending",
    Exhausted: "failed",
    DisableEndpoint: "failed",
}
_OUTCOMES: dict[type, str] = {
    Done: "delivered",
    RetryAt: "failed",
    Exhausted: "exhausted",
    DisableEndpoint: "disabled",
}
