"""Answers given on pages: kept, judged at their fields, shown to their tenant alone and never run."""

import io
import re
from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import msgspec
import pytest
from PIL import Image

from gateway.db.transaction import worker_transaction
from tenants.countries.facts import by_iso
from tenants.registrations.forms import Field, Form, FormType, Section
from tenants.registrations.models import StoredForm
from tests.contract.console_person import Person, invited
from tests.unit.tenants.onboarding_answers import COMPLETE

LEGAL = "/console/onboarding/questions/legal"
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


async def signed_in(world, operator, customer) -> Person:
    """A person of a tenant."""
    person = Person(world.client())
    await person.accept(await invited(operator, customer.id, f"f-{uuid4().hex[:10]}@acme.example"))
    return person


@pytest.fixture
async def member(world, operator, customer):
    """A person of the customer's, signed in."""
    person = await signed_in(world, operator, customer)
    yield person
    await person.browser.aclose()


async def test_an_answer_on_a_page_is_the_tenants_answer_over_the_api(member, customer) -> None:
    """One onboarding, two ways to it; the audit names the person."""
    await member.open(LEGAL)
    answer = await member.send(LEGAL, version="0", hosted="on")
    assert answer.status_code == 303
    shown = (await customer.api.get("/v1/onboarding")).json()
    assert shown["answers"]["legal"]["hosted"] is True
    rows = (await customer.api.get("/v1/audit")).json()["data"]
    assert next(row["actor"] for row in rows if row["action"] == "onboarding.answered").startswith("psn_")


async def test_a_bad_answer_stands_at_its_field_with_what_was_written(member) -> None:
    """Nobody types it all again."""
    await member.open(LEGAL)
    answer = await member.send(
        LEGAL, version="0", terms_url="http://acme.example", privacy_url="https://a.example/p"
    )
    assert answer.status_code == 422
    assert 'id="f-terms_url-error"' in answer.text
    assert 'value="https://a.example/p"' in answer.text


async def test_what_is_missing_is_named_all_at_once(member) -> None:
    """Not one field per attempt."""
    path = "/console/onboarding/questions/profile"
    await member.open(path)
    answer = await member.send(path, version="0", legal_name="Acme Incorporated")
    assert (answer.status_code, answer.text.count("Fill this in.") > 10) == (422, True)


async def test_an_answer_that_somebody_changed_meanwhile_is_told_and_kept(member, customer) -> None:
    """Two browsers; the second is not lost, and does not overwrite unseen."""
    await member.open(LEGAL)
    await customer.api.patch("/v1/onboarding", json={"relationship": COMPLETE["relationship"]})
    answer = await member.send(LEGAL, version="0", hosted="on")
    assert (answer.status_code, "Somebody else changed" in answer.text) == (409, True)
    assert (await customer.api.get("/v1/onboarding")).json()["answers"]["legal"] is None


async def test_a_mistake_in_an_answer_does_not_hide_that_somebody_changed_it(member, customer) -> None:
    """The page that names the mistake was written over the old answers still."""
    await member.open(LEGAL)
    await customer.api.patch("/v1/onboarding", json={"relationship": COMPLETE["relationship"]})
    wrong = await member.send(LEGAL, version="0", terms_url="http://acme.example", privacy_url="")
    assert (wrong.status_code, 'name="version" value="0"' in wrong.text) == (422, True)
    told = await member.send(LEGAL, version="0", hosted="on")
    assert (told.status_code, 'name="version" value="1"' in told.text) == (409, True)


USES = "/console/onboarding/questions/use_cases"
PROGRAMME = {
    "use_case": "otp",
    "type": "otp",
    "description": "Acme sends codes to people who sign in to its shop, and to nobody else.",
    "samples.0": "Acme: your code is 123456. Tell it nobody.",
}


def use_case(at: int, **changes: str) -> dict[str, str]:
    """The fields of a use case on the page."""
    given = dict.fromkeys(("samples.1", "samples.2"), "") | PROGRAMME | changes
    return {f"programmes.{at}.{name}": text for name, text in given.items()}


NONE = dict.fromkeys(PROGRAMME, "")
SENDERS = "/console/onboarding/questions/senders"


async def test_every_country_there_is_can_be_asked_about(member, customer) -> None:
    """Where AWS has shared routes, the page failed: nobody outside of the United States could choose."""
    every = sorted(by_iso())
    for at in range(0, len(every), 100):
        reach = COMPLETE["reach"] | {"countries": every[at : at + 100]}
        answer = await customer.api.patch("/v1/onboarding", json={"reach": reach})
        assert answer.status_code == 200, answer.text
        page = await member.open(SENDERS)
        assert (page.status_code, page.text.count("<fieldset>")) == (200, len(reach["countries"]))
        assert 'value="SHARED"' not in page.text


async def test_where_nothing_can_be_chosen_the_other_countries_can(member, customer) -> None:
    """South Korea has no sender of one's own at AWS."""
    await customer.api.patch(
        "/v1/onboarding", json={"reach": COMPLETE["reach"] | {"countries": ["KR", "GB"]}}
    )
    assert "no sender of one&#39;s own" in (await member.open(SENDERS)).text
    wrong = await member.send_fields(SENDERS, {"choices.1.country": "GB"})
    assert (wrong.status_code, 'id="f-choices-1-type-error"' in wrong.text) == (422, True)
    taken = await member.send_fields(SENDERS, {"choices.1.country": "GB", "choices.1.type": "LONG_CODE"})
    assert taken.status_code == 303, taken.text
    seen = (await customer.api.get("/v1/onboarding")).json()
    stored = seen["answers"]["senders"]["choices"]
    assert [(each["country"], each["type"]) for each in stored] == [("GB", "LONG_CODE")]
    assert next(step["state"] for step in seen["steps"] if step["name"] == "senders") == "done"
    await customer.api.patch("/v1/onboarding", json={"reach": COMPLETE["reach"] | {"countries": ["KR"]}})
    assert "no sender of one&#39;s own" in (await member.open(SENDERS)).text
    assert (await member.send_fields(SENDERS, {})).status_code == 303
    assert (await customer.api.get("/v1/onboarding")).json()["answers"]["senders"] == {"choices": []}


SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def handed_back(answer) -> dict[str, str]:
    """The fields that a form has which was handed back."""
    assert (answer.status_code, "Send it again" in answer.text) == (403, True), answer.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
    areas = re.findall(r'<textarea name="([^"]+)" hidden[^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    return hidden | {name: unescape(text) for name, text in areas}


async def test_what_was_written_outlives_the_session(member, customer, database) -> None:
    """Whoever looked for the tax number for an hour lost every field of the page."""
    page = "/console/onboarding/questions/opt_in"
    await member.open(page)
    written = {"mode": "verbal", "wording": "May we\n<b>text</b> you about your orders? Rates may apply."}
    sent = {"token": member.token(), "version": "0", "once": "o", **written}
    await database.execute(
        "UPDATE console_sessions SET seen_at = seen_at - interval '2 hours' WHERE tenant_id = $1",
        customer.scope.tenant_id,
    )
    back = await member.browser.post(page, data=sent, headers=SAME_ORIGIN)
    fields = handed_back(back)
    assert written.items() <= fields.items()
    assert 'target="_blank"' in back.text
    too_soon = await member.browser.post(page, data=fields, headers=SAME_ORIGIN)
    assert written.items() <= handed_back(too_soon).items()
    await database.execute(
        "UPDATE console_sessions SET seen_at = now() WHERE tenant_id = $1", customer.scope.tenant_id
    )
    taken = await member.browser.post(page, data=fields, headers=SAME_ORIGIN)
    assert taken.status_code == 303, taken.text
    stored = (await customer.api.get("/v1/onboarding")).json()["answers"]["opt_in"]
    assert written.items() <= stored.items()


async def test_a_form_of_an_earlier_session_is_handed_back_to_the_present_one(member) -> None:
    """Who signed in anew in another tab was told to reload the page, and lost what it held."""
    page = "/console/onboarding/questions/legal"
    await member.open(page)
    old = {"token": "0" * 64, "version": "0", "hosted": "on"}
    fields = handed_back(await member.browser.post(page, data=old, headers=SAME_ORIGIN))
    assert (await member.browser.post(page, data=fields, headers=SAME_ORIGIN)).status_code == 303


async def test_what_a_page_does_not_ask_for_is_kept_when_it_is_saved(member, customer) -> None:
    """A second sender of a country, and a fourth and fifth sample, were gone with the first save."""
    samples = [f"Acme: parcel {at} is on its way to you." for at in range(5)]
    programme = COMPLETE["use_cases"]["programmes"][0] | {"samples": samples}
    senders = [{"country": "US", "type": kind} for kind in ("TOLL_FREE", "SHORT_CODE")]
    given = {"use_cases": {"programmes": [programme]}, "senders": {"choices": senders}}
    reach = COMPLETE["reach"] | {"countries": ["US"]}
    answer = await customer.api.patch("/v1/onboarding", json=given | {"reach": reach})
    assert answer.status_code == 200, answer.text
    shown = (await member.open(SENDERS)).text
    assert "Chosen beside it, over the API: Short code." in shown
    changed = await member.send_fields(SENDERS, {"choices.0.country": "US", "choices.0.type": "TEN_DLC"})
    assert changed.status_code == 303, changed.text
    page = (await member.open(USES)).text
    fields = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)</textarea>', page)
    kinds = {"programmes.0.use_case": programme["use_case"], "programmes.0.type": programme["type"]}
    assert (await member.send_fields(USES, dict(fields) | kinds)).status_code == 303
    kept = (await customer.api.get("/v1/onboarding")).json()["answers"]
    assert [each["type"] for each in kept["senders"]["choices"]] == ["TEN_DLC", "SHORT_CODE"]
    assert kept["use_cases"]["programmes"][0]["samples"] == samples


async def test_a_mistake_makes_no_more_room_for_use_cases(member) -> None:
    """Each try that was not taken brought another empty use case below the last."""
    await member.open(USES)
    for _ in range(3):
        wrong = await member.send_fields(USES, use_case(0, description="short"))
        assert (wrong.status_code, wrong.text.count("Use case ")) == (422, 1)


async def test_a_mistake_is_told_at_its_use_case_whatever_was_left_empty_above(member, customer) -> None:
    """The API counts what it gets."""
    await member.open(USES)
    sent = use_case(0) | use_case(1, **NONE) | use_case(2, description="short")
    wrong = await member.send_fields(USES, sent)
    assert (wrong.status_code, 'id="f-programmes-1-description-error"' in wrong.text) == (422, True)
    assert re.search(r'name="programmes.1.description"[^>]*>short<', wrong.text)
    taken = await member.send_fields(USES, use_case(0) | use_case(1, **NONE) | use_case(2))
    assert taken.status_code == 303
    stored = (await customer.api.get("/v1/onboarding")).json()["answers"]["use_cases"]
    assert len(stored["programmes"]) == 2


async def test_fields_of_no_form_are_no_fault(member) -> None:
    """A field below another's text, and one below thirty thousand others, were."""
    await member.open(USES)
    for strange in ("token.a", "a" + ".a" * 30_000):
        answer = await member.send_fields(USES, use_case(0) | {strange: "x"})
        assert answer.status_code == 303, answer.text


async def test_a_button_pressed_twice_acts_once(member, customer) -> None:
    """A double click on a slow line."""
    await customer.api.patch("/v1/onboarding", json=COMPLETE)
    await member.open("/console/onboarding")
    for _ in range(2):
        answer = await member.send("/console/onboarding/submit", once="the-same-form")
        assert answer.status_code == 303, answer.text
    rows = (await customer.api.get("/v1/audit")).json()["data"]
    assert [row["action"] for row in rows].count("onboarding.asked") == 1


async def test_what_comes_too_early_is_said_on_the_checklist(member) -> None:
    """An old tab, or the back button."""
    await member.open("/console/onboarding")
    answer = await member.send("/console/onboarding/go-live", once="early")
    assert (answer.status_code, 'role="alert"' in answer.text) == (409, True)


async def test_hostile_answers_are_text_on_every_page(member, desk, customer) -> None:
    """Templates escape; the tenant's words reach the operator's browser."""
    profile = COMPLETE["profile"] | {"legal_name": HOSTILE, "vertical": HOSTILE}
    stored = await customer.api.patch("/v1/onboarding", json=COMPLETE | {"profile": profile})
    assert stored.status_code == 200, stored.text
    pages = [
        await member.open("/console/onboarding/questions/profile"),
        await desk.open(f"/console/operator/tenants/{customer.id}"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert "&lt;script&gt;" in page.text


async def test_another_tenants_things_are_not_there(world, operator, enrol, member) -> None:
    """A foreign id reads like one that never was."""
    other = await enrol()
    await other.api.patch("/v1/onboarding", json=COMPLETE)
    assert "Acme Incorporated" not in (await member.open("/console/onboarding/questions/profile")).text
    for path in (
        "/console/registrations/reg_01K3ZQ4V7N8R9T0W2Y4A6C8E0G",
        "/console/onboarding/questions/nothing",
    ):
        assert (await member.open(path)).status_code == 404


@pytest.fixture
async def registration(customer, engines):
    """A draft of the customer's, in a form that was read at AWS before."""
    kind = f"US_{uuid4().hex.upper()}_REGISTRATION"
    fields = tuple(
        Field(path=path, section="info", kind="TEXT", requirement=requirement, title=path, most=100, least=3)
        for path, requirement in (
            ("info.name", "REQUIRED"),
            ("info.motto", "OPTIONAL"),
            ("info.website", "OPTIONAL"),
        )
    ) + tuple(
        Field(
            path=path, section="info", kind="ATTACHMENT", requirement="OPTIONAL", title=path, most=1, least=0
        )
        for path in ("info.form", "info.other")
    )
    form = Form(type=FormType(type=kind), sections=(Section(path="info"),), fields=fields)
    async with worker_transaction(engines["operator"]) as session:
        definition = {"is": msgspec.to_builtins(form)}
        session.add(StoredForm(type=kind, definition=definition, fetched_at=datetime.now(UTC)))
    values = {"info.name": "Acme", "info.motto": "Ever onwards"}
    body = {"type": kind, "name": "Codes", "values": values}
    made = await customer.api.post("/v1/registrations", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.fixture
async def forms(engines, database):
    """What AWS was last heard to offer: nothing."""
    async with worker_transaction(engines["operator"]) as session:
        await session.merge(StoredForm(type="*", definition={"is": []}, fetched_at=datetime.now(UTC)))
    yield
    await database.execute("DELETE FROM registration_forms WHERE type = '*'")


async def test_a_denied_registration_leads_to_a_new_version(member, customer, registration, database) -> None:
    """What was denied is read-only: a form that cannot be saved, and no way on, would be the end of it."""
    page = f"/console/registrations/{registration}"
    await database.execute(
        "UPDATE registrations SET status = 'requires_updates' WHERE tenant_id = $1", customer.scope.tenant_id
    )
    denied = await member.open(page)
    assert ("/versions" in denied.text, ">Save<" in denied.text) == (True, False)
    assert (await member.send(f"{page}/versions", once="v")).headers["location"] == page
    again = await member.open(page)
    assert (">Save<" in again.text, "Ever onwards" in again.text) == (True, True)


def edition_on(page) -> str:
    """The edition of the values that a page's form was written over."""
    return re.search(r'name="edition" value="(\w+)"', page.text).group(1)


async def test_a_form_that_somebody_changed_meanwhile_is_not_overwritten_unseen(
    member, customer, registration
) -> None:
    """A form brings every field: what two people write at once would be the second one's alone."""
    page, fields = f"/console/registrations/{registration}", f"/v1/registrations/{registration}/fields"
    seen = edition_on(await member.open(page))
    mine = {"info.name": "Acme", "info.motto": "Mine"}
    wrong = await member.send_fields(page, mine | {"once": "1", "edition": seen, "info.name": "x"})
    assert (wrong.status_code, edition_on(wrong)) == (422, seen)
    theirs = {"values": {"info.motto": "Theirs"}, "edition": seen}
    assert (await customer.api.put(fields, json=theirs)).status_code == 200
    late = await customer.api.put(fields, json=theirs)
    assert (late.status_code, late.json()["code"]) == (409, "registration_changed")
    told = await member.send_fields(page, mine | {"once": "2", "edition": seen})
    assert (told.status_code, "Somebody else changed" in told.text, "Mine" in told.text) == (409, True, True)
    values = (await customer.api.get(f"/v1/registrations/{registration}")).json()["values"]
    assert values["info.motto"] == "Theirs"
    saved = await member.send_fields(page, mine | {"once": "3", "edition": edition_on(told)})
    assert saved.status_code == 303


async def test_what_the_profile_fills_in_is_said_to_be_unsaved(member, customer, registration) -> None:
    """A field with the company's name in it read "is required"."""
    await customer.api.patch("/v1/onboarding", json=COMPLETE)
    page = f"/console/registrations/{registration}"
    shown = (await member.open(page)).text
    website = shown[shown.index('name="info.website"') :]
    assert 'value="https://acme.example"' in website.partition(">")[0]
    assert "Taken from your answers; save to keep it." in website
    refused = await member.send_fields(
        page, {"once": "x", "info.name": "A", "info.website": "https://acme.example"}
    )
    kept = refused.text[refused.text.index('name="info.website"') :].partition("</div>")[0]
    assert (refused.status_code, "is required" in kept) == (422, False)
    wrong = refused.text[refused.text.index('name="info.name"') :].partition("</div>")[0]
    assert 'aria-describedby="f-info-name-error"' in wrong
    assert re.search(r'id="f-info-name-error">[A-Z0-9][^<]*\.</p>', wrong), wrong
    await member.send_fields(page, {"once": "w", "info.name": "Acme", "info.website": "https://acme.example"})
    assert "Taken from your answers" not in (await member.open(page)).text


async def test_what_is_handed_in_is_what_stands_on_the_page(member, customer, registration) -> None:
    """Whoever filled the form in and pressed the last button lost it all, or handed in what stood before."""
    page = f"/console/registrations/{registration}"
    seen = edition_on(await member.open(page))
    written = {"edition": seen, "then": "submit", "info.name": "Acme Two", "info.motto": "Mine"}
    wrong = await member.send_fields(page, written | {"once": "1", "info.name": "x"})
    assert (wrong.status_code, 'value="Mine"' in wrong.text) == (422, True)
    done = await member.send_fields(page, written | {"once": "2"})
    assert (done.status_code, done.headers.get("location")) == (303, page), done.text
    held = (await customer.api.get(f"/v1/registrations/{registration}")).json()
    assert (held["values"]["info.name"], held["status"]) == ("Acme Two", "preparing")
    again = await member.send_fields(page, {"once": "3", "then": "nothing"})
    assert again.status_code == 404


def picture() -> bytes:
    """A picture of an opt-in form."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(buffer, "PNG")
    return buffer.getvalue()


async def test_attaching_a_file_keeps_what_was_written(member, customer, registration) -> None:
    """The page was loaded anew without what stood in it."""
    page = f"/console/registrations/{registration}"
    seen = await member.open(page)
    data = {"token": member.token(), "edition": edition_on(seen), "then": "attach", "info.name": "Acme Two"}
    chosen = {"file:info.form": ("form.png", picture(), "image/png"), "file:info.other": ("", b"")}
    wrong = await member.browser.post(page, data=data | {"once": "1", "info.name": "x"}, files=chosen)
    assert (wrong.status_code, "Choose the file again" in wrong.text) == (422, True), wrong.text
    assert 'value="x"' in wrong.text
    done = await member.browser.post(page, data=data | {"once": "2"}, files=chosen)
    assert (done.status_code, done.headers.get("location")) == (303, page), done.text
    values = (await customer.api.get(f"/v1/registrations/{registration}")).json()["values"]
    assert (values["info.name"], values["info.form"][:4]) == ("Acme Two", "att_")
    assert "info.other" not in values
    bad = {"file:info.other": ("form.png", b"no picture", "image/png")}
    data |= {"edition": edition_on(await member.open(page)), "once": "3"}
    refused = await member.browser.post(page, data=data, files=bad)
    assert (refused.status_code, 'id="f-info-other-error"' in refused.text) == (422, True), refused.text


async def test_what_is_ready_is_handed_in_as_it_is(member, customer, registration, database) -> None:
    """A save of what is stored already would take it back to where it was a draft."""
    page = f"/console/registrations/{registration}"
    await database.execute(
        "UPDATE registrations SET status = 'ready' WHERE tenant_id = $1", customer.scope.tenant_id
    )
    await member.open(page)
    kept = {"info.name": "Acme", "info.motto": "Ever onwards", "info.website": ""}
    done = await member.send_fields(page, kept | {"once": "1", "then": "submit"})
    assert done.status_code == 303, done.text
    assert (await customer.api.get(f"/v1/registrations/{registration}")).json()["status"] == "submitting"


async def test_what_was_emptied_stays_empty_beside_a_mistake(member, registration) -> None:
    """Else the next save brings back what was taken out."""
    page = f"/console/registrations/{registration}"
    await member.open(page)
    answer = await member.send_fields(page, {"once": "e", "info.name": "x", "info.motto": ""})
    assert (answer.status_code, 'value="x"' in answer.text) == (422, True)
    assert "Ever onwards" not in answer.text


async def test_the_operator_sees_whose_turn_it_is_and_sends_back(member, desk, customer) -> None:
    """A hundred at a glance begins with one that is right."""
    await customer.api.patch("/v1/onboarding", json=COMPLETE)
    await customer.api.post("/v1/onboarding/submit")
    path = f"/console/operator/tenants/{customer.id}"
    assert "asks for approval" in (await desk.open(path)).text
    assert (await desk.send(f"{path}/send-back", once="b", why="Name a support desk.")).status_code == 303
    assert "Name a support desk." in (await member.open("/console/onboarding")).text


async def test_the_operator_sends_back_what_the_page_showed(desk, customer) -> None:
    """What was to change may have been changed behind the open page."""
    await customer.api.patch("/v1/onboarding", json=COMPLETE)
    await customer.api.post("/v1/onboarding/submit")
    home = f"/console/operator/tenants/{customer.id}"
    seen = re.search(r'name="version" value="(\d+)"', (await desk.open(home)).text)
    await customer.api.patch("/v1/onboarding", json={"profile": COMPLETE["profile"] | {"brand": "Another"}})
    await customer.api.post("/v1/onboarding/submit")
    given = {"version": seen[1], "why": "Name another brand."}
    refused = await desk.send(f"{home}/send-back", once=uuid4().hex, **given)
    assert (refused.status_code, "Somebody else answered" in refused.text) == (409, True)
    assert ">Name another brand.</textarea>" in refused.text


async def test_an_address_that_is_none_is_said_at_its_field(desk, customer) -> None:
    """The form is at the foot of a long page, and what was wrong stood at its head alone."""
    home = f"/console/operator/tenants/{customer.id}"
    await desk.open(home)
    refused = await desk.send(f"{home}/invitations", once=uuid4().hex, email="a@b")
    field = refused.text[refused.text.index('<input type="email" id="email"') :].partition("</div>")[0]
    assert (refused.status_code, 'value="a@b"' in field) == (422, True)
    assert 'aria-invalid="true" aria-describedby="email-error"' in field
    assert ">An e-mail address is name@domain.</p>" in field


async def test_the_operator_finds_a_tenant_that_has_not_begun(desk, customer) -> None:
    """Its page has the form that invites somebody, and no list leads there."""
    assert 'action="/console/operator/tenants"' in (await desk.open("/console/operator")).text
    shown = await desk.open(f"/console/operator/tenants?tenant= {customer.id} ")
    assert (shown.status_code, str(shown.url).endswith(f"/tenants/{customer.id}")) == (200, True)
    for wrong in ("ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G", "../inbox"):
        lost = await desk.browser.get(
            "/console/operator/tenants", params={"tenant": wrong}, follow_redirects=True
        )
        assert (lost.status_code, "There is nothing here" in lost.text) == (404, True)


async def test_an_address_that_was_mistyped_is_answered_by_a_page(desk, member) -> None:
    """People read a machine's problem."""
    for person in (desk, member):
        for path in ("/console/nowhere", "/console/operator/in/box", "/console/sign-out"):
            shown = await person.open(path)
            assert shown.headers["content-type"].startswith("text/html"), path
            assert "There is nothing here" in shown.text, path


async def test_the_operator_turns_the_page(desk, operator, enrol) -> None:
    """Behind the first hundred onboardings stand others, each by its name."""
    for name in ("First", "Second"):
        customer = await enrol(name=name)
        await customer.api.patch("/v1/onboarding", json={"legal": COMPLETE["legal"]})
    after, name = "", ""
    while name != "First":
        query = {"limit": 1} | ({"after": after} if after else {})
        page = (await operator.get("/v1/admin/onboardings", params=query)).json()
        after, name = page["next_cursor"], page["data"][0]["tenant_name"]
    shown = await desk.open(f"/console/operator?after={after}")
    assert (shown.status_code, ">Second<" in shown.text, ">First<" in shown.text) == (200, True, False)


async def test_the_operator_turns_the_pages_of_a_tenants_people_and_invitations(
    world, desk, operator, customer, member
) -> None:
    """Behind the first hundred of each nobody could be seen, or taken out."""
    another = await signed_in(world, operator, customer)
    await another.browser.aclose()
    home, path = f"/v1/admin/tenants/{customer.id}", f"/console/operator/tenants/{customer.id}"
    page = (await operator.get(f"{home}/people", params={"limit": 1})).json()
    (second,) = (await operator.get(f"{home}/people", params={"after": page["next_cursor"]})).json()["data"]
    first = page["data"][0]
    shown = (await desk.open(f"{path}?people={page['next_cursor']}")).text
    assert (f"/people/{second['id']}/remove" in shown, f"/people/{first['id']}/remove" in shown) == (
        True,
        False,
    )
    for number in range(101):
        made = await operator.post(f"{home}/invitations", json={"email": f"n{number:03}@acme.example"})
        assert made.status_code == 201, made.text
    onward = re.search(r'href="([^"]*)">The next hundred invitations', (await desk.open(path)).text)
    assert onward is not None
    shown = (await desk.open(unescape(onward[1]))).text
    assert ("n000@acme.example" in shown, "n100@acme.example" in shown) == (True, False)


async def test_a_tenant_turns_the_page_of_its_registrations(member, customer, registration, forms) -> None:
    """Each is one to be followed, also the first of many."""
    kind = (await customer.api.get(f"/v1/registrations/{registration}")).json()["type"]
    made = await customer.api.post("/v1/registrations", json={"type": kind, "name": "Alerts"})
    assert made.status_code == 201, made.text
    page = (await customer.api.get("/v1/registrations", params={"limit": 1})).json()
    shown = (await member.open(f"/console/registrations?after={page['next_cursor']}")).text
    assert (">Codes<" in shown, ">Alerts<" in shown) == (True, False)


async def test_the_operator_approves_what_the_page_showed(desk, customer) -> None:
    """What was answered behind an open page is shown before it is approved."""
    await customer.api.patch("/v1/onboarding", json=COMPLETE)
    await customer.api.post("/v1/onboarding/submit")
    home = f"/console/operator/tenants/{customer.id}"
    await desk.open(home)
    version = re.search(r'name="version" value="(\d+)"', desk.page.text).group(1)
    await customer.api.patch("/v1/onboarding", json={"profile": COMPLETE["profile"] | {"brand": "Another"}})
    refused = await desk.send(f"{home}/approve", version=version)
    assert (refused.status_code, "Another" in refused.text) == (409, True)
    assert (await customer.api.get("/v1/onboarding")).json()["approved_at"] is None


async def test_an_address_that_cannot_be_one_stands_there_to_be_mended(desk, customer) -> None:
    """Nobody types it all again."""
    path = f"/console/operator/tenants/{customer.id}"
    await desk.open(path)
    wrong = await desk.send(f"{path}/invitations", once="w", email="ann@acme")
    assert (wrong.status_code, 'value="ann@acme"' in wrong.text) == (422, True)


async def test_the_operator_makes_an_invitation_that_is_shown_once(desk, customer) -> None:
    """The link stands on the answer and nowhere later."""
    path = f"/console/operator/tenants/{customer.id}"
    await desk.open(path)
    made = await desk.send(f"{path}/invitations", once="i", email=f"i-{uuid4().hex[:8]}@acme.example")
    assert "https://gateway.example/console/invitations/" in made.text
    assert "/console/invitations/" not in (await desk.open(path)).text
