"""`/v1/registrations` on a running gateway: forms, drafts, files, costs, review, decision; whose they are."""

import io
from uuid import uuid4

import pytest
from PIL import Image

from tests.harness.waiting import until
from tests.integration.carrier.registration_values import JORDAN, TOLL_FREE

TFN, JO = "US_TOLL_FREE_REGISTRATION", "JO_SENDER_ID_REGISTRATION"


def picture(kind="PNG", **more):
    """A screenshot."""
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "white").save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.fixture
async def customer(stack):
    """A tenant without senders."""
    return await stack.customer(provision=False)


async def opened(customer, kind=TFN, values=TOLL_FREE, field="messagingUseCase.optInImage"):
    """Open a registration with everything filled in."""
    body = {"type": kind, "name": "Codes", "values": values}
    made = await customer.live.post("/v1/registrations", json=body)
    assert made.status_code == 201, made.text
    home = f"/v1/registrations/{made.json()['id']}"
    sent = await customer.live.post(f"{home}/attachments?name=a.png&field={field}", content=picture())
    assert sent.status_code == 201, sent.text
    return home


async def comes_to(customer, home, status):
    """Return the registration once it has a status."""

    async def look():
        shown = (await customer.live.get(home)).json()
        return shown if shown["status"] == status else None

    return await until(look)


async def test_forms_are_what_aws_describes(customer):
    """Never a copy of ours: sections, requirements, choices and limits come from AWS."""
    types = (await customer.test.get("/v1/registration-forms")).json()["data"]
    assert {TFN, JO} <= {each["type"] for each in types}
    form = (await customer.test.get(f"/v1/registration-forms/{JO}")).json()
    fields = {field["path"]: field for field in form["fields"]}
    assert fields["messagingUseCase.transactionalOnly"]["options"][0]["value"] == "Yes"
    assert form["type"]["associations"][0]["behavior"] == "ASSOCIATE_ON_APPROVAL"
    for no_type in ("XX_NONE", "*"):
        assert (await customer.test.get(f"/v1/registration-forms/{no_type}")).status_code == 404


async def test_a_tenant_accepts_what_it_pays_itself(stack):
    """AWS's list price is what its provider pays; its own is the plan's, in the plan's unit."""
    book = f"k-{uuid4().hex[:8]}"
    csv = (
        "country,sender_type,channel,sell_usd,cost_usd,credits,item\n*,*,sms,0.25,0.2,24,part\n"
        "US,TOLL_FREE,sms,3.50,2.00,7,lease\nUS,TOLL_FREE,sms,10,0,50,registration\n"
    )
    await stack.operate("post", f"/v1/admin/price-books/{book}/import", {"csv": csv})
    fees = {"lease": "mark_up", "registration": "mark_up"}
    customer = await stack.customer(provision=False, plan={"price_book": book, "fees": fees})
    made = await customer.live.post("/v1/registrations", json={"type": TFN, "name": "Codes"})
    cost = made.json()["cost"]
    assert cost["by_plan"] == {"unit": "usd", "one_time": "10.00", "monthly": "3.50"}
    await stack.operate("patch", f"/v1/admin/tenants/{customer.id}", {"plan": {"fees": {"lease": "absorb"}}})
    path = f"/v1/registrations/{made.json()['id']}"
    amounts = {name: cost[name] for name in ("monthly_usd", "once_usd", "by_plan")}
    stale = await customer.live.post(f"{path}/confirm-cost", json=amounts)
    assert (stale.status_code, stale.json()["errors"][0]["field"]) == (422, "/by_plan")
    now = (await customer.live.get(path)).json()
    assert (now["cost"]["by_plan"]["monthly"], now["cost_confirmed_at"]) == ("0.00", None)
    accepted = await customer.live.post(
        f"{path}/confirm-cost", json=amounts | {"by_plan": now["cost"]["by_plan"]}
    )
    assert accepted.json()["cost_confirmed_at"] is not None
    credits_ = await stack.customer(
        provision=False, credit=None, plan={"price_book": book, "pricing": "credits", "fees": fees}
    )
    counted = await credits_.live.post("/v1/registrations", json={"type": TFN, "name": "Codes"})
    assert counted.json()["cost"]["by_plan"] == {"unit": "credits", "one_time": "50", "monthly": "7"}


async def test_a_registration_goes_from_a_draft_to_a_sender(stack, customer, sink):
    """The whole way over the API, told to an endpoint at each change."""
    hook = {"url": f"{sink.url}/r", "events": ["registration.status_changed"]}
    assert (await customer.live.post("/v1/webhook-endpoints", json=hook)).status_code == 201
    home = await opened(customer)
    shown = (await customer.live.get(home)).json()
    assert (shown["status"], shown["missing"], shown["cost"]["monthly_usd"]) == ("draft", [], "2.00")
    refused = await customer.live.post(f"{home}/submit")
    assert (refused.status_code, refused.json()["code"]) == (409, "cost_not_confirmed")
    other = await customer.live.post(f"{home}/confirm-cost", json={"monthly_usd": "1.00"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "/monthly_usd")
    assert (await customer.live.post(f"{home}/confirm-cost", json={"monthly_usd": "2"})).is_success
    assert (await customer.live.post(f"{home}/prepare")).is_success
    ready = await comes_to(customer, home, "ready")
    review = (await customer.live.get(f"{home}/review")).json()
    assert review["same"], [field for field in review["fields"] if not field["same"]]
    assert len(review["fields"]) == len(ready["values"])
    assert (await customer.live.post(f"{home}/submit")).is_success
    waiting = await comes_to(customer, home, "submitted")
    locked = await customer.live.put(f"{home}/fields", json={"values": {"companyInfo.city": "Tacoma"}})
    assert (locked.status_code, locked.json()["code"]) == (409, "registration_state")
    await stack.emulate("reviews", {"registration_id": waiting["aws_registration_id"], "decision": "approve"})
    await stack.emulate("reviews", {"registration_id": waiting["aws_registration_id"], "decision": "advance"})
    await comes_to(customer, home, "complete")
    (sender,) = (await customer.live.get("/v1/senders")).json()["data"]
    assert (sender["value"], sender["state"]) == (ready["number"]["phone_number"], "active")
    history = (await customer.live.get(f"{home}/history")).json()["data"]
    assert [move["after"] for move in history][:4] == ["preparing", "ready", "submitting", "submitted"]
    assert history[-1]["after"] == "complete"
    await sink.wait_for("/r", 5)


async def test_a_file_that_makes_a_ready_registration_a_draft_is_told(customer):
    """Whoever waits for the review would wait for nothing."""
    home = await opened(customer, JO, JORDAN, "companyInfo.registrationDocuments")
    assert (await customer.live.post(f"{home}/prepare")).is_success
    await comes_to(customer, home, "ready")
    path = f"{home}/attachments?name=b.png&field=companyInfo.registrationDocuments"
    assert (await customer.live.post(path, content=picture("JPEG"))).status_code == 201

    async def told():
        events = (await customer.live.get("/v1/events")).json()["data"]
        return [each["data"]["status"] for each in events][-2:] == ["ready", "draft"]

    await until(told)


async def test_a_wrong_value_names_its_field_and_nothing_is_stored(customer):
    """Field-level errors, all at once."""
    values = {"companyInfo.companyName": "A" * 500, "companyInfo.isoCountryCode": "usa", "x.y": "z"}
    made = await customer.test.post("/v1/registrations", json={"type": TFN, "name": "n", "values": values})
    assert made.status_code == 422
    assert {fault["field"] for fault in made.json()["errors"]} == {
        "/values/companyInfo.companyName",
        "/values/companyInfo.isoCountryCode",
        "/values/x.y",
    }
    assert (await customer.test.get("/v1/registrations")).json()["data"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "XX_NONE", "name": "n"}, "/type"),
        ({"type": TFN, "name": ""}, "/name"),
        ({"type": TFN, "name": "n", "parent": "reg_1"}, "/parent"),
        ({"type": "US_TEN_DLC_CAMPAIGN_REGISTRATION", "name": "n"}, "/parent"),
        ({"type": TFN, "name": "n", "values": {"companyInfo.city": 7}}, "/values/companyInfo.city"),
        ({"type": TFN, "name": "n", "surplus": 1}, "/surplus"),
    ],
)
async def test_bad_bodies_are_refused_with_the_field(customer, body, field):
    """422 with the way out, never a 500."""
    answer = await customer.test.post("/v1/registrations", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field, answer.text


async def test_only_sound_files_are_attached(customer):
    """F-ATTACH: 501 KB and .gif are refused; PDF, JPEG and PNG are stored as they were written anew."""
    made = await customer.test.post("/v1/registrations", json={"type": TFN, "name": "n"})
    place = f"/v1/registrations/{made.json()['id']}/attachments"
    for content in (picture("GIF"), picture() + b"\0" * 501 * 1024, picture() + b"%PDF-1.7", b"", b"PK\3\4"):
        answer = await customer.test.post(place, content=content)
        assert answer.status_code in {413, 422}, answer.text
        assert answer.json()["code"] in {"attachment_refused", "body_too_large"}
    for kind, shown in (("PNG", "image/png"), ("JPEG", "image/jpeg"), ("PDF", "application/pdf")):
        answer = await customer.test.post(place, content=picture(kind))
        assert (answer.status_code, answer.json()["content_type"]) == (201, shown), answer.text
    headers = {"Idempotency-Key": uuid4().hex}
    for _ in range(2):
        sent = await customer.test.post(place, files={"file": picture()}, headers=headers)
        assert sent.status_code == 201, sent.text


async def test_a_reference_and_a_key_make_one_registration(customer):
    """A second run of an import finds what the first one made."""
    body = {"type": TFN, "name": "n", "reference": f"row-{uuid4().hex}"}
    first = await customer.test.post("/v1/registrations", json=body)
    second = await customer.test.post("/v1/registrations", json=body)
    assert first.json()["id"] == second.json()["id"]
    headers = {"Idempotency-Key": uuid4().hex}
    bodies = [
        (
            await customer.test.post("/v1/registrations", json={"type": TFN, "name": "n"}, headers=headers)
        ).json()
        for _ in range(2)
    ]
    assert bodies[0] == bodies[1]


async def test_a_test_key_fills_but_never_reaches_aws(customer):
    """Drafts are free; reviewers are people."""
    made = await customer.test.post("/v1/registrations", json={"type": TFN, "name": "n"})
    home = f"/v1/registrations/{made.json()['id']}"
    for what, body in (("prepare", None), ("submit", None), ("confirm-cost", {"monthly_usd": "2.00"})):
        answer = await customer.test.post(f"{home}/{what}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "live_key_required")


async def test_nobody_sees_anothers_registration(stack, customer):
    """Foreign is absent, in every verb; nor is another's file taken."""
    stranger = await stack.customer(provision=False)
    home = await opened(customer, JO, JORDAN, "companyInfo.registrationDocuments")
    file = (await customer.live.get(home)).json()["values"]["companyInfo.registrationDocuments"]
    for what in ("", "/review", "/versions", "/history"):
        assert (await stranger.live.get(home + what)).status_code == 404
    for what in ("/prepare", "/submit", "/versions"):
        assert (await stranger.live.post(home + what)).status_code == 404
    assert (await stranger.live.put(f"{home}/fields", json={"values": {}})).status_code == 404
    assert (await stranger.live.delete(home)).status_code == 404
    assert (await stranger.live.get("/v1/registrations")).json()["data"] == []
    values = {"companyInfo.registrationDocuments": file}
    taken = await stranger.live.post("/v1/registrations", json={"type": JO, "name": "n", "values": values})
    assert taken.json()["errors"][0]["code"] == "no_such_attachment"
