"""
The webhook senders: due deliveries are leased, posted, and their outcome recorded.

A delivery is leased by moving its next attempt a little into the future, so a sender that dies gives it
back by doing nothing; every event is posted at least once. One endpoint gets at most `_PER_ENDPOINT` posts
at a time, so a slow one cannot hold the others' room.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from gateway.clock import Clock
from gateway.messages.keys import DataKeys
from gateway.messages.models import Message
from gateway.messages.outbox import WAKE_CHANNEL, NewEvent, write_events
from gateway.telemetry import metrics
from gateway.webhooks.client import WebhookClient
from gateway.webhooks.payload import StoredEvent, body_of
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
from gateway.webhooks.signing import signed_headers
from tenants.endpoints.models import WebhookEndpoint
from tenants.endpoints.service import live_secrets
from tenants.ids import created_at, encode, new_uuid
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than the whole-exchange deadline of a post."""
_PER_ENDPOINT = 10
_CLAIM = 128
_POLL_S = 1.0
_RETRY_S = 0.5
_RECORD_BATCH = 128
_EXCERPT = 16_384


class DueDelivery(Struct, frozen=True, kw_only=True):
    """One delivery this sender has leased."""

    tenant_id: UUID
    id: UUID
    created_at: datetime
    endpoint: WebhookEndpoint
    event: StoredEvent
    attempts: int
    """Made before this one."""


class _Result(Struct, frozen=True, kw_only=True):
    delivery: DueDelivery
    attempt: Attempt
    at: datetime
    jitter: float


_LEASE_DUE = """
    UPDATE webhook_deliveries d SET next_attempt_at = $2
    WHERE (d.tenant_id, d.id, d.created_at) IN (
        SELECT tenant_id, id, created_at FROM webhook_deliveries
        WHERE state = 'pending' AND next_attempt_at <= $1
        ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING d.tenant_id, d.id, d.created_at, d.endpoint_id, d.event_id, d.attempts
"""
_EVENTS = """
    SELECT id, tenant_id, type, message_id, sequence, data FROM events
    WHERE id = ANY($1::uuid[]) AND created_at BETWEEN $2 AND $3
"""
_MESSAGES = "SELECT * FROM messages WHERE id = ANY($1::uuid[]) AND created_at BETWEEN $2 AND $3"
_ENDPOINTS = "SELECT * FROM webhook_endpoints WHERE id = ANY($1::uuid[])"
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


class WebhookSender:
    """Posts what is due; any number of processes may run one."""

    def __init__(
        self,
        *,
        pool: "asyncpg.Pool[asyncpg.Record]",
        database_url: str,
        client: WebhookClient,
        keys: DataKeys,
        clock: Clock,
        in_flight: int,
    ) -> None:
        self._pool = pool
        self._database_url = database_url
        self._client = client
        self._keys = keys
        self._clock = clock
        self._free = in_flight
        self._wake = asyncio.Event()
        self._busy: Counter[UUID] = Counter()
        self._posts: set[asyncio.Task[None]] = set()
        self._results: list[_Result] = []
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; posts under way are then finished and recorded."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                group.create_task(self._record_forever())
                group.create_task(self._send_forever())
        finally:
            if self._posts:
                await asyncio.gather(*self._posts, return_exceptions=True)
            if self._results:
                await self._record(self._results)

    async def _listen(self) -> None:
        """Wake at once when an event is written; without the connection, the poll does it."""
        while True:
            try:
                connection = await asyncpg.connect(self._database_url)
                try:
                    await connection.add_listener(WAKE_CHANNEL, self._woken)
                    while not connection.is_closed():
                        await connection.fetchval("SELECT 1", timeout=5)
                        await asyncio.sleep(_POLL_S)
                finally:
                    await connection.close(timeout=1)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                _log.warning("webhook_listener_lost", error=str(error))
            await asyncio.sleep(_POLL_S)

    def _woken(self, *_: object) -> None:
        self._wake.set()

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            try:
                leased = await self._lease() if self._free > 0 else 0
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("webhook_lease_failed", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if not leased or self._free <= 0:
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _lease(self) -> int:
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_LEASE_DUE, now, now + LEASE, min(self._free, _CLAIM))
            due = await _read(connection, rows)
        self._free -= len(due)
        for delivery in due:
            task = asyncio.create_task(self._post(delivery))
            self._posts.add(task)
            task.add_done_callback(self._ended)
        return len(rows)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._posts.discard(task)
        self._free += 1
        self._wake.set()

    async def _post(self, delivery: DueDelivery) -> None:
        endpoint = delivery.endpoint
        if self._busy[endpoint.id] >= _PER_ENDPOINT:
            # Its lease runs out and it comes again; the room goes to other endpoints.
            await self._postpone(delivery)
            return
        self._busy[endpoint.id] += 1
        try:
            attempt = await self._exchange(delivery)
        finally:
            self._busy[endpoint.id] -= 1
        self._results.append(
            _Result(
                delivery=delivery,
                attempt=attempt,
                at=self._clock.now(),
                jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            )
        )
        self._arrived.set()

    async def _exchange(self, delivery: DueDelivery) -> Attempt:
        key = await self._keys.of(delivery.tenant_id)
        now = self._clock.now()
        body = body_of(delivery.event, key)
        headers = signed_headers(
            live_secrets(delivery.endpoint, key, now=now),
            webhook_id=encode("evt", delivery.event.id),
            at=now,
            body=body,
        )
        headers["content-type"] = "application/json"
        return await self._client.post(
            delivery.tenant_id, delivery.endpoint.url, headers=headers, body=body.encode()
        )

    async def _postpone(self, delivery: DueDelivery) -> None:
        await self._pool.execute(
            """
            UPDATE webhook_deliveries SET next_attempt_at = $4
            WHERE tenant_id = $1 AND id = $2 AND created_at = $3
            """,
            delivery.tenant_id,
            delivery.id,
            delivery.created_at,
            self._clock.now() + timedelta(milliseconds=100),
        )

    async def _record_forever(self) -> None:
        while True:
            await self._arrived.wait()
            batch, self._results = self._results[:_RECORD_BATCH], self._results[_RECORD_BATCH:]
            if not self._results:
                self._arrived.clear()
            await self._record(batch)

    async def _record(self, batch: Sequence[_Result]) -> None:
        while batch:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await _write(connection, batch)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("webhook_record_failed", results=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return


async def _read(connection: HotConnection, rows: Sequence[asyncpg.Record]) -> list[DueDelivery]:
    """Return the leased deliveries with their events, messages and endpoints; orphans are closed."""
    if not rows:
        return []
    events = {row["id"]: row for row in await _by_id(connection, _EVENTS, {row["event_id"] for row in rows})}
    message_ids = {row["message_id"] for row in events.values() if row["message_id"] is not None}
    messages = {row["id"]: Message(**dict(row)) for row in await _by_id(connection, _MESSAGES, message_ids)}
    endpoint_rows = await connection.fetch(_ENDPOINTS, list({row["endpoint_id"] for row in rows}))
    endpoints = {row["id"]: WebhookEndpoint(**dict(row)) for row in endpoint_rows}
    found: list[DueDelivery] = []
    orphans: list[UUID] = []
    for row in rows:
        endpoint, event = endpoints.get(row["endpoint_id"]), events.get(row["event_id"])
        if endpoint is None or event is None or endpoint.state != "enabled":
            orphans.append(row["id"])
            continue
        found.append(_due(row, endpoint, event, messages))
    if orphans:
        await connection.execute(
            """
            UPDATE webhook_deliveries SET state = 'failed', error = 'endpoint_disabled'
            WHERE id = ANY($1::uuid[])
            """,
            orphans,
        )
    return found


def _due(
    row: asyncpg.Record, endpoint: WebhookEndpoint, event: asyncpg.Record, messages: dict[UUID, Message]
) -> DueDelivery:
    return DueDelivery(
        tenant_id=row["tenant_id"],
        id=row["id"],
        created_at=row["created_at"],
        endpoint=endpoint,
        attempts=row["attempts"],
        event=StoredEvent(
            id=event["id"],
            type=event["type"],
            sequence=event["sequence"],
            data=event["data"],
            message=messages.get(event["message_id"]),
        ),
    )


async def _by_id(connection: HotConnection, query: str, ids: set[UUID]) -> list[asyncpg.Record]:
    if not ids:
        return []
    return await connection.fetch(query, list(ids), created_at(min(ids)), created_at(max(ids)))


async def _write(connection: HotConnection, batch: Sequence[_Result]) -> None:
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
        metrics.WEBHOOK_ATTEMPTS.labels(outcome=_OUTCOMES[type(decision)]).inc()
        await _judge_endpoint(connection, result, gone=isinstance(decision, DisableEndpoint))


async def _judge_endpoint(connection: HotConnection, result: _Result, *, gone: bool) -> None:
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
