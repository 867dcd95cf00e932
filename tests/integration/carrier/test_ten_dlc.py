"""10DLC against the emulated AWS: brand, vetting, campaign, and the number that comes after its approval."""

from datetime import timedelta

import pytest

from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultInjected, FaultPoint, arm, counted
from tenants.errors import Conflict, InvalidInputs
from tenants.registrations import service
from tenants.registrations.linting.draft import draft_of
from tenants.registrations.linting.lint import errors_of
from tenants.senders import store as sender_store
from tests.harness.tenants import enrol
from tests.integration.carrier.registration_desk import counted_at_aws, forget_tokens, opened_desk
from tests.integration.carrier.registration_values import BRAND, CAMPAIGN, VETTING

BRAND_TYPE = "US_TEN_DLC_BRAND_REGISTRATION"
VETTING_TYPE = "US_TEN_DLC_BRAND_VETTING"
CAMPAIGN_TYPE = "US_TEN_DLC_CAMPAIGN_REGISTRATION"


@pytest.fixture
async def desk(worker_engine, emulator):
    """The engine on the emulator."""
    return await opened_desk(worker_engine, emulator)


async def completed(desk, scope, registration_id, *, confirm=True):
    """Submit and let the reviewers approve."""
    view = await desk.start(scope, registration_id, confirm=confirm)
    assert (view.row.status, view.row.fault) == ("submitted", None)
    await desk.review(view.row.aws_id, "approve")
    await desk.review(view.row.aws_id, "advance")
    await desk.poll.look()
    return await desk.read(scope, registration_id)


async def campaign_of(desk, scope, **changes):
    """A campaign of a completed brand, complete itself, with its cost not yet confirmed."""
    brand = await desk.open(scope, BRAND_TYPE, BRAND)
    await completed(desk, scope, brand, confirm=False)
    campaign = await desk.open(scope, CAMPAIGN_TYPE, CAMPAIGN | changes, parent_id=brand)
    view = await completed(desk, scope, campaign, confirm=False)
    assert view.row.status == "complete"
    return campaign


async def confirmed(desk, scope, registration_id):
    """Accept what the number costs and let the scheduler work."""
    async with worker_transaction(desk.engine) as session:
        await service.confirm_cost(scope, session, registration_id, now=desk.clock.now())
    await desk.runner.work()
    return await desk.read(scope, registration_id)


async def test_each_registration_waits_for_the_one_it_builds_on(desk, worker_engine):
    """Brand, vetting, campaign: an open brand is no ground for the others."""
    scope = await enrol(worker_engine)
    brand = await desk.open(scope, BRAND_TYPE, BRAND)
    vetting = await desk.open(scope, VETTING_TYPE, VETTING, parent_id=brand)
    with pytest.raises(Conflict, match="is draft"):
        await desk.start(scope, vetting)
    assert (await completed(desk, scope, brand, confirm=False)).row.status == "complete"
    with pytest.raises(Conflict, match=r"40\.00 USD once"):
        await desk.start(scope, vetting, confirm=False)
    assert (await completed(desk, scope, vetting)).row.status == "complete"


async def test_a_complete_campaign_asks_before_its_number_and_then_gets_it(desk, worker_engine):
    """The number is requested for the campaign's own message type, tied after its approval, then a sender."""
    scope = await enrol(worker_engine)
    before = await counted_at_aws(desk)
    campaign = await campaign_of(desk, scope, **{"campaignUseCase.messageType": "PROMOTIONAL"})
    await desk.runner.work()
    view = await desk.read(scope, campaign)
    assert (view.row.number, view.row.fault["code"]) == (None, "cost_not_confirmed")
    view = await confirmed(desk, scope, campaign)
    assert (view.row.status, view.row.fault, view.row.due_at) == ("complete", None, None)
    assert view.row.number_id in view.row.associated
    async with worker_transaction(worker_engine) as session:
        (sender,) = await sender_store.senders(scope, session, limit=5)
    assert (sender.value, sender.type, sender.state) == (view.row.number, "TEN_DLC", "active")
    assert (sender.message_types, sender.use_cases) == (["promotional"], ["otp"])
    after = await counted_at_aws(desk)
    assert {name: after[name] - before[name] for name in after} == {"numbers": 1, "registrations": 2}


@pytest.mark.parametrize("expired", [False, True], ids=["token-known", "token-forgotten"])
async def test_a_fault_between_request_and_tie_costs_no_second_number(desk, worker_engine, expired):
    """An untied number bears our id as a tag: it is found whether AWS still knows the token or not."""
    scope = await enrol(worker_engine)
    campaign = await campaign_of(desk, scope)
    before = await counted_at_aws(desk)
    with counted():
        for point in (FaultPoint.REGISTRATION_NUMBER_REQUESTED, FaultPoint.REGISTRATION_TIED):
            arm(f"{point}:raise:1")
            with pytest.raises(FaultInjected):
                await confirmed(desk, scope, campaign)
            desk.clock.ahead += timedelta(hours=1)
            if expired:
                await forget_tokens(desk)
    await desk.runner.work()
    view = await desk.read(scope, campaign)
    after = await counted_at_aws(desk)
    assert after["numbers"] - before["numbers"] == 1
    async with worker_transaction(worker_engine) as session:
        (sender,) = await sender_store.senders(scope, session, limit=5)
    assert (sender.state, sender.value) == ("active", view.row.number)


async def test_the_message_type_is_fixed_by_the_approval(desk, worker_engine):
    """Its number was requested for that type; the other fields may change in a new version."""
    scope = await enrol(worker_engine)
    campaign = await campaign_of(desk, scope)
    form = await desk.forms.form(CAMPAIGN_TYPE)
    async with worker_transaction(worker_engine) as session:
        now = desk.clock.now()
        await service.new_version(scope, session, campaign, now=now)
        sample = {"messageSamples.messageSample2": "Example Corp: [code] is your code to sign in."}
        await service.fill(scope, session, form, campaign, sample, now=now)
        change = {"campaignUseCase.messageType": "PROMOTIONAL"}
        with pytest.raises(InvalidInputs) as refused:
            await service.fill(scope, session, form, campaign, change, now=now)
    assert [fault.code for fault in refused.value.faults] == ["fixed"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"campaignUseCase.subUseCases": ["MARKETING"]}, "sub_use_case_not_allowed"),
        ({"campaignUseCase.useCase": "MIXED"}, "sub_use_case_missing"),
        ({"messageSamples.messageSample1": "Example Corp: see https://example.com/a. STOP to end."}, "link"),
        ({"messageSamples.messageSample1": "Example Corp: call +12065550142. Reply STOP to end."}, "phone"),
    ],
)
def test_flags_and_sub_use_cases_are_held_against_the_samples(change, code):
    """F-10C: what the flags deny, the samples must not show; parts only where the use case is collective."""
    ours = ("Example Corp",)
    assert errors_of(draft_of(CAMPAIGN_TYPE, CAMPAIGN, brands=ours)) == []
    found = errors_of(draft_of(CAMPAIGN_TYPE, CAMPAIGN | change, brands=ours))
    assert any(code in each.code for each in found), found
