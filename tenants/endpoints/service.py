"""
What is done with webhook endpoints. Secrets come from the caller as text and are stored sealed.

A secret is sealed in the context of its endpoint, so one endpoint's secret never opens as another's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.endpoints import store, subscription
from tenants.endpoints.models import WebhookEndpoint
from tenants.endpoints.subscription import (
    DISABLED_TASK,
    MOST_ENDPOINTS,
    SECRET_OVERLAP,
    UNSIGNED_TASK,
    EndpointChanges,
    NewEndpoint,
)
from tenants.errors import Conflict, NotFound, SealBroken
from tenants.ids import encode, new_uuid
from tenants.inbox import service as inbox
from tenants.scope import TenantScope


class Target(Struct, frozen=True, kw_only=True):
    """An enabled endpoint, as a fan-out needs it."""

    endpoint_id: UUID
    url: str
    events: frozenset[str]
    """Empty for all."""


async def create(
    scope: TenantScope, session: AsyncSession, data_key: DataKey, new: NewEndpoint, *, secret: str
) -> WebhookEndpoint:
    """
    Add an endpoint, enabled; the caller shows the secret once.

    Raises:
        InvalidInput: The URL, an event type or the description breaks a rule.
        Conflict: There are `MOST_ENDPOINTS` already.
    """
    if await store.count(scope, session) >= MOST_ENDPOINTS:
        detail = f"There are {MOST_ENDPOINTS} endpoints: remove one first."
        raise Conflict("too_many_webhook_endpoints", detail)
    endpoint_id = new_uuid()
    endpoint = WebhookEndpoint(
        tenant_id=scope.tenant_id,
        id=endpoint_id,
        url=subscription.check_url(new.url),
        events=subscription.check_events(new.events),
        description=subscription.check_description(new.description),
        secret_sealed=data_key.seal(secret.encode(), context=_context(endpoint_id)),
    )
    session.add(endpoint)
    await session.flush()
    await _note(scope, session, endpoint_id, "webhook_endpoint.created", {"events": endpoint.events})
    return endpoint


async def get(scope: TenantScope, session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """
    Return an endpoint.

    Raises:
        NotFound: The tenant has no such endpoint.
    """
    return _found(await store.get(scope, session, endpoint_id))


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[WebhookEndpoint]:
    """Return up to `limit` endpoints, newest first; ask for one more to learn whether others follow."""
    return await store.page(scope, session, limit=limit, after=after)


async def targets(scope: TenantScope, session: AsyncSession, event_type: str) -> list[Target]:
    """Return the enabled endpoints that want an event."""
    return [
        Target(endpoint_id=row.id, url=row.url, events=frozenset(row.events))
        for row in await store.enabled(scope, session)
        if subscription.wants(row.events, event_type)
    ]


async def update(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, changes: EndpointChanges
) -> WebhookEndpoint:
    """
    Change what a PATCH names; at another URL it is as if the endpoint had never failed.

    Raises:
        NotFound: The tenant has no such endpoint.
        InvalidInput: The URL, an event type or the description breaks a rule.
    """
    endpoint = await _locked(scope, session, endpoint_id)
    if changes.url is not UNSET and changes.url != endpoint.url:
        endpoint.url = subscription.check_url(changes.url)
        _forget_failures(endpoint)
    if changes.events is not UNSET:
        endpoint.events = subscription.check_events(changes.events)
    if changes.description is not UNSET:
        endpoint.description = subscription.check_description(changes.description)
    changed = [name for name in changes.__struct_fields__ if getattr(changes, name) is not UNSET]
    await session.flush()
    await _note(scope, session, endpoint_id, "webhook_endpoint.changed", {"changed": changed})
    return endpoint


async def delete(scope: TenantScope, session: AsyncSession, endpoint_id: UUID) -> None:
    """
    Remove an endpoint and its secrets; deliveries to it that wait find nobody.

    Raises:
        NotFound: The tenant has no such endpoint.
    """
    await session.delete(await _locked(scope, session, endpoint_id))
    await session.flush()
    await _note(scope, session, endpoint_id, "webhook_endpoint.deleted", {})


async def disable(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, *, reason: str
) -> WebhookEndpoint:
    """
    Stop telling an endpoint; disabling it again keeps the first reason.

    Raises:
        NotFound: The tenant has no such endpoint.
    """
    endpoint = await _locked(scope, session, endpoint_id)
    if endpoint.state != "disabled":
        endpoint.state, endpoint.disabled_reason = "disabled", reason
        await session.flush()
        await _note(scope, session, endpoint_id, "webhook_endpoint.disabled", {"reason": reason})
    return endpoint


async def enable(scope: TenantScope, session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """
    Tell an endpoint again, as if it had never failed.

    Raises:
        NotFound: The tenant has no such endpoint.
    """
    endpoint = await _locked(scope, session, endpoint_id)
    if endpoint.state != "enabled":
        endpoint.state, endpoint.disabled_reason = "enabled", None
        _forget_failures(endpoint)
        await session.flush()
        await inbox.settle(
            session,
            kind=DISABLED_TASK,
            subject=encode("wh", endpoint_id),
            tenant_id=scope.tenant_id,
            note="The endpoint was enabled again.",
        )
        await _note(scope, session, endpoint_id, "webhook_endpoint.enabled", {})
    return endpoint


async def rotate_secret(
    scope: TenantScope,
    session: AsyncSession,
    data_key: DataKey,
    endpoint_id: UUID,
    *,
    secret: str,
    now: datetime,
) -> WebhookEndpoint:
    """
    Give an endpoint a new secret; the one before signs beside it for 24 hours.

    A second rotation within that time drops the oldest of the three: only two ever sign. One that does not
    open signs nothing, and is dropped at once.

    Raises:
        NotFound: The tenant has no such endpoint.
    """
    endpoint = await _locked(scope, session, endpoint_id)
    keeps = _opens(endpoint, data_key)
    endpoint.old_secret_sealed = endpoint.secret_sealed if keeps else None
    endpoint.old_secret_until = now + SECRET_OVERLAP if keeps else None
    endpoint.secret_sealed = data_key.seal(secret.encode(), context=_context(endpoint_id))
    await session.flush()
    await inbox.settle(
        session,
        kind=UNSIGNED_TASK,
        subject=encode("wh", endpoint_id),
        tenant_id=scope.tenant_id,
        note="The endpoint has another secret.",
    )
    await _note(scope, session, endpoint_id, "webhook_endpoint.secret_rotated", {})
    return endpoint


def live_secrets(endpoint: WebhookEndpoint, data_key: DataKey, *, now: datetime) -> list[str]:
    """
    Return every secret that signs now, the newest first.

    Raises:
        SealBroken: One of them does not open.
    """
    sealed = [endpoint.secret_sealed]
    if endpoint.old_secret_sealed is not None and subscription.old_secret_signs(
        endpoint.old_secret_until, now=now
    ):
        sealed.append(endpoint.old_secret_sealed)
    return [data_key.open(secret, context=_context(endpoint.id)).decode() for secret in sealed]


def _opens(endpoint: WebhookEndpoint, data_key: DataKey) -> bool:
    try:
        data_key.open(endpoint.secret_sealed, context=_context(endpoint.id))
    except SealBroken:
        return False
    return True


def _forget_failures(endpoint: WebhookEndpoint) -> None:
    endpoint.failures, endpoint.failing_since = 0, None
    endpoint.paused_until, endpoint.pause_reason = None, None


def _context(endpoint_id: UUID) -> bytes:
    return b"webhook-secret:" + endpoint_id.bytes


def _found(endpoint: WebhookEndpoint | None) -> WebhookEndpoint:
    if endpoint is None:
        raise NotFound("webhook endpoint")
    return endpoint


async def _locked(scope: TenantScope, session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    return _found(await store.get(scope, session, endpoint_id, lock=True))


async def _note(
    scope: TenantScope, session: AsyncSession, endpoint_id: UUID, action: str, detail: dict[str, Any]
) -> None:
    await audit.append(scope, session, action=action, subject=encode("wh", endpoint_id), detail=detail)
