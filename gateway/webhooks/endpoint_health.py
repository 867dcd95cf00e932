"""What attempts say of their endpoints, written down: the circuit, and the end of one that is dead."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, cast
from uuid import UUID

import asyncpg
import msgspec

from gateway.messages.outbox import NewEvent, write_events
from gateway.telemetry import metrics
from gateway.webhooks.circuit import Health, PauseReason, Seen, after
from gateway.webhooks.schedule import DISABLE_AFTER, must_disable
from tenants.endpoints.models import WebhookEndpoint
from tenants.endpoints.subscription import DISABLED_TASK, UNSIGNED_TASK
from tenants.ids import encode
from tenants.inbox.service import Task, post, settle
from tenants.tables import HotConnection

_READ = """
    SELECT id, tenant_id, url, failures, paused_until, pause_reason, failing_since FROM webhook_endpoints
    WHERE id = ANY ($1::uuid[]) AND state = 'enabled' ORDER BY id FOR UPDATE
"""
_WRITE = """
    UPDATE webhook_endpoints SET failures = $3, paused_until = $4, pause_reason = $5, failing_since = $6,
        holding = holding OR $4::timestamptz IS NOT NULL,
        state = CASE WHEN $7::text IS NULL THEN state ELSE 'disabled' END,
        disabled_reason = coalesce($7, disabled_reason)
    WHERE tenant_id = $1 AND id = $2
"""
_WHY = {
    "gone": "answered 410 Gone",
    "failing": f"failed every attempt for {DISABLE_AFTER.days} days",
}


Called: TypeAlias = tuple[UUID, str]
"""An endpoint, and the URL that was posted to: its owner may have changed it since."""


async def judge_endpoints(
    connection: HotConnection,
    seen: Mapping[Called, Sequence[Seen]],
    *,
    gone: Collection[Called],
    now: datetime,
) -> set[UUID]:
    """
    Pause, mend or switch off endpoints after attempts, in the caller's transaction.

    What an address says that was left meanwhile is not held against the one that took its place.

    Args:
        seen: By what was called.
        gone: Those that answered 410.
        now: When the last of the attempts ended.

    Returns:
        Endpoints that are called elsewhere than where the answer was 410.
    """
    if not seen:
        return set()
    rows = await connection.fetch(_READ, list({endpoint for endpoint, _ in seen}))
    for row in rows:
        called = (row["id"], row["url"])
        if called not in seen:
            continue
        before = msgspec.convert(dict(row), Health)
        health = after(before, seen[called])
        too_long = must_disable(health.failing_since, now=now)
        reason = "gone" if called in gone else "failing" if too_long else None
        if health != before or reason is not None:
            await _write(connection, row, health, reason)
        if health.paused_until is not None and health.paused_until != before.paused_until:
            metrics.WEBHOOK_PAUSES.labels(reason=health.pause_reason or "failing").inc()
    urls = {row["id"]: row["url"] for row in rows}
    return {endpoint for endpoint, url in gone if urls.get(endpoint, url) != url}


async def tell_unsigned(connection: HotConnection, endpoints: Iterable[WebhookEndpoint]) -> None:
    """Tell the operator of endpoints whose secret does not open, each once while that is so."""
    for endpoint in sorted(endpoints, key=lambda each: each.id):
        await post(connection, _unsigned_task(endpoint))


async def tell_signed(connection: HotConnection, endpoints: Iterable[WebhookEndpoint]) -> None:
    """Close what the operator was told of endpoints whose secret opens again."""
    for endpoint in sorted(endpoints, key=lambda each: each.id):
        await settle(
            connection,
            kind=UNSIGNED_TASK,
            subject=encode("wh", endpoint.id),
            tenant_id=endpoint.tenant_id,
            note="A delivery was signed and has arrived.",
        )


async def _write(
    connection: HotConnection, row: asyncpg.Record, health: Health, disabled_reason: str | None
) -> None:
    await connection.execute(
        _WRITE,
        row["tenant_id"],
        row["id"],
        health.failures,
        health.paused_until,
        health.pause_reason,
        health.failing_since,
        disabled_reason,
    )
    if disabled_reason is not None:
        await write_events(connection, [_disabled(row, disabled_reason)])
        await post(connection, _task(row, disabled_reason))


def health_of(endpoint: WebhookEndpoint) -> Health:
    """Return what an endpoint's row says."""
    return Health(
        failures=endpoint.failures,
        paused_until=endpoint.paused_until,
        pause_reason=cast("PauseReason | None", endpoint.pause_reason),
        failing_since=endpoint.failing_since,
    )


def _disabled(row: asyncpg.Record, reason: str) -> NewEvent:
    data = {"endpoint_id": encode("wh", row["id"]), "url": row["url"], "reason": reason}
    return NewEvent(
        tenant_id=row["tenant_id"],
        type="webhook_endpoint.disabled",
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


def _task(row: asyncpg.Record, reason: str) -> Task:
    endpoint_id = encode("wh", row["id"])
    return Task(
        kind=DISABLED_TASK,
        subject=endpoint_id,
        tenant_id=row["tenant_id"],
        summary=(
            f"A webhook endpoint {_WHY[reason]} and was switched off; its owner hears nothing there until "
            "it is mended and enabled again."
        ),
        detail={"endpoint_id": endpoint_id, "reason": reason},
    )


def _unsigned_task(endpoint: WebhookEndpoint) -> Task:
    endpoint_id = encode("wh", endpoint.id)
    return Task(
        kind=UNSIGNED_TASK,
        subject=endpoint_id,
        tenant_id=endpoint.tenant_id,
        summary=(
            "A webhook endpoint's secret does not open, so nothing can be posted there; see that "
            "TOLLGATE_SECRET_KEY is the one it was sealed with, or have its owner rotate the secret."
        ),
        detail={"endpoint_id": endpoint_id},
    )
