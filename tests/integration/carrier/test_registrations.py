"""Registrations against the emulated AWS: the seeds' toll-free and Jordan flows, denials, and resumption."""

from datetime import timedelta

import aiohttp
import msgspec
import pytest
from botocore.exceptions import ClientError
from sqlalchemy import select

from gateway.carrier.registrations import refusal_in
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultInjected, FaultPoint, arm, counted
from gateway.registrations.forms import KEPT_FOR
from tenants.accounts import service as accounts
from tenants.errors import Conflict, InvalidInputs, NotFound
from tenants.inbox.models import InboxItem
from tenants.registrations import service, store
from tenants.registrations.models import StoredForm
from tenants.senders import store as sender_store
from tenants.senders.service import SenderFacts, put_sender
from tests.harness.tenants import enrol
from tests.integration.carrier.registration_desk import advance, counted_at_aws, forget_tokens, opened_desk
from tests.integration.carrier.registration_values import JORDAN, TOLL_FREE

TFN, JO = "US_TOLL_FREE_REGISTRATION", "JO_SENDER_ID_REGISTRATION"


@pytest.fixture
async def desk(worker_engine, emulator):
    """The engine on the emulator."""
    return await opened_desk(worker_engine, emulator)


async def test_a_toll_free_number_is_registered_in_seven_steps(desk, worker_engine):
    """Seed 003, from a filled form to a number that may send."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, TOLL_FREE)
    view = await desk.start(scope, registration_id)
    assert (view.row.status, view.row.fault) == ("submitted", None)
    await desk.review(view.row.aws_id, "approve")
    await desk.review(view.row.aws_id, "advance")
    assert await desk.poll.look() >= 1
    view = await desk.read(scope, registration_id)
    async with worker_transaction(worker_engine) as session:
        (sender,) = await sender_store.senders(scope, session, limit=5)
    assert (view.row.status, view.current.status) == ("complete", "approved")
    assert (sender.state, sender.type, sender.use_cases) == ("active", "TOLL_FREE", ["otp"])


async def test_a_jordan_sender_id_is_registered_end_to_end(desk, worker_engine):
    """Seed 001: six calls, a document, a sole choice, and a sender id on approval."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, JO, JORDAN)
    view = await desk.start(scope, registration_id, "review")
    assert view.row.status == "ready"
    view = await desk.start(scope, registration_id, confirm=False)
    assert view.row.status == "submitted"
    await desk.review(view.row.aws_id, "approve")
    await desk.review(view.row.aws_id, "advance")
    await desk.poll.look()
    async with worker_transaction(worker_engine) as session:
        (sender,) = await sender_store.senders(scope, session, limit=5)
    assert (await desk.read(scope, registration_id)).row.status == "complete"
    assert (sender.type, sender.country, sender.value) == ("SENDER_ID", "JO", "EXAMPLE")
    assert sender.message_types == ["otp", "transactional"]


async def test_a_closed_registration_takes_its_sender_id_with_it_and_no_other(desk, worker_engine):
    """AWS closes one whose sender id was deleted: a sender that is not there any more must not be chosen."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, JO, JORDAN)
    view = await desk.start(scope, registration_id)
    await desk.review(view.row.aws_id, "approve")
    await desk.review(view.row.aws_id, "advance")
    await desk.poll.look()
    other = SenderFacts(
        account_id=view.row.account_id,
        type="SENDER_ID",
        value="OTHER",
        country="JO",
        arn="arn:aws:sms-voice:us-east-1:1:sender-id/OTHER/JO",
        parts_per_second=1.0,
    )
    async with worker_transaction(worker_engine) as session:
        await put_sender(scope, session, other)
    await desk.review(view.row.aws_id, "close")
    await desk.poll.look()
    async with worker_transaction(worker_engine) as session:
        states = {row.value: row.state for row in await sender_store.senders(scope, session, limit=5)}
    assert (await desk.read(scope, registration_id)).row.status == "closed"
    assert states == {"EXAMPLE": "released", "OTHER": "active"}


async def test_a_sender_id_that_another_registration_still_has_stays(desk, worker_engine):
    """One that was registered anew belongs to the new registration."""
    scope = await enrol(worker_engine)
    views = []
    for _ in range(2):
        views.append(await desk.start(scope, await desk.open(scope, JO, JORDAN)))
        await desk.review(views[-1].row.aws_id, "approve")
        await desk.review(views[-1].row.aws_id, "advance")
        await desk.poll.look()
    await desk.review(views[0].row.aws_id, "close")
    await desk.poll.look()
    async with worker_transaction(worker_engine) as session:
        (sender,) = await sender_store.senders(scope, session, limit=5)
    assert (await desk.read(scope, views[0].row.id)).row.status == "closed"
    assert sender.state == "active"


async def test_nothing_costs_before_it_was_confirmed(desk, worker_engine):
    """A number is billed from the moment it is requested, whatever becomes of its registration."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, TOLL_FREE)
    before = (await desk.calls()).get("RequestPhoneNumber", 0)
    with pytest.raises(Conflict, match="confirm"):
        await desk.start(scope, registration_id, confirm=False)
    view = await desk.start(scope, registration_id, "review", confirm=False)
    assert (view.row.status, view.row.fault["code"]) == ("preparing", "cost_not_confirmed")
    assert (await desk.calls()).get("RequestPhoneNumber", 0) == before
    async with worker_transaction(worker_engine) as session:
        await service.confirm_cost(scope, session, registration_id, now=desk.clock.now())
    await desk.runner.work()
    view = await desk.read(scope, registration_id)
    assert (view.row.status, view.row.number_price) == ("ready", "2.00")


async def test_a_denial_is_explained_and_a_new_version_puts_every_field_again(desk, worker_engine):
    """AWS begins a new version empty."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, TOLL_FREE)
    view = await desk.start(scope, registration_id)
    await desk.review(
        view.row.aws_id,
        "deny",
        reasons=[{"reason": "OPT_IN", "short": "Opt-in is unclear", "long": "The consent could not be seen"}],
        fields={"companyInfo.website": "The website does not load"},
    )
    await desk.poll.look()
    view = await desk.read(scope, registration_id)
    assert view.row.status == "requires_updates"
    assert [(each["code"], each["field"]) for each in view.current.denials] == [
        ("opt_in_unclear", None),
        ("website", "companyInfo.website"),
    ]
    assert all(each["means"] and each["change"] for each in view.current.denials)
    before = (await desk.calls())["PutRegistrationFieldValue"]
    async with worker_transaction(worker_engine) as session:
        await service.new_version(scope, session, registration_id, now=desk.clock.now())
        form = await desk.forms.form(TFN)
        change = {"companyInfo.website": "https://www.example.org"}
        await service.fill(scope, session, form, registration_id, change, now=desk.clock.now())
    view = await desk.start(scope, registration_id)
    assert (view.row.status, view.row.version, view.current.aws_version) == ("submitted", 2, 2)
    assert (await desk.calls())["PutRegistrationFieldValue"] - before == len(view.current.filled)
    async with worker_transaction(worker_engine) as session:
        history = await store.versions(scope, session, registration_id)
        numbers = await sender_store.senders(scope, session, limit=5)
    assert [each.status for each in history] == ["denied", "submitted"]
    assert len(numbers) == 1, "the number is the first version's"


STEPS = {
    FaultPoint.REGISTRATION_CREATED: 1,
    FaultPoint.REGISTRATION_UPLOADED: 1,
    FaultPoint.REGISTRATION_FIELD_PUT: 9,
    FaultPoint.REGISTRATION_NUMBER_REQUESTED: 1,
    FaultPoint.REGISTRATION_TIED: 1,
    FaultPoint.REGISTRATION_SUBMITTED: 1,
}


@pytest.mark.parametrize("expired", [False, True], ids=["token-known", "token-forgotten"])
async def test_a_fault_after_any_call_costs_no_second_one(desk, worker_engine, expired):
    """Whether AWS still knows the ClientToken or not: what was made is found."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, TOLL_FREE)
    before = await counted_at_aws(desk)
    with counted():
        for point, nth in STEPS.items():
            arm(f"{point}:raise:{nth}")
            with pytest.raises(FaultInjected):
                await advance(desk, scope, registration_id)
            desk.clock.ahead += timedelta(hours=1)
            if expired:
                await forget_tokens(desk)
    view = await advance(desk, scope, registration_id)
    assert (view.row.status, view.row.fault) == ("submitted", None)
    after = await counted_at_aws(desk)
    assert {name: after[name] - before[name] for name in after} == {"numbers": 1, "registrations": 1}


async def test_a_submission_nobody_takes_up_alarms_the_operator_once(desk, worker_engine):
    """The seeds: no REVIEWING within 24 hours needs a support case; its text is ready."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, JO, JORDAN)
    await desk.start(scope, registration_id)
    desk.clock.ahead = timedelta(hours=25)
    for _ in range(2):
        await desk.poll._alarm()
    wanted = select(InboxItem).where(
        InboxItem.tenant_id == scope.tenant_id, InboxItem.kind == "registration.stale"
    )
    async with worker_transaction(worker_engine) as session:
        (task,) = (await session.scalars(wanted)).all()
    assert "SubmitRegistrationVersion" in task.detail["support_text"]


async def test_an_incomplete_or_wrong_form_is_not_submitted(desk, worker_engine):
    """Field by field, before AWS hears of anything."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, {"companyInfo.companyName": "Example Corp"})
    with pytest.raises(InvalidInputs) as refused:
        await desk.start(scope, registration_id)
    assert "/values/companyInfo.website" in {fault.field for fault in refused.value.faults}
    form = await desk.forms.form(TFN)
    wrong = {
        "companyInfo.isoCountryCode": "usa",
        "messagingUseCase.useCaseCategory": "Spam",
        "messagingUseCase.optInImage": "att_00000000000000000000000000",
        "nobody.knows": "x",
    }
    async with worker_transaction(worker_engine) as session:
        with pytest.raises(InvalidInputs) as refused:
            await service.fill(scope, session, form, registration_id, wrong, now=desk.clock.now())
    assert sorted(fault.code for fault in refused.value.faults) == [
        "no_such_attachment",
        "no_such_choice",
        "no_such_field",
        "wrong_length",
    ]


async def test_no_tenant_reaches_anothers_registration(desk, worker_engine):
    """Absent and foreign are one."""
    scope, stranger = await enrol(worker_engine), await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, {})
    async with worker_transaction(worker_engine) as session:
        for work in (service.get, service.confirm_cost, service.new_version, service.discard):
            more = {} if work is service.get else {"now": desk.clock.now()}
            with pytest.raises(NotFound):
                await work(stranger, session, registration_id, **more)


async def test_a_quota_waits_for_the_operator(desk, worker_engine):
    """AWS allows 25 registrations an account; the tenant can do nothing about it."""
    scope = await enrol(worker_engine)
    url = f"{desk.emulator.base_url}/_emulator/faults"
    registration_id = await desk.open(scope, JO, JORDAN)
    async with aiohttp.ClientSession() as http:
        await http.post(url, json={"actions": {"CreateRegistration": {"error_rate": 1.0}}})
        view = await desk.start(scope, registration_id)
        await http.post(url, json={})
    assert (view.row.status, view.row.tries) == ("preparing", 1)
    desk.clock.ahead += timedelta(hours=1)
    await desk.runner.work()
    assert (await desk.read(scope, registration_id)).row.status == "submitted"


async def test_a_registration_whose_form_is_gone_is_followed_and_holds_up_nobody(desk, worker_engine):
    """AWS withdraws forms; what was registered with them is still reviewed, closed and revoked."""
    scopes = [await enrol(worker_engine) for _ in range(3)]
    ids = [await desk.open(scope, JO, JORDAN) for scope in scopes]
    for scope, registration_id in zip(scopes, ids, strict=True):
        aws_id = (await desk.start(scope, registration_id)).row.aws_id
        await desk.review(aws_id, "approve")
        await desk.review(aws_id, "advance")
    forms = (("XX_UNKNOWN", None), ("XX_WITHDRAWN", await desk.forms.form(JO)))
    async with worker_transaction(worker_engine) as session:
        for (kind, form), scope, registration_id in zip(forms, scopes, ids, strict=False):
            (await service.get(scope, session, registration_id)).row.type = kind
            if form is not None:
                kept = {"is": msgspec.to_builtins(form)}
                session.add(StoredForm(type=kind, definition=kept, fetched_at=desk.clock.now() - KEPT_FOR))
    await desk.poll.look()
    statuses = [(await desk.read(scope, each)).row.status for scope, each in zip(scopes, ids, strict=True)]
    assert statuses == ["submitted", "complete", "complete"]


async def test_one_that_breaks_does_not_hold_up_those_that_were_taken_with_it(desk, worker_engine):
    """Leased together, they came up together again: the broken one first, each time."""
    scopes = [await enrol(worker_engine) for _ in range(2)]
    ids = [await desk.open(scope, JO, JORDAN) for scope in scopes]
    form, now = await desk.forms.form(JO), desk.clock.now()
    for at, (scope, registration_id) in enumerate(zip(scopes, ids, strict=True)):
        async with worker_transaction(worker_engine) as session:
            await service.start(scope, session, form, registration_id, "submit", now=now)
            (await service.get(scope, session, registration_id)).row.due_at = now + timedelta(microseconds=at)
    desk.clock.ahead += timedelta(seconds=1)
    with counted():
        arm(f"{FaultPoint.REGISTRATION_CREATED}:raise:1")
        with pytest.raises(FaultInjected):
            await desk.runner.work()
    statuses = [(await desk.read(scope, each)).row.status for scope, each in zip(scopes, ids, strict=True)]
    assert statuses == ["preparing", "submitted"]


async def test_nothing_is_leased_for_a_closed_tenant(desk, worker_engine):
    """Whoever keeps a key or a browser open costs the operator nothing more."""
    scope = await enrol(worker_engine)
    registration_id = await desk.open(scope, TFN, TOLL_FREE)
    before = await desk.calls()
    async with worker_transaction(worker_engine) as session:
        form = await desk.forms.form(TFN)
        await service.start(scope, session, form, registration_id, "review", now=desk.clock.now())
        await accounts.close(scope, session)
    await desk.runner.work()
    after = await desk.calls()
    assert after.get("CreateRegistration", 0) == before.get("CreateRegistration", 0)
    async with worker_transaction(worker_engine) as session:
        with pytest.raises(Conflict, match="closed tenant"):
            await service.confirm_cost(scope, session, registration_id, now=desk.clock.now())
    async with worker_transaction(worker_engine) as session:
        with pytest.raises(Conflict, match="closed tenant"):
            await service.start(scope, session, form, registration_id, "submit", now=desk.clock.now())


@pytest.mark.parametrize(
    ("code", "status", "whose"),
    [
        ("ValidationException", 400, "form"),
        ("ConflictException", 409, "form"),
        ("AccessDenied", 403, "operator"),
        ("ExpiredTokenException", 400, "operator"),
        ("InvalidSignatureException", 400, "operator"),
        ("ThrottlingException", 400, "passing"),
        ("ServiceUnavailable", 503, "passing"),
    ],
)
def test_credentials_are_not_the_forms_fault(code, status, whose):
    """A tenant whose form is thrown back to it for an expired token could only guess."""
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")
    assert refusal_in(error).whose == whose
