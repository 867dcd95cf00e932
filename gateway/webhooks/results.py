"""What became of posts, written in batches: the attempts, the deliveries, and what they say of endpoints."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from gateway.telemetry import metrics
from gateway.webhooks.circuit import Seen
from gateway.webhooks.due import DueDelivery, give_up, owe_again
from gateway.webhooks.endpoint_health import Called, judge_endpoints, tell_signed, tell_unsigned
from gateway.webhooks.schedule import (
    Attempt,
    Decision,
    Delivered,
    DisableEndpoint,
    Done,
    Exhausted,
    Failed,
    RetryAt,
    decide,
)
from tenants.endpoints.models import WebhookEndpoint
from tenants.tables import HotConnection


class Result(Struct, frozen=True, kw_only=True):
    """One attempt of one delivery; `jitter` (0 to 1) was drawn by the sender."""

    delivery: DueDelivery
    attempt: Attempt
    reply_sealed: bytes | None
    """What the receiver said, sealed; None if it said nothing."""
    at: datetime
    jitter: float


_RECORD = """
    UPDATE webhook_deliveries w SET state = d.state, attempts = d.attempts,
        next_attempt_at = coalesce(d.next_attempt_at, w.next_attempt_at), response_status = d.response_status,
        error = d.error, delivered_at = d.delivered_at
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::smallint[], $6::timestamptz[],
        $7::smallint[], $8::text[], $9::timestamptz[])
        AS d (tenant_id, id, created_at, state, attempts, next_attempt_at, response_status, error,
              delivered_at)
    WHERE w.tenant_id = d.tenant_id AND w.id = d.id AND w.created_at = d.created_at
        AND (d.state = 'delivered' OR w.state || '' = 'pending' AND w.attempts < d.attempts)
"""
"""A sender that lost its lease writes late: its success counts, its failure does not undo another's word."""
_KEEP = """
    INSERT INTO webhook_attempts
        (tenant_id, delivery_id, at, number, duration_ms, response_status, response_sealed, error)
    SELECT d.* FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::smallint[], $5::integer[],
            $6::smallint[], $7::bytea[], $8::text[])
        AS d (tenant_id, delivery_id, at, number, duration_ms, response_status, response_sealed, error)
    WHERE NOT EXISTS (SELECT FROM tenant_erasures e WHERE e.tenant_id = d.tenant_id)
    ON CONFLICT DO NOTHING
"""
"""A post that was under way when its tenant was erased leaves nothing behind."""


async def write_results(connection: HotConnection, batch: Sequence[Result]) -> None:
    """Write a batch in the caller's transaction."""
    decided = await write_deliveries(connection, batch)
    await connection.execute(
        _KEEP,
        [r.delivery.tenant_id for r in batch],
        [r.delivery.id for r in batch],
        [r.at for r in batch],
        [r.delivery.attempts + 1 for r in batch],
        [r.attempt.duration_ms for r in batch],
        [r.attempt.status for r in batch],
        [r.reply_sealed for r in batch],
        [_error(r.attempt) for r in batch],
    )
    for result, decision in decided:
        metrics.WEBHOOK_ATTEMPT_SECONDS.observe(result.attempt.duration_ms / 1000)
        metrics.WEBHOOK_ATTEMPTS.labels(outcome=_OUTCOMES[type(decision)]).inc()
    gone = [result.delivery for result, decision in decided if isinstance(decision, DisableEndpoint)]
    moved = await judge_endpoints(
        connection, _seen(decided), gone={_called(each) for each in gone}, now=max(r.at for r in batch)
    )
    if again := [each for each in gone if each.endpoint.id in moved]:
        await owe_again(connection, again, at=max(r.at for r in batch))
    await tell_unsigned(connection, _unsigned(batch).values())
    await tell_signed(connection, _mended(batch).values())


async def write_deliveries(
    connection: HotConnection, batch: Sequence[Result]
) -> list[tuple[Result, Decision]]:
    """Write what becomes of the deliveries and nothing else, and return what was decided."""
    decided = [
        (r, decide(r.attempt, attempt=r.delivery.attempts + 1, now=r.at, jitter=r.jitter)) for r in batch
    ]
    await connection.execute(
        _RECORD,
        [r.delivery.tenant_id for r in batch],
        [r.delivery.id for r in batch],
        [r.delivery.created_at for r in batch],
        [_STATES[type(decision)] for _, decision in decided],
        [r.delivery.attempts + 1 for r in batch],
        [decision.at if isinstance(decision, RetryAt) else None for _, decision in decided],
        [r.attempt.status for r in batch],
        [_error(r.attempt) for r in batch],
        [r.at if isinstance(r.attempt, Delivered) else None for r in batch],
    )
    return decided


async def end_deliveries(connection: HotConnection, batch: Sequence[Result]) -> None:
    """End deliveries of which no more can be written than that."""
    await give_up(connection, [r.delivery for r in batch], error="result_refused")


def _error(attempt: Attempt) -> str | None:
    return None if isinstance(attempt, Delivered) else attempt.kind


def _unsigned(batch: Sequence[Result]) -> dict[UUID, WebhookEndpoint]:
    return {
        r.delivery.endpoint.id: r.delivery.endpoint
        for r in batch
        if isinstance(r.attempt, Failed) and r.attempt.kind == "unsigned"
    }


def _mended(batch: Sequence[Result]) -> dict[UUID, WebhookEndpoint]:
    """Return endpoints that work after they have failed, whatever they failed of."""
    return {
        r.delivery.endpoint.id: r.delivery.endpoint
        for r in batch
        if isinstance(r.attempt, Delivered) and r.delivery.endpoint.failing_since is not None
    }


def _seen(decided: Sequence[tuple[Result, Decision]]) -> dict[Called, list[Seen]]:
    """Return by what was called what its attempts say of it; an endpoint that simply works is left out."""
    found: dict[Called, list[Seen]] = {}
    for result, decision in decided:
        endpoint, called = result.delivery.endpoint, _called(result.delivery)
        is_well = endpoint.failures == 0 and endpoint.failing_since is None
        if is_well and isinstance(result.attempt, Delivered) and called not in found:
            continue
        found.setdefault(called, []).append(
            Seen(
                attempt=result.attempt,
                at=result.at,
                asked_until=decision.pause_endpoint_until if isinstance(decision, RetryAt) else None,
                is_probe=result.delivery.is_probe,
                jitter=result.jitter,
            )
        )
    return found


def _called(delivery: DueDelivery) -> Called:
    return delivery.endpoint.id, delivery.endpoint.url


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
