"""
Asks AWS for sender ids country by country, and makes them senders of their tenant.

A country is leased by moving its due time. A process that dies after AWS's answer leaves it due: the next one
asks with the same ClientToken, or finds the sender id there, so nothing is made twice.
"""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.control import OpenControl
from gateway.carrier.registrations import AwsRefusal
from gateway.carrier.sender_ids import AwsSenderIds, SeenSenderId
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.gates import identity_rate
from gateway.registrations.placing import place
from tenants.registrations.bulk_sender_ids import BulkState, Settled, locked, settle, take
from tenants.registrations.models import BulkSenderId
from tenants.scope import TenantScope
from tenants.senders import inventory, service
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount
from tenants.senders.service import SenderFacts

_log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=120)
"""Longer than one country's three calls with the client's own retries."""
_LONGEST_WAIT_S: Final = 600
_MOST_DOUBLINGS: Final = 9
_REGISTRATION: Final = "SENDER_ID_REQUIRES_REGISTRATION"
_TAKEN: Final = "sender_id_taken"
_TAKEN_DETAIL: Final = (
    "the AWS account gave it to another tenant; choose another sender id, or add it by its ARN"
)


class BulkSenderIds:
    """Works off what is due; any number of processes may."""

    def __init__(self, engine: AsyncEngine, open_control: OpenControl, clock: Clock) -> None:
        self._engine = engine
        self._open = open_control
        self._clock = clock

    async def work(self) -> int:
        """Ask for each country that is due until AWS is busy or away; returns how many were settled."""
        done = 0
        while await self._one():
            done += 1
        return done

    async def _one(self) -> bool:
        async with worker_transaction(self._engine) as session:
            row = await take(session, now=self._clock.now(), lease=LEASE)
            known = {each.id: each for each in await senders.accounts(session)}
        if row is None:
            return False
        account = known.get(row.account_id)
        if account is None:
            detail = "the AWS account is gone; ask again to use another"
            await self._settle(row, Settled(state="failed", code="no_account", detail=detail))
            return True
        try:
            await self._keep(row, await self._ask(row, account))
        except AwsRefusal as refusal:
            return await self._refused(row, refusal)
        return True

    async def _ask(self, row: BulkSenderId, account: AwsAccount) -> SeenSenderId:
        async with self._open(account) as control:
            aws = AwsSenderIds(control)
            seen = await aws.request(row.tenant_id, account.id, row.value, row.country, row.message_types)
            await fp(FaultPoint.SENDER_ID_REQUESTED)
            if not seen.created:
                await self._check_owner(row, seen)
                if not seen.protected:
                    await aws.protect(seen)
        return seen

    async def _check_owner(self, row: BulkSenderId, seen: SeenSenderId) -> None:
        """
        Adopt nobody else's: recipients know a sender id as the one who writes.

        Raises:
            AwsRefusal: It is another tenant's, or carries none of the types.
        """
        async with worker_transaction(self._engine) as session:
            if await _is_anothers(session, row, seen):
                raise AwsRefusal("form", _TAKEN, _TAKEN_DETAIL)
        if not set(row.message_types) & set(seen.message_types):
            carries = " and ".join(seen.message_types)
            raise AwsRefusal("form", "message_types", f"it exists at AWS for {carries} messages only")

    async def _keep(self, row: BulkSenderId, seen: SeenSenderId) -> None:
        state: BulkState = "created" if seen.created else "adopted"
        settled = Settled(state=state, arn=seen.arn, monthly_usd=seen.monthly_usd)
        await self._settle(row, settled, seen)

    async def _settle(self, row: BulkSenderId, settled: Settled, seen: SeenSenderId | None = None) -> None:
        async with worker_transaction(self._engine) as session:
            mine = await locked(session, row)
            if mine is None:
                return
            if seen is not None:
                # Two tenants that asked at once both found it free; whoever is stored first has it.
                await inventory.take_turns(session, seen.arn)
                if await _is_anothers(session, row, seen):
                    settled, seen = Settled(state="failed", code=_TAKEN, detail=_TAKEN_DETAIL), None
            settle(mine, settled, now=self._clock.now())
            if seen is not None:
                await _make_sender(session, mine, seen)
        _log.info("sender_id_settled", sender_id=row.value, country=row.country, state=settled.state)

    async def _refused(self, row: BulkSenderId, refusal: AwsRefusal) -> bool:
        """Return whether to go on: AWS that is busy or away is asked again later."""
        if refusal.whose != "passing":
            state: BulkState = "registration_required" if refusal.code == _REGISTRATION else "failed"
            await self._settle(row, Settled(state=state, code=refusal.code, detail=refusal.detail))
            return True
        async with worker_transaction(self._engine) as session:
            mine = await locked(session, row)
            if mine is not None:
                mine.tries += 1
                mine.code, mine.detail = refusal.code, refusal.detail
                wait_s = min(2 ** min(mine.tries, _MOST_DOUBLINGS), _LONGEST_WAIT_S)
                mine.due_at = self._clock.now() + timedelta(seconds=wait_s)
        return False


async def _is_anothers(session: AsyncSession, row: BulkSenderId, seen: SeenSenderId) -> bool:
    owners = (await inventory.owners(session, row.account_id)).get(seen.arn, ())
    return bool(owners) and row.tenant_id not in {each.tenant_id for each in owners}


async def _make_sender(session: AsyncSession, row: BulkSenderId, seen: SeenSenderId) -> None:
    """Store it with what it may carry of what was asked; one that is in use keeps its place."""
    scope = TenantScope(tenant_id=row.tenant_id)
    facts = SenderFacts(
        account_id=row.account_id,
        type="SENDER_ID",
        value=seen.value,
        country=seen.country,
        arn=seen.arn,
        parts_per_second=identity_rate("SENDER_ID", seen.country),
        message_types=[each for each in row.message_types if each in seen.message_types],
    )
    sender = await service.put_sender(scope, session, facts)
    if sender.state == "active":
        await place(scope, session, sender)
