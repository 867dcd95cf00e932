"""A double opt-in goes all the way: the API, AWS, the phone, its answer, the ledger."""

from tests.harness.inbound import LONG_CODE, received, taken_in, two_way_number, writes
from tests.harness.numbers import us_number
from tests.harness.stack import US, US_PROMOTIONAL
from tests.harness.waiting import until

WORDS = "I agree to receive offers. Message frequency varies. Message and data rates may apply."


async def asked(customer, person):
    """Ask a phone for its consent."""
    body = {
        "number": person,
        "use_case": "marketing",
        "type": "promotional",
        "text": WORDS,
        "double_opt_in": True,
    }
    answer = await customer.live.post("/v1/consents", json=body)
    assert (answer.status_code, answer.json()["state"]) == (201, "pending"), answer.text


async def state_of(customer, person):
    """Where a phone stands."""
    shown = (await customer.live.get(f"/v1/consents/{person}")).json()
    return shown["consents"][0]["state"]


async def test_a_phone_that_says_yes_has_agreed_and_a_stop_wins_over_it(stack):
    """One text asks, the phone's own answer decides; a tenant of templates only may ask, too."""
    customer = await stack.customer(senders=[LONG_CODE], model=5)
    sender = await two_way_number(stack, customer)
    person = us_number()
    await asked(customer, person)
    (text,) = await received(stack, person, 1)
    assert "Reply YES" in text
    assert "/confirm/" not in text, "the customer has no pages to which a link could lead"

    await writes(stack, person, sender["value"], "Yes!")
    await taken_in(customer, 1)
    assert await state_of(customer, person) == "granted"
    lines = (await customer.live.get(f"/v1/consents/{person}")).json()["records"]
    assert [(each["event"], each["actor"]) for each in lines][1] == ("confirmed", "recipient")
    assert lines[1]["evidence"].startswith("inb_")

    await writes(stack, person, sender["value"], "STOP")
    await taken_in(customer, 2)
    assert await state_of(customer, person) == "withdrawn"
    await writes(stack, person, sender["value"], "YES")
    await taken_in(customer, 3)
    assert await state_of(customer, person) == "withdrawn"


async def test_a_stop_before_the_answer_ends_the_asking(stack):
    """Whoever was asked by mistake stops it with the word everybody knows."""
    customer = await stack.customer(senders=[LONG_CODE])
    sender = await two_way_number(stack, customer)
    person = us_number()
    await asked(customer, person)
    await received(stack, person, 1)
    await writes(stack, person, sender["value"], "stop")
    await taken_in(customer, 1)
    assert await state_of(customer, person) == "withdrawn"


async def test_a_phone_that_has_opted_out_is_not_asked(stack):
    """A form must not text a phone that said STOP."""
    customer = await stack.customer(senders=[LONG_CODE])
    person = us_number()
    await customer.live.put(f"/v1/opt-outs/{person}")
    await asked(customer, person)

    async def worked_off():
        query = "SELECT count(*) FROM consent_asks WHERE tenant_id = $1"
        return await stack.database.fetchval(query, customer.uuid) == 0

    await until(worked_off)
    assert await received(stack, person, 0) == []


async def explained(customer, person):
    """What the consent gate says of a promotional text."""
    wish = {"to": person, "body": "Acme: offers. Reply STOP to opt out", "type": "promotional"}
    told = await customer.live.post("/v1/messages/explain", json=wish)
    assert told.status_code == 200, told.text
    return next(each for each in told.json()["gates"] if each["gate"] == "consent")


async def test_a_plan_that_asks_for_consent_refuses_whoever_has_given_none(stack):
    """Given or withdrawn, a consent counts from its commit on; types that the plan does not name pass."""
    plan = {"consent_required": ["promotional"], "quiet_hours": {"policy": "off"}}
    customer = await stack.customer(senders=[US, US_PROMOTIONAL], plan=plan)
    person = us_number()

    async def promote():
        body = "A customer: offers today. Reply STOP to opt out"
        answer = await customer.send(to=person, body=body, type="promotional")
        return answer.status_code, answer.json().get("code")

    assert await promote() == (403, "consent_required")
    closed = await explained(customer, person)
    assert (closed["verdict"], closed["code"]) == ("closed", "consent_required")
    assert (await customer.send(to=person, body="Your parcel is here")).status_code == 202
    body = {"number": person, "use_case": "marketing", "type": "promotional", "text": WORDS}
    assert (await customer.live.post("/v1/consents", json=body)).status_code == 201
    assert await promote() == (202, None)
    assert (await explained(customer, person))["verdict"] == "open"
    await customer.live.delete(f"/v1/consents/{person}/marketing")
    code = (await promote())[1]
    assert code in {"consent_required", "opted_out"}
