"""Plan, apply and drift against the emulated AWS over HTTP."""

import aiohttp
import pytest
from msgspec.structs import replace

from gateway.carrier.provision.desk import AwsProvisionDesk
from gateway.carrier.provision.plan_ports import PlanChanged
from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, ProvisionResult, SenderWish
from gateway.carrier.session import open_session
from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from tenants.keywords import service as keywords
from tests.harness.tenants import enrol

WISHES = ProvisionRequest(
    senders=(
        SenderWish(country="US", type="TOLL_FREE"),
        SenderWish(country="GB", type="SENDER_ID", value="ACME"),
    )
)


@pytest.fixture
async def desk(worker_engine, provisioner):
    """The plans' desk on the emulator."""
    return AwsProvisionDesk(provisioner, worker_engine, SystemClock())


@pytest.fixture
async def aws(emulator):
    """The account, as somebody else at AWS's console would change it."""
    client = open_session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=emulator.base_url
    )
    async with client as opened:
        yield opened


async def made(emulator):
    """How often each action that is no look was called."""
    async with aiohttp.ClientSession() as http, http.get(f"{emulator.base_url}/_emulator/stats") as answer:
        actions = (await answer.json())["actions"]
    return {name: count for name, count in actions.items() if not name.startswith(("Describe", "List"))}


async def applied(desk, scope, request=WISHES):
    """Plan and apply."""
    planned = await desk.plan(scope, request)
    result = await desk.apply(scope, request, planned.fingerprint)
    assert isinstance(result, ProvisionResult), result
    return planned


async def shown(planned):
    """The steps that do something."""
    return [(step.action, step.kind) for step in planned.plan.changes]


async def test_a_plan_makes_nothing_and_its_application_leaves_nothing_to_do(desk, worker_engine, emulator):
    """The operator reads what will be made and what it costs; a second plan is empty, and so is the drift."""
    scope = await enrol(worker_engine)
    before = await made(emulator)
    planned = await desk.plan(scope, WISHES)
    assert await made(emulator) == before
    kinds = [step.kind for step in planned.plan.changes]
    assert kinds == [
        *("opt_out_list", "number", "sender_id", "configuration_set", "event_destination"),
        *("pool", "pool_member", "pool_member"),
    ]
    await applied(desk, scope)
    assert await shown(await desk.plan(scope, WISHES)) == []
    assert await shown(await desk.drift(scope, None)) == []


async def test_an_old_plan_is_refused_and_says_what_changed(desk, worker_engine, aws):
    """Nobody makes what he did not read: an event destination went in between."""
    scope = await enrol(worker_engine)
    planned = await applied(desk, scope)
    changed = await desk.apply(scope, WISHES, planned.fingerprint)
    assert isinstance(changed, PlanChanged)
    assert changed.changes == (f"{len(planned.plan.changes)} of its steps no longer needed",)
    seen = await desk.plan(scope, WISHES)
    name = next(step.name for step in seen.plan.steps if step.kind == "configuration_set")
    await aws.delete_event_destination(ConfigurationSetName=name, EventDestinationName="tollgate")
    refused = await desk.apply(scope, WISHES, seen.fingerprint)
    assert isinstance(refused, PlanChanged)
    assert refused.changes == ("new: create event_destination tollgate",)


async def test_drift_is_told_and_put_right(desk, worker_engine, aws):
    """Somebody at the console: events off, another opt-out list, two-way to a stranger's topic."""
    scope = await enrol(worker_engine)
    planned = await applied(desk, scope)
    name = next(step.name for step in planned.plan.steps if step.kind == "configuration_set")
    await aws.update_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="tollgate",
        Enabled=False,
        MatchingEventTypes=["TEXT_SENT"],
    )
    pools = (await aws.describe_pools())["Pools"]
    pool = next(each for each in pools if each["OptOutListName"] == name)
    await aws.update_pool(PoolId=pool["PoolId"], OptOutListName="Default")
    found = await desk.drift(scope, None)
    assert await shown(found) == [("change", "two_way"), ("change", "event_destination")]
    assert any("Default → tg-" in line for line in found.plan.changes[0].diff)
    await applied(desk, scope)
    assert await shown(await desk.drift(scope, None)) == []


async def test_a_tenants_own_words_for_help_and_stop_reach_aws(desk, worker_engine, aws):
    """AWS answers HELP and STOP where the gateway does not; it must not answer with another's name."""
    scope = await enrol(worker_engine)
    wish = ProvisionRequest(senders=(SenderWish(country="GB", type="LONG_CODE"),))
    await applied(desk, scope, wish)
    text = "{brand}: for help call 0800 1111. Reply STOP to opt out."
    async with worker_transaction(worker_engine) as session:
        await keywords.put_text(scope, session, "HELP", "", text)
    found = await desk.drift(scope, None)
    assert await shown(found) == [("change", "keyword")]
    await applied(desk, scope, wish)
    another = replace(wish, senders=(*wish.senders, SenderWish(country="SE", type="LONG_CODE")))
    await applied(desk, scope, another)
    assert await shown(await desk.drift(scope, None)) == []


async def test_a_plan_with_no_way_is_not_applied(desk, worker_engine, emulator):
    """A wish that AWS cannot meet is refused whole: no list, no set, no number stays behind."""
    scope = await enrol(worker_engine)
    unknown = replace(WISHES, senders=(SenderWish(country="US", type="TOLL_FREE", value="+18005550199"),))
    planned = await desk.plan(scope, unknown)
    before = await made(emulator)
    refused = await desk.apply(scope, unknown, planned.fingerprint)
    assert isinstance(refused, ProvisionRefused)
    assert "+18005550199" in refused.detail
    assert await made(emulator) == before
