"""AWS's opt-out lists follow the ledger, and the ledger what people said to AWS alone."""

from datetime import UTC, datetime, timedelta

import aioboto3
import pytest

from gateway.carrier.opt_out_lists import COMPARED_EVERY, CONFIRMED_WITHIN, OptOutLists, lists_of
from gateway.carrier.provision.ports import ProvisionRequest, SenderWish
from gateway.carrier.session import open_session
from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from gateway.inbound.taking import tell_opt_out
from tenants.accounts import service as accounts
from tenants.optouts import service as opt_outs
from tests.harness.numbers import us_number
from tests.harness.tenants import SECRET_KEY, enrol, key_of


@pytest.fixture
async def aws(emulator):
    """AWS, as anybody else in the account could call it."""
    async with aioboto3.Session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=emulator.base_url
    ) as client:
        yield client


class Kept:
    """A tenant with a list at the emulator, and what keeps the two in step."""

    def __init__(self, engine, database_url, scope, key, clock, aws_list) -> None:
        self._engine, self.scope, self.key, self.clock, self.aws_list = engine, scope, key, clock, aws_list
        self.lists = OptOutLists(
            database_url, engine, lists_of(open_session()), tell_opt_out, secret_key=SECRET_KEY, clock=clock
        )

    async def change(self, act, number, **named):
        """Put a number on a list or take it off, and let the time pass that a confirmation has."""
        async with worker_transaction(self._engine) as session:
            await act(self.scope, session, self.key, number=number, **named)

    async def listed(self):
        """The numbers of the ledger's list."""
        async with worker_transaction(self._engine) as session:
            rows = await opt_outs.page(self.scope, session, self.key, limit=100, list_name="all")
        return {row.number: row.source for row in rows}

    async def at_aws(self, aws):
        """The numbers of AWS's list."""
        page = await aws.describe_opted_out_numbers(OptOutListName=self.aws_list)
        return {each["OptedOutNumber"] for each in page["OptedOutNumbers"]}


@pytest.fixture
async def kept(worker_engine, database_url, provisioner):
    """A provisioned tenant; the clock stands a while after whatever the test does first."""
    scope = await enrol(worker_engine)
    wish = SenderWish(country="US", type="LONG_CODE")
    await provisioner.provision(scope, ProvisionRequest(senders=(wish,), dedicated_pool=False))
    async with worker_transaction(worker_engine) as session:
        tenant = await accounts.get(scope, session)
    key = await key_of(worker_engine, scope)
    clock = FixedClock(datetime.now(UTC) + 2 * CONFIRMED_WITHIN)
    return Kept(worker_engine, database_url, scope, key, clock, f"tg-{tenant.slug}")


async def test_changes_follow_to_aws_and_no_other_list_does(kept, aws):
    """A list of one use case would stop everything there."""
    gone, back, other = us_number(), us_number(), us_number()
    await kept.change(opt_outs.put, gone)
    await kept.change(opt_outs.put, back)
    await kept.change(opt_outs.put, other, list_name="promotional")
    await kept.lists.round()
    assert await kept.at_aws(aws) == {gone, back}
    await kept.change(opt_outs.remove, back)
    await kept.lists.round()
    assert await kept.at_aws(aws) == {gone}


async def test_an_opt_out_waits_for_its_confirmation_and_an_opt_in_behind_it_does_not(kept, aws):
    """AWS refuses what goes to a number on its list, the confirmation too."""
    early, back = us_number(), us_number()
    await kept.change(opt_outs.put, back)
    await kept.lists.round()
    young = FixedClock(datetime.now(UTC))
    kept.lists._clock = young
    await kept.change(opt_outs.put, early)
    await kept.change(opt_outs.remove, back)
    await kept.lists.round()
    assert await kept.at_aws(aws) == set()
    young.advance(2 * CONFIRMED_WITHIN)
    await kept.lists.round()
    assert await kept.at_aws(aws) == {early}


async def test_an_opt_out_that_is_committed_behind_an_opt_in_is_not_passed_over(kept, aws, worker_engine):
    """Its line was written first; the place in the ledger moves on when nothing of that time is under way."""
    late, back = us_number(), us_number()
    await kept.change(opt_outs.put, back)
    await kept.lists.round()
    kept.clock.advance(-2 * CONFIRMED_WITHIN)
    async with worker_transaction(worker_engine) as session:
        await opt_outs.put(kept.scope, session, kept.key, number=late)
        await kept.change(opt_outs.remove, back)
        await kept.lists.round()
        assert await kept.at_aws(aws) == set()
    kept.clock.advance(2 * CONFIRMED_WITHIN)
    await kept.lists.round()
    assert await kept.at_aws(aws) == {late}


async def test_whoever_comes_back_within_the_pause_is_not_listed_behind_it(kept, aws):
    """The opt-in was told at once and the opt-out after it: an hour later it was taken for a STOP to AWS."""
    number = us_number()
    await kept.lists.round()
    kept.clock.advance(-2 * CONFIRMED_WITHIN)
    await kept.change(opt_outs.put, number)
    await kept.change(opt_outs.remove, number)
    await kept.lists.round()
    kept.clock.advance(2 * CONFIRMED_WITHIN)
    await kept.lists.round()
    assert await kept.at_aws(aws) == set()
    kept.clock.advance(COMPARED_EVERY)
    await kept.lists.round()
    assert (await kept.listed(), await kept.at_aws(aws)) == ({}, set())


async def test_a_number_that_aws_does_not_take_stops_no_other(kept, aws, worker_pool):
    """Every opt-out behind it waited for ever, and the hourly comparison with them."""
    odd, number = "+88299912345678", us_number()
    await kept.change(opt_outs.put, odd)
    await kept.change(opt_outs.put, number)
    await kept.lists.round()
    assert await kept.at_aws(aws) == {number}
    row = await worker_pool.fetchrow(
        "SELECT fault, compared_at FROM opt_out_links WHERE tenant_id = $1", kept.scope.tenant_id
    )
    assert "AWS refused" in row["fault"]
    assert odd not in row["fault"]
    assert row["compared_at"] is not None


async def test_who_said_stop_to_aws_alone_is_taken_over_and_told(kept, aws, worker_pool):
    """The text may have been lost on its way; the opt-out must not be."""
    await kept.lists.round()
    stranger, lost = us_number(), us_number()
    await kept.change(opt_outs.put, lost)
    await kept.lists.round()
    await aws.put_opted_out_number(OptOutListName=kept.aws_list, OptedOutNumber=stranger)
    await aws.delete_opted_out_number(OptOutListName=kept.aws_list, OptedOutNumber=lost)
    kept.clock.advance(COMPARED_EVERY)
    await kept.lists.round()
    assert await kept.listed() == {lost: "api", stranger: "aws_list"}
    assert await kept.at_aws(aws) == {lost, stranger}
    drift = await worker_pool.fetchval(
        "SELECT drift FROM opt_out_links WHERE tenant_id = $1", kept.scope.tenant_id
    )
    assert drift == ["1 on AWS's list alone: taken over", "1 missing on AWS's list: told to AWS"]
    told = await worker_pool.fetchval(
        "SELECT count(*) FROM events WHERE tenant_id = $1 AND data->>'source' = 'aws_list'",
        kept.scope.tenant_id,
    )
    assert told == 1


async def test_a_list_in_step_is_left_alone_and_says_so(kept, aws, worker_pool):
    """A comparison that always found something would be no report."""
    number = us_number()
    await kept.change(opt_outs.put, number)
    await kept.lists.round()
    kept.clock.advance(COMPARED_EVERY + timedelta(seconds=1))
    await kept.lists.round()
    row = await worker_pool.fetchrow(
        "SELECT drift, fault FROM opt_out_links WHERE tenant_id = $1", kept.scope.tenant_id
    )
    assert (row["drift"], row["fault"]) == ([], None)
    assert await kept.at_aws(aws) == {number}


async def test_an_opt_in_that_aws_does_not_take_yet_is_reported(kept, aws, worker_pool):
    """AWS takes a number off once in 30 days; whoever asks why nothing arrives finds it here."""
    number = us_number()
    for act in (opt_outs.put, opt_outs.remove, opt_outs.put, opt_outs.remove):
        await kept.change(act, number)
        await kept.lists.round()
    fault = await worker_pool.fetchval(
        "SELECT fault FROM opt_out_links WHERE tenant_id = $1", kept.scope.tenant_id
    )
    assert "once in 30 days" in fault
    assert await kept.at_aws(aws) == {number}
