"""What a tenant shall have at AWS, what is there, and the steps between the two. Data only."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from gateway.carrier.provision.ports import SenderType

Action = Literal["create", "adopt", "change", "keep", "delete", "missing", "blocked"]
"""`missing`: ours, and gone at AWS; `blocked`: something has to happen first, as `diff` says."""
Kind = Literal[
    "opt_out_list",
    "number",
    "sender_id",
    "configuration_set",
    "event_destination",
    "protect",
    "pool",
    "pool_member",
    "two_way",
    "keyword",
]
DESTINATION: Final = "tollgate"
"""Name of the event destination in each tenant's configuration set."""
WARN_AT: Final = 0.8
"""Share of a quota from which on a plan warns."""


class WantedSender(Struct, frozen=True, kw_only=True):
    """One origination identity that the tenant shall have."""

    country: str
    type: SenderType
    value: str | None = None
    """None lets AWS pick a number."""
    arn: str | None = None
    """Set where it is the tenant's already."""
    promotional: bool = False
    pooled: bool = True
    """Whether it belongs into the tenant's AWS pool."""
    two_way: bool = False
    self_managed: bool = False
    monthly: int = 0
    """The lease by the tenant's price book, in the plan's unit."""


class Desired(Struct, frozen=True, kw_only=True):
    """All that the tenant shall have in one account."""

    name: str
    """Of its opt-out list and configuration set."""
    senders: tuple[WantedSender, ...] = ()
    dedicated_pool: bool = True
    pool_arn: str | None = None
    """Of the pool that was made for it."""
    topic_arn: str | None = None
    """None until the account has one; events and answers are published there."""
    protect_id: str | None = None
    """Of the protect configuration that its sends shall fall under; None where there is none of its own."""
    keywords: Mapping[str, str] = {}
    """What STOP and HELP answer in the tenant's own words; AWS's where they are not named."""
    taken: frozenset[str] = frozenset()
    """ARNs that are some tenant's, so that none is taken for a leftover."""
    shared: frozenset[str] = frozenset()
    """ARNs that another tenant has, too: their settings are not one tenant's to change."""


class SeenNumber(Struct, frozen=True, kw_only=True):
    """A number that the account leases."""

    arn: str
    value: str
    country: str
    type: str
    promotional: bool
    active: bool
    opt_out_list: str
    two_way: bool
    topic_arn: str | None
    self_managed: bool
    pool_id: str | None
    protected: bool
    monthly_usd: str
    """What AWS bills for it."""


class SeenSenderId(Struct, frozen=True, kw_only=True):
    """A sender id that the account holds."""

    arn: str
    value: str
    country: str
    protected: bool
    monthly_usd: str


class SeenDestination(Struct, frozen=True, kw_only=True):
    """An event destination of the tenant's configuration set."""

    name: str
    enabled: bool
    event_types: tuple[str, ...]
    topic_arn: str | None


class SeenSet(Struct, frozen=True, kw_only=True):
    """The tenant's configuration set."""

    arn: str
    destinations: tuple[SeenDestination, ...] = ()
    protect_id: str | None = None


class SeenPool(Struct, frozen=True, kw_only=True):
    """The tenant's pool."""

    id: str
    arn: str
    members: tuple[str, ...]
    """ARNs, in AWS's order."""
    countries: Mapping[str, str]
    """Of each member, by ARN."""
    opt_out_list: str
    two_way: bool
    topic_arn: str | None
    self_managed: bool
    protected: bool


class Quota(Struct, frozen=True, kw_only=True):
    """How many of a kind the account has, and may have."""

    used: int
    most: int


class World(Struct, frozen=True, kw_only=True):
    """What one account has, as far as it matters to one tenant."""

    numbers: tuple[SeenNumber, ...] = ()
    sender_ids: tuple[SeenSenderId, ...] = ()
    opt_out_list: bool = False
    configuration_set: SeenSet | None = None
    pool: SeenPool | None = None
    keywords: Mapping[str, Mapping[str, str]] = {}
    """What STOP and HELP answer, by the ARN of the number or pool."""
    quotas: Mapping[str, Quota] = {}
    """By AWS's name of the limit, such as `POOLS`."""


class AwsCall(Struct, frozen=True, kw_only=True):
    """One request."""

    action: str
    """As aioboto3 spells it."""
    members: Mapping[str, Any]


class Step(Struct, frozen=True, kw_only=True):
    """One thing, and what is done about it."""

    action: Action
    kind: Kind
    name: str
    diff: tuple[str, ...] = ()
    """Sentences for a person: what differs, what it costs, why it waits."""
    monthly: int = 0
    """What a new lease costs, in the plan's unit."""
    calls: tuple[AwsCall, ...] = ()
    """What a change or deletion asks of AWS; a creation needs ARNs that come up on the way."""
    requests: int = 0
    """How many requests a creation makes."""


class Plan(Struct, frozen=True, kw_only=True):
    """Steps in the order in which they are taken."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why it cannot be applied, each with the way out."""

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that are not `keep`."""
        return tuple(step for step in self.steps if step.action != "keep")

    @property
    def seconds(self) -> int:
        """How long it takes at one request a second per action: as long as the most frequent one."""
        counts: dict[str, int] = {}
        for step in self.changes:
            for call in step.calls:
                counts[call.action] = counts.get(call.action, 0) + 1
            made = f"create {step.kind}"
            counts[made] = counts.get(made, 0) + step.requests
        return max(counts.values(), default=0)
