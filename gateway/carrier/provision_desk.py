"""Plans, drift and their application over aioboto3."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.provision_fingerprint import differences, fingerprint_of
from gateway.carrier.provision_plan import plan
from gateway.carrier.provision_plan_ports import PlanChanged, Planned
from gateway.carrier.provision_ports import ProvisionRefused, ProvisionRequest, ProvisionResult
from gateway.carrier.provision_read import read_world
from gateway.carrier.provision_run import StepRefused, said
from gateway.carrier.provision_want import LeaseOf, desired_of
from gateway.carrier.provisioning import AwsProvisioner, wishes_of
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.credits import store as prices
from tenants.credits.monthly_fees import lease_of
from tenants.credits.pricing import UNITS
from tenants.scope import TenantScope
from tenants.senders.models import AwsAccount

_T = TypeVar("_T")


class AwsProvisionDesk:
    """One per process, on its provisioner."""

    def __init__(self, provisioner: AwsProvisioner, engine: AsyncEngine, clock: Clock) -> None:
        self._provisioner = provisioner
        self._engine = engine
        self._turns = provisioner.turns
        self._clock = clock

    async def plan(self, scope: TenantScope, request: ProvisionRequest) -> Planned | ProvisionRefused:
        """Compare AWS with what is asked for."""

        async def look() -> Planned:
            account = await self._provisioner.account_of(request.account_id)
            return await self._planned(scope, request, account)

        return await _said(look)

    async def drift(self, scope: TenantScope, account_id: UUID | None) -> Planned | ProvisionRefused:
        """Compare AWS with what the tenant has."""

        async def look() -> Planned:
            account = await self._provisioner.account_of(account_id)
            nothing_new = ProvisionRequest(account_id=account.id, dedicated_pool=False)
            return await self._planned(scope, nothing_new, account, wished=False)

        return await _said(look)

    async def apply(
        self, scope: TenantScope, request: ProvisionRequest, fingerprint: str
    ) -> ProvisionResult | ProvisionRefused | PlanChanged:
        """Plan again at this run's turn, and do it if it is the plan that was seen."""

        async def work() -> ProvisionResult | ProvisionRefused | PlanChanged:
            account = await self._provisioner.account_of(request.account_id)
            async with self._turns.turn(account.id):
                now = await self._planned(scope, request, account)
                changes = differences(fingerprint, now.plan, str(account.id))
                if changes:
                    return PlanChanged(changes=tuple(changes))
                if now.plan.refusals:
                    return ProvisionRefused(detail="; ".join(now.plan.refusals))
                return await self._provisioner.provision_in(scope, request, account, prune=True)

        return await _said(work)

    async def _planned(
        self, scope: TenantScope, request: ProvisionRequest, account: AwsAccount, *, wished: bool = True
    ) -> Planned:
        async with worker_transaction(self._engine) as session:
            tenant = await accounts.get(scope, session)
            desired = await desired_of(
                session,
                scope,
                tenant,
                account,
                wishes_of(request, tenant) if wished else (),
                dedicated_pool=request.dedicated_pool,
                lease_of=await self._leases(session, tenant),
            )
        async with self._provisioner.open(account) as aws:
            found = plan(desired, await read_world(aws, desired))
        return Planned(
            plan=found,
            fingerprint=fingerprint_of(found, str(account.id)),
            account_id=account.id,
            unit=UNITS[accounts.plan_of(tenant).pricing],
        )

    async def _leases(self, session: AsyncSession, tenant: Tenant) -> LeaseOf:
        terms = accounts.plan_of(tenant)
        book = await prices.price_book(session, self._clock.now(), terms.price_book)
        return lambda country, type_: lease_of(terms, book, country=country, type_=type_)


async def _said(work: Callable[[], Awaitable[_T]]) -> _T | ProvisionRefused:
    """Return what work returns, AWS's refusal as a value, and its silence as an error."""
    try:
        return await work()
    except StepRefused as refusal:
        return ProvisionRefused(detail=str(refusal))
    except ClientError as error:
        return ProvisionRefused(detail=said(error))
    except BotoCoreError as error:
        raise Unavailable(f"AWS does not answer: {error}") from error
