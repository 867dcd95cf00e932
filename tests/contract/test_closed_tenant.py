"""A tenant that was closed: it begins nothing, and goes on reading until that is ended, too."""

import httpx

from tests.contract.console_person import Person, invited
from tests.unit.tenants.onboarding_answers import COMPLETE

DRAFT = {"name": "code", "body": "Acme: {code}", "type": "otp"}
PHONE = "+12065550111"


async def close(operator, customer) -> None:
    """End the customer for good."""
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/close")
    assert answer.status_code == 200, answer.text


async def test_it_begins_nothing_that_busies_or_costs_the_operator(customer, operator) -> None:
    """Its keys still speak, but a review or a decision is nobody's duty any more."""
    template = (await customer.api.post("/v1/templates", json=DRAFT)).json()["id"]
    await close(operator, customer)
    refused = [
        await customer.api.post(f"/v1/templates/{template}/submit"),
        await customer.api.patch("/v1/onboarding", json={"profile": COMPLETE["profile"]}),
        await customer.api.post("/v1/api-keys", json={"mode": "test"}),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(409, "tenant_closed")] * 3


async def test_it_cannot_ask_for_approval(customer, operator) -> None:
    """The operator's inbox is for those who stay."""
    answered = await customer.api.patch("/v1/onboarding", json=COMPLETE)
    assert answered.status_code == 200, answered.text
    await close(operator, customer)
    refused = await customer.api.post("/v1/onboarding/submit")
    assert (refused.status_code, refused.json()["code"]) == (409, "tenant_closed")
    tasks = await operator.get("/v1/admin/inbox", params={"tenant": customer.id})
    assert tasks.json()["data"] == []


async def test_no_code_is_sent_for_it(world, customer, operator, make_key) -> None:
    """Each rings a phone."""
    async with world.client(await make_key(customer.id, mode="test")) as tester:
        made = (await tester.post("/v1/verified-numbers", json={"number": PHONE})).json()
        await close(operator, customer)
        refused = [
            await tester.post("/v1/verified-numbers", json={"number": "+12065550112"}),
            await tester.post(f"/v1/verified-numbers/{made['id']}/code", json={}),
        ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(409, "tenant_closed")] * 2


async def test_an_invitation_that_is_open_does_not_open_any_more(world, customer, operator) -> None:
    """Nobody comes in after the end; the page says no more than of any link that ended."""
    link = httpx.URL(await invited(operator, customer.id, f"a-{customer.slug}@acme.example")).path
    async with world.client() as browser:
        person = Person(browser)
        assert (await person.open(link)).status_code == 200
        await close(operator, customer)
        late = await person.send(link, password="four green elephants", again="four green elephants")
        assert (late.status_code, (await browser.get(link)).status_code) == (410, 410)
    people = await operator.get(f"/v1/admin/tenants/{customer.id}/people")
    assert people.json()["data"] == []


async def test_it_reads_on_and_people_are_still_taken_off_the_lists(customer, operator) -> None:
    """Invoices are checked after the end, and an opt-out outlives the contract."""
    await close(operator, customer)
    for path in ("messages", "events", "audit", "templates", "statements", "webhook-endpoints"):
        assert (await customer.api.get(f"/v1/{path}")).status_code == 200, path
    answer = await customer.api.put(f"/v1/opt-outs/{PHONE}")
    assert answer.status_code == 200, answer.text
