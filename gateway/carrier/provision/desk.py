"""Plans, their application, drift, teardown and inventory over aioboto3."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.provision.answers import answered
from gateway.carrier.provision.fingerprint import differences, fingerprint_of
from gateway.carrier.provision.plan import plan
from gateway.carrier.provision.plan_ports import HeldIdentity, PlanChanged, Planned, TeardownRequest
from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, ProvisionResult
from gateway.carrier.provision.provisioning import AwsProvisioner, wishes_of
from gateway.carrier.provision.read import read_numbers, read_sender_ids, read_world
from gateway.carrier.provision.shapes import Desired, SeenNumber, SeenSenderId
from gateway.carrier.provision.spare_numbers import SpareNumbers
from gateway.carrier.provision.spare_ports import SpareNumber, SpareWish
from gateway.carrier.provision.teardown_plan import teardown
from gateway.carrier.provision.tearing_down import TearingDown
from gateway.carrier.provision.want import LeaseOf, desired_of
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.credits import store as prices
from tenants.credits.monthly_fees import lease_of
from tenants.credits.pricing import UNITS, Unit
from tenants.scope import TenantScope
from tenants.senders import inventory
from tenants.senders.inventory import Owner
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

        return await answered(look)

    async def drift(self, scope: TenantScope, account_id: UUID | None) -> Planned | ProvisionRefused:
        """Compare AWS with what the tenant has."""

        async def look() -> Planned:
            account = await self._provisioner.account_of(account_id)
            nothing_new = ProvisionRequest(account_id=account.id, dedicated_pool=False)
            return await self._planned(scope, nothing_new, account, wished=False)

        return await answered(look)

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

        return await answered(work)

    async def teardown_plan(self, scope: TenantScope, request: TeardownRequest) -> Planned | ProvisionRefused:
        """Tell what a teardown would take away."""

        async def look() -> Planned:
            account = await self._provisioner.account_of(request.account_id)
            desired, unit = await self._desired(scope, account)
            async with self._provisioner.open(account) as aws:
                found = teardown(
                    desired,
                    await read_world(aws, desired),
                    release_numbers=request.release_numbers,
                    delete_opt_out_list=request.delete_opt_out_list,
                )
            mark = fingerprint_of(found, str(account.id))
            return Planned(plan=found, fingerprint=mark, account_id=account.id, unit=unit)

        return await answered(look)

    async def teardown(
        self, scope: TenantScope, request: TeardownRequest
    ) -> tuple[str, ...] | ProvisionRefused:
        """Take away what the tenant has, at this run's turn."""

        async def work() -> tuple[str, ...]:
            account = await self._provisioner.account_of(request.account_id)
            async with self._turns.turn(account.id), self._provisioner.open(account) as aws:
                desired, _ = await self._desired(scope, account)
                world = await read_world(aws, desired)
                run = TearingDown(aws, self._engine, scope, account.id)
                return await run.run(desired, world, request)

        return await answered(work)

    async def request_spare(self, account_id: UUID | None, wish: SpareWish) -> SpareNumber | ProvisionRefused:
        """Lease a number for no tenant."""
        return await self._on_numbers(account_id, lambda numbers: numbers.request(wish))

    async def protect(
        self, account_id: UUID | None, number_id: str, *, protected: bool
    ) -> SpareNumber | ProvisionRefused | None:
        """Switch a number's deletion protection."""
        return await self._on_numbers(
            account_id, lambda numbers: numbers.protect(number_id, protected=protected)
        )

    async def release_spare(
        self, account_id: UUID | None, number_id: str
    ) -> SpareNumber | ProvisionRefused | None:
        """Release a number that is nobody's."""
        return await self._on_numbers(account_id, lambda numbers: numbers.release(number_id))

    async def _on_numbers(
        self, account_id: UUID | None, act: Callable[[SpareNumbers], Awaitable[_T]]
    ) -> _T | ProvisionRefused:
        async def work() -> _T:
            account = await self._provisioner.account_of(account_id)
            async with self._turns.turn(account.id), self._provisioner.open(account) as aws:
                return await act(SpareNumbers(aws, self._engine, account))

        return await answered(work)

    async def held(self, account_id: UUID | None) -> tuple[HeldIdentity, ...] | ProvisionRefused:
        """Ask AWS what an account leases, and the tables whose it is."""

        async def look() -> tuple[HeldIdentity, ...]:
            account = await self._provisioner.account_of(account_id)
            async with self._provisioner.open(account) as aws:
                numbers, sender_ids = await read_numbers(aws), await read_sender_ids(aws)
            async with worker_transaction(self._engine) as session:
                owners = await inventory.owners(session, account.id)
            return held_of(numbers, sender_ids, owners)

        return await answered(look)

    async def _planned(
        self, scope: TenantScope, request: ProvisionRequest, account: AwsAccount, *, wished: bool = True
    ) -> Planned:
        desired, unit = await self._desired(scope, account, request if wished else None)
        async with self._provisioner.open(account) as aws:
            found = plan(desired, await read_world(aws, desired))
        mark = fingerprint_of(found, str(account.id))
        return Planned(plan=found, fingerprint=mark, account_id=account.id, unit=unit)

    async def _desired(
        self, scope: TenantScope, account: AwsAccount, request: ProvisionRequest | None = None
    ) -> tuple[Desired, Unit]:
        """Return what the tenant has, and what is wished for on top; and the unit of its costs."""
        async with worker_transaction(self._engine) as session:
            tenant = await accounts.get(scope, session)
            desired = await desired_of(
                session,
                scope,
                tenant,
                account,
                () if request is None else wishes_of(request, tenant),
                dedicated_pool=request is not None and request.dedicated_pool,
                lease_of=await self._leases(session, tenant),
            )
        return desired, UNITS[accounts.plan_of(tenant).pricing]

    async def _leases(self, session: AsyncSession, tenant: Tenant) -> LeaseOf:
        terms = accounts.plan_of(tenant)
        book = await prices.price_book(session, self._clock.now(), terms.price_book)
        return lambda country, type_: lease_of(terms, book, country=country, type_=type_)


def held_of(
    numbers: Iterable[SeenNumber],
    sender_ids: Iterable[SeenSenderId],
    owners: Mapping[str, tuple[Owner, ...]],
) -> tuple[HeldIdentity, ...]:
    """Return what an account leases with its owners; a sender id is active as soon as AWS has it."""
    return (
        *(
            HeldIdentity(
                arn=each.arn,
                value=each.value,
                type=each.type,
                country=each.country,
                active=each.active,
                protected=each.protected,
                pooled=each.pool_id is not None,
                opt_out_list=each.opt_out_list,
                monthly_usd=each.monthly_usd,
                owners=owners.get(each.arn, ()),
            )
            for each in numbers
        ),
        *(
            HeldIdentity(
                arn=each.arn,
                value=each.value,
                type="SENDER_ID",
                country=each.country,
                active=True,
                protected=each.protected,
                pooled=False,
                opt_out_list=None,
                monthly_usd=each.monthly_usd,
                owners=owners.get(each.arn, ()),
            )
            for each in sender_ids
        ),
    )
