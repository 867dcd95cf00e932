"""Looking before making: plans, drift, and taking away again. What the edge asks of the carrier."""

from typing import Protocol
from uuid import UUID

from msgspec import Struct

from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, ProvisionResult
from gateway.carrier.provision.shapes import Plan
from gateway.carrier.provision.spare_ports import SpareNumber, SpareWish
from tenants.credits.pricing import Unit
from tenants.scope import TenantScope
from tenants.senders.inventory import Owner


class Planned(Struct, frozen=True, kw_only=True):
    """A plan and what names it."""

    plan: Plan
    fingerprint: str
    account_id: UUID
    unit: Unit
    """Of its costs: `micros` or `credits`."""


class PlanChanged(Struct, frozen=True, kw_only=True):
    """AWS or the tenant is otherwise than when the plan was made."""

    changes: tuple[str, ...]


class TeardownRequest(Struct, frozen=True, kw_only=True):
    """How much is taken away."""

    account_id: UUID | None = None
    release_numbers: bool = False
    """Whether numbers and sender ids are given back to AWS, for good."""
    delete_opt_out_list: bool = False
    """Whether AWS's list goes, too; the gateway's own keeps every opt-out."""
    drained: bool = False
    """Whether messages that still wait may be given up on."""


class HeldIdentity(Struct, frozen=True, kw_only=True):
    """One origination identity that an account leases, and who has it."""

    arn: str
    value: str
    type: str
    country: str
    active: bool
    protected: bool
    pooled: bool
    opt_out_list: str | None
    monthly_usd: str
    owners: tuple[Owner, ...]


class ProvisionDesk(Protocol):
    """Plans without writing, applies what was seen, tells drift, tears down in order."""

    async def plan(self, scope: TenantScope, request: ProvisionRequest) -> Planned | ProvisionRefused:
        """
        Compare AWS with what is asked for; nothing is written.

        Raises:
            tenants.errors.NotFound: There is no such tenant.
            gateway.errors.Unavailable: AWS or Postgres does not answer.
        """
        ...

    async def drift(self, scope: TenantScope, account_id: UUID | None) -> Planned | ProvisionRefused:
        """Compare AWS with what the tenant has; `plan` without wishes. Raises as `plan`."""
        ...

    async def apply(
        self, scope: TenantScope, request: ProvisionRequest, fingerprint: str
    ) -> ProvisionResult | ProvisionRefused | PlanChanged:
        """Do what a plan said, if it would still say the same. Raises as `plan`."""
        ...

    async def teardown_plan(self, scope: TenantScope, request: TeardownRequest) -> Planned | ProvisionRefused:
        """Tell what a teardown would take away; nothing is written. Raises as `plan`."""
        ...

    async def teardown(
        self, scope: TenantScope, request: TeardownRequest
    ) -> tuple[str, ...] | ProvisionRefused:
        """Stop the tenant's senders and take away what it has; return what went. Raises as `plan`."""
        ...

    async def request_spare(self, account_id: UUID | None, wish: SpareWish) -> SpareNumber | ProvisionRefused:
        """Lease a number for no tenant, once for a reference. Raises as `plan`."""
        ...

    async def protect(
        self, account_id: UUID | None, number_id: str, *, protected: bool
    ) -> SpareNumber | ProvisionRefused | None:
        """Switch a number's deletion protection; None where there is no such number. Raises as `plan`."""
        ...

    async def release_spare(
        self, account_id: UUID | None, number_id: str
    ) -> SpareNumber | ProvisionRefused | None:
        """Release a number that is nobody's; None where there is no such number. Raises as `plan`."""
        ...

    async def held(self, account_id: UUID | None) -> tuple[HeldIdentity, ...] | ProvisionRefused:
        """Return all that an account leases. Raises as `plan`."""
        ...
