"""What the choice of a sender rests on: a tenant's identities, pools and routes, as plain values."""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from gateway.lanes.quotas import SenderGates


class SenderFact(Struct, frozen=True, kw_only=True):
    """An origination identity of the tenant that was not released."""

    id: UUID
    identity: UUID
    """What its lanes are named by: tenants that share a number stand in the same ones."""
    account_id: UUID
    type: str
    value: str
    country: str
    arn: str
    message_types: frozenset[str]
    parts_per_second: float
    state: str = "active"
    """Only `active` ones are taken; the others are listed with that reason."""
    channels: frozenset[str] = frozenset({"sms"})
    """What it can carry: `sms`, `mms`, `voice`."""
    two_way: bool = False
    """Whether a person can answer to it."""
    use_cases: frozenset[str] = frozenset()
    """The use cases it is registered for; empty where the country asks for no registration."""
    actions_per_second: Mapping[str, float] = {}
    """Requests per second that its account grants `mms` and `voice`; AWS counts each action by itself."""
    quota: SenderGates | None = None
    """Its gates where they are more than the one rate."""

    @property
    def gates(self) -> SenderGates:
        """What limits it."""
        return self.quota or SenderGates(parts_per_second=self.parts_per_second)


class PoolFact(Struct, frozen=True, kw_only=True):
    """A pool and its members in order."""

    id: UUID
    message_types: frozenset[str]
    sender_ids: tuple[UUID, ...]


class RouteFact(Struct, frozen=True, kw_only=True):
    """An AWS account in a Region, as one tenant may use it."""

    account_id: UUID
    region: str
    position: int = 0
    """Its place in the tenant's list; 0 for all while the operator has set no order."""
    shared_routes: bool = False
    """Whether the operator lets messages of this account leave by AWS's shared routes."""
    sandbox: bool = False
    """Whether AWS lets the account reach verified numbers and simulators only."""


class TenantRouting(Struct, frozen=True, kw_only=True):
    """All that one tenant could send from."""

    senders: Mapping[UUID, SenderFact]
    pools: tuple[PoolFact, ...]
    routes: Mapping[UUID, RouteFact]
    """By account; an account that is not here carries nothing of the tenant's."""
    configuration_sets: Mapping[UUID, str]
    """AWS account to the name of the tenant's configuration set there."""
    shared_routes: bool = False
    """Whether the tenant's plan lets messages leave by shared routes; the route must say so, too."""
    sticky_sender: bool = False
    """Whether the tenant's plan keeps a recipient with one of several equal senders."""
