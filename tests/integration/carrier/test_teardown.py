"""Tearing down against the emulated AWS: in order, again after a cut, and back."""

from uuid import uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from gateway.carrier.provision.plan_ports import TeardownRequest
from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, SenderWish
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultInjected, FaultPoint, arm
from tenants.accounts import service as accounts
from tenants.ids import new_uuid
from tenants.senders import swapping
from tenants.senders.models import Pool, Sender
from tests.harness.tenants import enrol
from tests.integration.carrier.test_provision_plan import applied, aws, desk, shown

__all__ = ["aws", "desk"]
ALL = TeardownRequest(release_numbers=True, delete_opt_out_list=True)


@pytest.fixture
async def wishes():
    """A number and a sender id that no other tenant of the account has."""
    value = f"T{uuid4().hex[:9].upper()}"
    return ProvisionRequest(
        senders=(
            SenderWish(country="GB", type="LONG_CODE"),
            SenderWish(country="GB", type="SENDER_ID", value=value),
        )
    )


async def senders_of(worker_engine, scope):
    """The tenant's senders."""
    async with worker_transaction(worker_engine) as session:
        return (await session.scalars(select(Sender).where(Sender.tenant_id == scope.tenant_id))).all()


async def test_a_dry_run_takes_nothing_away_and_the_real_one_all_that_was_asked(
    desk, worker_engine, wishes, aws
):
    """Leases end, the pool's place is free for another tenant, and nothing can be sent meanwhile."""
    scope = await enrol(worker_engine)
    await applied(desk, scope, wishes)
    planned = await desk.teardown_plan(scope, ALL)
    assert await shown(await desk.drift(scope, None)) == []
    gone = await desk.teardown(scope, ALL)
    assert len(gone) == len(planned.plan.changes)
    assert {row.state for row in await senders_of(worker_engine, scope)} == {"released"}
    async with worker_transaction(worker_engine) as session:
        assert not (await accounts.get(scope, session)).live
    assert (await desk.teardown_plan(scope, ALL)).plan.changes == ()


async def test_a_torn_down_tenant_comes_back_with_the_number_it_kept(desk, worker_engine, wishes):
    """Reversible: enable what was disabled, and provision; AWS's memory of old requests is not in the way."""
    scope = await enrol(worker_engine)
    await applied(desk, scope, wishes)
    before = {row.arn for row in await senders_of(worker_engine, scope)}
    await desk.teardown(scope, TeardownRequest())
    async with worker_transaction(worker_engine) as session:
        for row in await senders_of(worker_engine, scope):
            assert row.state == "disabled"
            await swapping.enable(scope, session, row.id, reason="it came back")
    await applied(desk, scope, wishes)
    assert {row.arn for row in await senders_of(worker_engine, scope)} == before
    assert await shown(await desk.drift(scope, None)) == []


async def test_after_everything_went_a_new_number_is_asked_for(desk, worker_engine, wishes):
    """The ClientToken of before would answer with the number that was given back."""
    scope = await enrol(worker_engine)
    await applied(desk, scope, wishes)
    (before,) = [row.arn for row in await senders_of(worker_engine, scope) if row.type == "LONG_CODE"]
    await desk.teardown(scope, ALL)
    await applied(desk, scope, wishes)
    rows = await senders_of(worker_engine, scope)
    after = [row.arn for row in rows if row.type == "LONG_CODE" and row.state == "active"]
    assert len(after) == 1
    assert after != [before]


@pytest.mark.parametrize("nth", range(1, 8))
async def test_a_teardown_cut_off_after_any_step_is_finished_by_the_next_run(
    desk, worker_engine, wishes, nth
):
    """What AWS took away and the tables still name is written down by whoever comes next."""
    scope = await enrol(worker_engine)
    await applied(desk, scope, wishes)
    arm(f"{FaultPoint.TEARDOWN_GONE}:raise:{nth}")
    try:
        with pytest.raises(FaultInjected):
            await desk.teardown(scope, ALL)
    finally:
        arm("")
    assert not isinstance(await desk.teardown(scope, ALL), ProvisionRefused)
    assert {row.state for row in await senders_of(worker_engine, scope)} == {"released"}
    async with worker_transaction(worker_engine) as session:
        pools = (await session.scalars(select(Pool).where(Pool.tenant_id == scope.tenant_id))).all()
    assert {pool.aws_pool_arn for pool in pools} == {None}


async def test_messages_that_wait_hold_a_teardown_up(desk, worker_engine, wishes, database):
    """They were accepted, so they leave first; or the operator says that they may go to waste."""
    scope = await enrol(worker_engine)
    await applied(desk, scope, wishes)
    await database.execute(
        "INSERT INTO dispatch_queue (message_id, tenant_id, route, state, lane) "
        "VALUES ($1, $2, 'none', 'scheduled', '{}'::jsonb)",
        new_uuid(),
        scope.tenant_id,
    )
    refused = await desk.teardown(scope, TeardownRequest())
    assert isinstance(refused, ProvisionRefused)
    assert refused.detail.startswith("1 messages")
    assert {row.state for row in await senders_of(worker_engine, scope)} == {"active"}
    assert not isinstance(await desk.teardown(scope, TeardownRequest(drained=True)), ProvisionRefused)


async def test_deletion_protection_is_respected_before_anything_goes(desk, worker_engine, wishes, aws):
    """Somebody protected the number on purpose."""
    scope = await enrol(worker_engine)
    alone = replace(wishes, dedicated_pool=False)
    await applied(desk, scope, alone)
    (number,) = [row for row in await senders_of(worker_engine, scope) if row.type == "LONG_CODE"]
    await aws.update_phone_number(PhoneNumberId=number.arn, DeletionProtectionEnabled=True)
    refused = await desk.teardown(scope, ALL)
    assert isinstance(refused, ProvisionRefused)
    assert number.value in refused.detail
    await aws.update_phone_number(PhoneNumberId=number.arn, DeletionProtectionEnabled=False)
    assert await shown(await desk.drift(scope, None)) == []


async def test_the_inventory_names_owners_and_spares(desk, worker_engine, wishes, aws):
    """A number that nobody has is paid for all the same."""
    scope = await enrol(worker_engine)
    await applied(desk, scope, wishes)
    spare = await aws.request_phone_number(
        IsoCountryCode="GB",
        MessageType="TRANSACTIONAL",
        NumberCapabilities=["SMS"],
        NumberType="LONG_CODE",
        DeletionProtectionEnabled=True,
    )
    held = {each.arn: each for each in await desk.held(None)}
    found = held[spare["PhoneNumberArn"]]
    assert (found.owners, found.protected, found.monthly_usd) == ((), True, spare["MonthlyLeasingPrice"])
    for row in await senders_of(worker_engine, scope):
        assert [each.tenant_id for each in held[row.arn].owners] == [scope.tenant_id]
