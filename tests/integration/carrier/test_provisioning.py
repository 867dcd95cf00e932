"""Provisioning against the emulated AWS: made once, adopted, resumed, refused with a way out."""

import aiohttp
from msgspec.structs import replace

from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, ProvisionResult, SenderWish
from gateway.carrier.provision.provisioning import AwsProvisioner
from gateway.carrier.session import open_session
from gateway.db.transaction import worker_transaction
from gateway.lanes.gates import identity_rate
from tenants.accounts import service as accounts
from tenants.senders import service as senders
from tenants.senders import store as sender_store
from tenants.senders.service import DEFAULT_ACCOUNT
from tests.harness.tenants import enrol

US_NUMBER = ProvisionRequest(senders=(SenderWish(country="US", type="TOLL_FREE"),))


async def calls(emulator):
    """How often each action was called so far."""
    async with aiohttp.ClientSession() as http, http.get(f"{emulator.base_url}/_emulator/stats") as answer:
        return (await answer.json())["actions"]


async def test_a_second_run_makes_nothing_a_second_time(provisioner, worker_engine, emulator):
    """Operators run it again when in doubt; each number costs money from the moment it is requested."""
    scope = await enrol(worker_engine)
    first = await provisioner.provision(scope, US_NUMBER)
    before = await calls(emulator)
    second = await provisioner.provision(scope, US_NUMBER)
    after = await calls(emulator)
    assert isinstance(first, ProvisionResult)
    assert isinstance(second, ProvisionResult)
    assert second.created == ()
    assert after["RequestPhoneNumber"] == before["RequestPhoneNumber"]
    async with worker_transaction(worker_engine) as session:
        rows = await sender_store.senders(scope, session, limit=10)
        assert (await accounts.get(scope, session)).live
    assert [row.arn for row in rows] == [arn for arn in first.created if ":phone-number/" in arn]


async def test_a_run_that_died_after_the_request_gets_the_same_number_again(
    provisioner, worker_engine, database
):
    """It is on the tenant's list and nobody's: it is taken up, even if AWS forgot the ClientToken."""
    scope = await enrol(worker_engine)
    first = await provisioner.provision(scope, US_NUMBER)
    for table in ("pool_senders", "pools", "configuration_sets", "senders"):
        await database.execute(f"DELETE FROM {table} WHERE tenant_id = $1", scope.tenant_id)
    again = await provisioner.provision(scope, replace(US_NUMBER, dedicated_pool=False))
    assert isinstance(first, ProvisionResult)
    assert isinstance(again, ProvisionResult)
    numbers = [arn for arn in first.created if ":phone-number/" in arn]
    assert [arn for arn in again.adopted if ":phone-number/" in arn] == numbers


async def test_a_number_the_account_has_is_adopted_by_its_value(provisioner, worker_engine):
    """Short codes come by support case, and numbers from before the gateway should not be bought again."""
    owner = await enrol(worker_engine)
    await provisioner.provision(owner, replace(US_NUMBER, dedicated_pool=False))
    async with worker_transaction(worker_engine) as session:
        (row,) = await sender_store.senders(owner, session, limit=10)
    heir = await enrol(worker_engine)
    wish = SenderWish(country="US", type="TOLL_FREE", value=row.value)
    result = await provisioner.provision(heir, ProvisionRequest(senders=(wish,), dedicated_pool=False))
    assert isinstance(result, ProvisionResult)
    assert row.arn in result.adopted


async def test_what_aws_does_not_sell_is_refused_with_the_way_out(provisioner, worker_engine):
    """An operator reads one sentence and knows what to do; the tenant does not go live on nothing."""
    scope = await enrol(worker_engine)
    short_code = ProvisionRequest(senders=(SenderWish(country="US", type="SHORT_CODE"),))
    refused = await provisioner.provision(scope, short_code)
    assert isinstance(refused, ProvisionRefused)
    assert "support case" in refused.detail
    unknown = SenderWish(country="US", type="TOLL_FREE", value="+18005550199")
    missing = await provisioner.provision(scope, ProvisionRequest(senders=(unknown,)))
    assert isinstance(missing, ProvisionRefused)
    assert "+18005550199" in missing.detail
    async with worker_transaction(worker_engine) as session:
        assert not (await accounts.get(scope, session)).live


async def test_a_refusal_of_aws_names_the_action_and_the_reason(provisioner, worker_engine):
    """The operator sees AWS's own words, not a 500."""
    scope = await enrol(worker_engine)
    wish = SenderWish(country="GB", type="SENDER_ID", value="-ACME")
    refused = await provisioner.provision(scope, ProvisionRequest(senders=(wish,)))
    assert isinstance(refused, ProvisionRefused)
    assert "RequestSenderId" in refused.detail


async def test_a_wish_that_no_country_grants_is_refused_before_anything_is_made(
    provisioner, worker_engine, emulator
):
    """The toll-free number before it would be leased for nothing."""
    scope = await enrol(worker_engine)
    for wish, said in (
        (SenderWish(country="US", type="SENDER_ID", value="ACME"), "US has no sender ids"),
        (SenderWish(country="IN", type="SENDER_ID", value="ACMEBK"), "register this one first"),
        (SenderWish(country="GB", type="SENDER_ID"), "`value`"),
    ):
        before = await calls(emulator)
        refused = await provisioner.provision(scope, ProvisionRequest(senders=(*US_NUMBER.senders, wish)))
        assert isinstance(refused, ProvisionRefused)
        assert said in refused.detail
        after = await calls(emulator)
        made = {name for name in after if after[name] != before.get(name) and not name.startswith("Describe")}
        assert made == set()


async def test_what_the_client_of_aws_refuses_is_no_outage(provisioner, worker_engine):
    """Nobody shall repeat a request that is wrong in itself."""
    scope = await enrol(worker_engine)
    wish = SenderWish(country="GB", type="SENDER_ID", value="")
    refused = await provisioner.provision(scope, ProvisionRequest(senders=(wish,)))
    assert isinstance(refused, ProvisionRefused)
    assert "SenderId" in refused.detail


async def test_a_tenant_of_shared_routes_gets_what_its_receipts_come_by(provisioner, worker_engine):
    """Without a configuration set AWS tells nobody what became of a text; there is nothing to lease."""
    scope = await enrol(worker_engine)
    async with worker_transaction(worker_engine) as session:
        await accounts.update_countries(scope, session, ["KR"])
    refused = await provisioner.provision(scope, ProvisionRequest())
    assert isinstance(refused, ProvisionRefused)
    assert "shared routes" in refused.detail
    async with worker_transaction(worker_engine) as session:
        await accounts.update_plan(scope, session, {"shared_routes": True})
    made = await provisioner.provision(scope, ProvisionRequest())
    assert isinstance(made, ProvisionResult)
    assert [arn for arn in made.created if ":configuration-set/" in arn]
    async with worker_transaction(worker_engine) as session:
        assert len(await sender_store.configuration_sets(scope, session)) == 1


async def test_changing_an_accounts_rate_keeps_its_topic(provisioner, worker_engine, facts):
    """Without the topic every receipt would be a stranger's."""
    scope = await enrol(worker_engine)
    await provisioner.provision(scope, US_NUMBER)
    async with worker_transaction(worker_engine) as session:
        before = await sender_store.account_named(session, DEFAULT_ACCOUNT)
        after = await senders.ensure_account(session, replace(facts, sends_per_second=7.0))
    assert before is not None
    assert before.topic_arn is not None
    assert (after.sends_per_second, after.topic_arn) == (7.0, before.topic_arn)


async def test_a_moved_gateway_is_subscribed_at_its_new_address(provisioner, worker_engine, facts, emulator):
    """Receipts must follow the public URL, also for tenants that were provisioned before it changed."""
    await provisioner.provision(await enrol(worker_engine), US_NUMBER)
    moved = AwsProvisioner(
        open_session(),
        worker_engine,
        public_url="http://127.0.0.1:10",
        default_account=facts,
        usual_rate=identity_rate,
    )
    await moved.renew_subscription()
    async with worker_transaction(worker_engine) as session:
        account = await sender_store.account_named(session, DEFAULT_ACCOUNT)
    assert account is not None
    async with open_session().client("sns", region_name="us-east-1", endpoint_url=emulator.base_url) as sns:
        listed = await sns.list_subscriptions_by_topic(TopicArn=account.topic_arn)
    assert "http://127.0.0.1:10/v1/ingest/sns" in {each["Endpoint"] for each in listed["Subscriptions"]}
