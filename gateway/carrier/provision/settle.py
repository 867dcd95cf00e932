"""What a run changes about things that are there: the `change` and `delete` steps of a fresh plan."""

from botocore.exceptions import ClientError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control_calls import Control, StepRefused, said
from gateway.carrier.provision.plan import plan
from gateway.carrier.provision.ports import ProvisionRequest
from gateway.carrier.provision.read import read_world
from gateway.carrier.provision.shapes import Desired, Step, World
from gateway.carrier.provision.want import desired_of
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultPoint, fp
from tenants.accounts.models import Tenant
from tenants.scope import TenantScope
from tenants.senders import inventory
from tenants.senders.models import AwsAccount


class Settling:
    """Brings what one tenant has in an account to what its tables say."""

    def __init__(self, aws: Control, engine: AsyncEngine, scope: TenantScope, *, account: AwsAccount) -> None:
        self._aws = aws
        self._engine = engine
        self._scope = scope
        self._account = account

    async def round(self, tenant: Tenant, request: ProvisionRequest, *, prune: bool) -> None:
        """
        Look, and carry out what a plan would change now; with `prune` also what it would delete.

        Raises:
            StepRefused: AWS said no.
        """
        async with worker_transaction(self._engine) as session:
            desired = await desired_of(
                session,
                self._scope,
                tenant,
                self._account,
                (),
                dedicated_pool=request.dedicated_pool,
                lease_of=lambda _country, _type: 0,
            )
        world = await read_world(self._aws, desired)
        wanted = {"change", "delete"} if prune else {"change"}
        for step in plan(desired, world).steps:
            if step.action in wanted:
                await self._carry_out(step, desired, world)

    async def _carry_out(self, step: Step, desired: Desired, world: World) -> None:
        for call in step.calls:
            try:
                await self._aws.call(call.action, **call.members)
            except ClientError as error:
                raise StepRefused(said(error)) from error
            await fp(FaultPoint.PROVISION_MADE)
            if "OptOutListName" in call.members:
                await self._note_list(call.members.get("PhoneNumberId"), desired, world)

    async def _note_list(self, number: str | None, desired: Desired, world: World) -> None:
        arns = world.pool.members if number is None and world.pool is not None else (number or "",)
        async with worker_transaction(self._engine) as session:
            await inventory.note_opt_out_list(self._scope, session, arns, desired.name)
