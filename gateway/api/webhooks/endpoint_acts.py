"""What is done to webhook endpoints: for a tenant or the operator, in its transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.desk import Desk
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.webhooks.endpoint_views import EndpointView, EndpointWithSecret, endpoint_view, with_secret
from gateway.webhooks.signing import new_secret
from tenants.accounts.sealing import DataKey
from tenants.endpoints import service
from tenants.endpoints.subscription import EndpointChanges, NewEndpoint
from tenants.scope import TenantScope

_NOTHING: Final = EndpointChanges()

EndpointState = Literal["enabled", "disabled"]


def endpoint_id_of(text: str) -> UUID:
    """
    Return the UUID behind an endpoint's id in a path.

    Raises:
        NotFound: The text is no such id.
    """
    return path_id("wh", text, "webhook endpoint")


async def check_url(desk: Desk, url: str) -> None:
    """
    Look at where a URL leads.

    Raises:
        Refusal: Webhooks are not sent there.
    """
    reason = await desk.services.webhook_url_check(url)
    if reason is not None:
        raise Refusal.of_field("/url", "webhook_url_refused", reason)


def changes_of(
    *, url: str | UnsetType, events: Sequence[str] | UnsetType, description: str | UnsetType
) -> EndpointChanges:
    """Return what a PATCH changes, whichever events its sender may name."""
    wanted = UNSET if isinstance(events, UnsetType) else [*events]
    return EndpointChanges(url=url, events=wanted, description=description)


async def add(
    scope: TenantScope, session: AsyncSession, key: DataKey, new: NewEndpoint
) -> EndpointWithSecret:
    """
    Add an endpoint with a fresh secret, shown this once.

    Raises:
        InvalidInput: The URL, an event type or the description breaks a rule.
        Conflict: The owner has as many endpoints as there may be.
    """
    secret = new_secret()
    row = await service.create(scope, session, key, new, secret=secret)
    await session.refresh(row)
    return with_secret(row, secret)


async def change(
    scope: TenantScope,
    session: AsyncSession,
    endpoint_id: UUID,
    changes: EndpointChanges,
    state: EndpointState | UnsetType,
    *,
    reason: str,
) -> EndpointView:
    """
    Change what a PATCH names.

    Args:
        reason: Why the endpoint is disabled, if it is.

    Raises:
        NotFound: The owner has no such endpoint.
        InvalidInput: The URL, an event type or the description breaks a rule.
    """
    row = await service.get(scope, session, endpoint_id)
    if changes != _NOTHING:
        row = await service.update(scope, session, endpoint_id, changes)
    if state == "enabled":
        row = await service.enable(scope, session, endpoint_id)
    if state == "disabled":
        row = await service.disable(scope, session, endpoint_id, reason=reason)
    return endpoint_view(row)


async def rotate(
    scope: TenantScope, session: AsyncSession, key: DataKey, endpoint_id: UUID, *, now: datetime
) -> EndpointWithSecret:
    """
    Give an endpoint a fresh secret, shown this once.

    Raises:
        NotFound: The owner has no such endpoint.
    """
    secret = new_secret()
    row = await service.rotate_secret(scope, session, key, endpoint_id, secret=secret, now=now)
    return with_secret(row, secret)
