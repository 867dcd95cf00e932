"""Webhook endpoints as tenants and the operator see theirs."""

from msgspec import Struct, structs

from gateway.messages.view import timestamp
from tenants.endpoints.models import WebhookEndpoint
from tenants.ids import encode


class EndpointView(Struct, frozen=True, kw_only=True):
    """An endpoint without its secret."""

    id: str
    url: str
    description: str
    events: list[str]
    """Types it is told of; empty for all."""
    state: str
    """`enabled` or `disabled`."""
    disabled_reason: str | None
    failing_since: str | None
    """Since when every attempt failed; after five days it is disabled."""
    paused_until: str | None
    """Until then nothing is posted; then one delivery is tried, and the others follow if it arrives."""
    pause_reason: str | None
    """`asked` by your server (429 or 503 with Retry-After), or `failing` five times in a row."""
    old_secret_until: str | None
    """Until then the secret before the last rotation signs, too."""
    created_at: str | None


class EndpointWithSecret(EndpointView, frozen=True, kw_only=True):
    """An endpoint at the one moment its secret is shown."""

    secret: str
    """`whsec_…`, for any Standard Webhooks library."""


def endpoint_view(row: WebhookEndpoint) -> EndpointView:
    """Return an endpoint as lists show it."""
    return EndpointView(
        id=encode("wh", row.id),
        url=row.url,
        description=row.description,
        events=row.events,
        state=row.state,
        disabled_reason=row.disabled_reason,
        failing_since=timestamp(row.failing_since),
        paused_until=timestamp(row.paused_until),
        pause_reason=row.pause_reason,
        old_secret_until=timestamp(row.old_secret_until),
        created_at=timestamp(row.created_at),
    )


def with_secret(row: WebhookEndpoint, secret: str) -> EndpointWithSecret:
    """Return an endpoint with its secret, this once."""
    return EndpointWithSecret(**structs.asdict(endpoint_view(row)), secret=secret)
