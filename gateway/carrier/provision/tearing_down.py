"""Tearing a tenant down at AWS, step by step; each can be cut off, and the next run goes on from there."""

from uuid import UUID

from botocore.exceptions import ClientError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.control_calls import Control, StepRefused, said
from gateway.carrier.provision.plan import match
from gateway.carrier.provision.plan_ports import TeardownRequest
from gateway.carrier.provision.shapes import Desired, Step, World
from gateway.carrier.provision.teardown_plan import teardown
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultPoint, fp
from tenants.accounts import service as accounts
from tenants.scope import TenantScope
from tenants.senders import leaving

_GONE = "ResourceNotFoundException"
_WAITING = text("SELECT count(*) FROM dispatch_queue WHERE tenant_id = :tenant_id")


class TearingDown:
    """One teardown of one tenant in one account."""

    def __init__(self, aws: Control, engine: AsyncEngine, scope: TenantScope, account_id: UUID) -> None:
        self._aws = aws
        self._engine = engine
        self._scope = scope
        self._account_id = account_id

    async def run(self, desired: Desired, world: World, request: TeardownRequest) -> tuple[str, ...]:
        """
        Stop the senders, take away what the plan says, and return the names of what went.

        Raises:
            StepRefused: Something forbids it, messages still wait, or AWS said no.
        """
        found = teardown(
            desired,
            world,
            release_numbers=request.release_numbers,
            delete_opt_out_list=request.delete_opt_out_list,
        )
        if found.refusals:
            raise StepRefused("; ".join(found.refusals))
        async with worker_transaction(self._engine) as session:
            if not request.drained:
                await self._refuse_while_waiting(session)
            await leaving.stop(self._scope, session, self._account_id)
            if not await leaving.sends_elsewhere(self._scope, session):
                await accounts.set_live(self._scope, session, live=False)
        await self._write_down_what_went_before(desired, world, released=request.release_numbers)
        gone: list[str] = []
        for step in found.steps:
            if step.action == "delete":
                await self._take_away(step, world)
                gone.append(f"{step.kind} {step.name}")
        return tuple(gone)

    async def _write_down_what_went_before(self, desired: Desired, world: World, *, released: bool) -> None:
        """A run that died between AWS's answer and its commit left tables that name what is gone."""
        lost = [each.arn for each in desired.senders if each.arn and match(each, desired, world) is None]
        async with worker_transaction(self._engine) as session:
            if world.pool is None and desired.pool_arn is not None:
                await leaving.pool_gone(self._scope, session, self._account_id)
            if released:
                await leaving.released(self._scope, session, lost)

    async def _refuse_while_waiting(self, session: AsyncSession) -> None:
        waiting = await session.scalar(_WAITING, {"tenant_id": self._scope.tenant_id})
        if waiting:
            raise StepRefused(
                f"{waiting} messages of the tenant still wait to be sent: wait, cancel them, or say `drained`"
            )

    async def _take_away(self, step: Step, world: World) -> None:
        for call in step.calls:
            try:
                await self._aws.call(call.action, **call.members)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != _GONE:
                    raise StepRefused(said(error)) from error
            await fp(FaultPoint.TEARDOWN_GONE)
        async with worker_transaction(self._engine) as session:
            if step.kind == "pool":
                await leaving.pool_gone(self._scope, session, self._account_id)
            if step.kind in {"number", "sender_id"}:
                await leaving.released(self._scope, session, _arns_of(step, world))


def _arns_of(step: Step, world: World) -> list[str]:
    """Return the ARN behind a released number, or the one of a sender id in the country of its call."""
    if step.kind == "number":
        return [each.arn for each in world.numbers if each.value == step.name]
    country = step.calls[0].members["IsoCountryCode"]
    return [each.arn for each in world.sender_ids if (each.value, each.country) == (step.name, country)]
