"""What a tenant may do, as the admission script needs to know it: a read model of Postgres, versioned."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

from tenants.accounts.lifecycle import TenantState


class TenantPolicy(Struct, frozen=True, kw_only=True):
    """
    One tenant's rules.

    The version grows with every change in Postgres; Redis keeps the highest it has seen.
    """

    tenant_id: UUID
    version: int
    state: TenantState
    live: bool
    """False until onboarding is finished: only test keys may send."""
    free_text: bool
    """False for the models whose every message comes from an approved template."""
    countries: frozenset[str] = frozenset()
    """ISO 3166 alpha-2 codes of the destinations allowed; empty allows none."""
    templates: Mapping[UUID, frozenset[int]] = msgspec.field(default_factory=dict[UUID, frozenset[int]])
    """The versions that may be sent; an approved one stays usable until another replaces it."""
    requests_per_second: float | None = None
    country_refuse_mps: Mapping[str, float] = msgspec.field(default_factory=dict[str, float])
    """Parts per second and country, for plans that refuse what is above the rate instead of queueing it."""
    country_daily_caps: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])
    """Live messages a UTC day and country, for countries whose rollout is capped."""
    protect_blocks: frozenset[str] = frozenset()
    """What protect configurations block, each by `protect_block`."""


def protect_block(configuration_id: UUID, channel: str, country: str) -> str:
    """Return the name of "this configuration blocks this country on this channel"."""
    return f"{configuration_id.hex}:{channel}:{country}"
