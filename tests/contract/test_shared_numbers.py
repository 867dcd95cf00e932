"""A number that several tenants share: one line, one rate and one quota for all of them."""

from uuid import uuid4

import pytest

from gateway.db.transaction import worker_transaction
from gateway.routing.reading import read_routing
from tenants.accounts import service as accounts
from tenants.ids import decode
from tests.harness.numbers import us_number

CAMPAIGN = {"brand_id": "B1", "use_case": "MARKETING", "vetting_score": 60}


@pytest.fixture
async def shared(operator, customer, stranger):
    """A 10DLC number of the customer's and the stranger's, each with its own id."""
    account = (
        await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "us-east-1"})
    ).json()
    body = {
        "account": account["id"],
        "type": "TEN_DLC",
        "value": "+12065550100",
        "country": "US",
        "arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/phone-{uuid4().hex}",
    }
    return body, [await _added(operator, each, body) for each in (customer, stranger)]


async def _added(operator, customer, body):
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _fact(world, customer):
    """What the customer's one sender is known by."""
    async with worker_transaction(world.services.operator_engine) as session:
        plan = accounts.plan_of(await accounts.get(customer.scope, session))
        routing = await read_routing(customer.scope, session, plan)
    [fact] = routing.senders.values()
    return fact


async def test_tenants_that_share_a_number_stand_in_one_line(world, customer, stranger, shared):
    """Else each of them had AWS's rate for himself, and AWS would get both."""
    _body, (mine, theirs) = shared
    assert mine["id"] != theirs["id"]
    ours = [await _fact(world, each) for each in (customer, stranger)]
    assert ours[0].identity == ours[1].identity == decode("idn", mine["id"])


async def test_what_is_set_for_one_holds_for_all(operator, customer, stranger, shared):
    """The quota is the number's, and so are its campaign and an increase that AWS granted."""
    _body, (mine, theirs) = shared
    change = {"parts_per_day": 500, "campaign": CAMPAIGN | {"campaign_id": uuid4().hex}}
    own = f"/v1/admin/tenants/{stranger.id}/senders/{theirs['id']}"
    assert (await operator.patch(own, json=change)).status_code == 200
    asked = await operator.post(f"{own}/mps-increases", json={"parts_per_second": 30})
    assert asked.status_code in {200, 201}, asked.text
    decided = await operator.post(
        f"/v1/admin/tenants/{stranger.id}/mps-increases/{asked.json()['id']}/approve", json={}
    )
    assert decided.status_code == 200, decided.text
    shown = (await customer.api.get(f"/v1/senders/{mine['id']}/gates")).json()
    assert (shown["parts_per_second"], shown["ceiling_parts_per_second"]) == (30.0, 30.0)
    assert shown["shared"] == [{"parts_per_second": 40.0}]
    assert [each["parts_per_day"] for each in shown["daily"]] == [500, 40_000, 40_000]


async def test_who_is_given_the_number_later_has_what_was_set(operator, enrol, customer, shared):
    """Also its rate, where none is named; a rate that is named is everybody's."""
    body, (mine, _theirs) = shared
    await _added(operator, customer, body | {"parts_per_second": 7})
    path = f"/v1/admin/tenants/{customer.id}/senders/{mine['id']}"
    assert (await operator.patch(path, json={"parts_per_day": 500})).status_code == 200
    third = await enrol()
    added = await _added(operator, third, body)
    assert added["parts_per_second"] == 7.0
    shown = (await third.api.get(f"/v1/senders/{added['id']}/gates")).json()
    assert [each["parts_per_day"] for each in shown["daily"]] == [500]
    await _added(operator, third, body | {"parts_per_second": 9})
    assert (await customer.api.get(f"/v1/senders/{mine['id']}")).json()["parts_per_second"] == 9.0


async def test_a_campaign_is_one_for_all_tenants_that_have_numbers_of_it(operator, customer, stranger):
    """Their lanes share its gate: with another score each, both would go by either's figure."""
    campaign, brand = uuid4().hex, uuid4().hex
    facts = CAMPAIGN | {"campaign_id": campaign, "brand_id": brand}
    account = (
        await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "us-east-1"})
    ).json()
    numbers = []
    for each in (customer, stranger):
        body = {"account": account["id"], "type": "TEN_DLC", "value": us_number(), "country": "US"}
        body |= {"arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/phone-{uuid4().hex}"}
        numbers.append((await _added(operator, each, body))["id"])
    mine = f"/v1/admin/tenants/{customer.id}/senders/{numbers[0]}"
    theirs = f"/v1/admin/tenants/{stranger.id}/senders/{numbers[1]}"
    other_of_brand = facts | {"campaign_id": uuid4().hex, "use_case": "CUSTOMER_CARE"}

    async def shown():
        gates = (await stranger.api.get(f"/v1/senders/{numbers[1]}/gates")).json()
        return (
            gates["campaign"]["use_case"],
            gates["shared"],
            [each["parts_per_day"] for each in gates["daily"]],
        )

    assert (await operator.patch(mine, json={"campaign": facts})).status_code == 200
    assert (await operator.patch(theirs, json={"campaign": facts})).status_code == 200
    rescored = facts | {"vetting_score": 20, "use_case": "POLLING_AND_VOTING"}
    assert (await operator.patch(mine, json={"campaign": rescored})).status_code == 200
    assert await shown() == ("POLLING_AND_VOTING", [{"parts_per_second": 4.0}], [10_000, 10_000])
    told = (await operator.get(f"/v1/admin/tenants/{stranger.id}/audit")).json()["data"]
    assert [each["subject"] for each in told if each["action"] == "campaign.set"] == [campaign]
    rescored = other_of_brand | {"vetting_score": 80}
    assert (await operator.patch(mine, json={"campaign": rescored})).status_code == 200
    assert await shown() == ("POLLING_AND_VOTING", [{"parts_per_second": 75.0}], [200_000, 200_000])
