"""Templates on the road: languages, versions and free text that has to match, against real processes."""

from uuid import uuid4

import pytest

from tests.harness.numbers import german_number, us_number
from tests.harness.stack import US

SENDERS = [US, {"country": "DE", "type": "SENDER_ID", "value": "ACMEBANK", "parts_per_second": 100}]
LOGIN = {
    "body": "Acme: your code is {code}",
    "type": "otp",
    "variables": {"code": {"kind": "digits", "max_length": 6}},
    "variants": [{"locale": "de", "body": "Acme: Ihr Code ist {code}"}],
}


async def _customer(stack, **plan):
    return await stack.customer(countries=["US", "DE"], senders=SENDERS, plan=plan)


async def _sent(customer, **members) -> dict:
    answer = await customer.send(**members)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_recipient_reads_the_language_of_the_country_unless_the_send_names_one(stack):
    """One template, and nobody has to know who reads what."""
    customer = await _customer(stack)
    template = {"id": await stack.approved_template(customer, **LOGIN), "variables": {"code": "123456"}}
    german = await _sent(customer, to=german_number(), template=template)
    english = await _sent(customer, to=us_number(), template=template)
    named = await _sent(customer, to=us_number(), template=template | {"locale": "de-AT"})
    other = await _sent(customer, to=german_number(), template=template | {"locale": "fr"})
    assert [each["body"] for each in (german, named)] == ["Acme: Ihr Code ist 123456"] * 2
    assert [each["body"] for each in (english, other)] == ["Acme: your code is 123456"] * 2


async def test_a_text_that_matches_is_sent_as_its_template_and_any_other_is_refused(stack):
    """The allowlist holds for free text, too, and changes within a second."""
    customer = await _customer(stack, free_text="matching")
    name = f"login-{uuid4().hex[:6]}"
    template_id = await stack.approved_template(customer, name=name, **LOGIN)
    message = await _sent(customer, to=german_number(), body="Acme: Ihr Code ist 123456")
    assert message["template"] == {"id": template_id, "version": 1}
    assert message["type"] == "otp"
    refused = await customer.send(to=us_number(), body="Acme: your code is 1234567")
    assert (refused.status_code, refused.json()["code"]) == (403, "template_required")
    assert name in refused.json()["detail"]
    retired = await customer.live.post(f"/v1/templates/{template_id}/versions/1/retire")
    assert retired.is_success, retired.text
    gone = await customer.send(to=us_number(), body="Acme: your code is 123456")
    assert (gone.status_code, gone.json()["code"]) == (403, "template_required")


@pytest.mark.parametrize("model", [5, 6])
async def test_no_plan_lets_a_restricted_model_send_a_body(stack, model):
    """Models 5 and 6 send templates by name, even where the words would match."""
    customer = await stack.customer(model=model, plan={"free_text": "matching"})
    await stack.approved_template(customer, **LOGIN)
    answer = await customer.send(to=us_number(), body="Acme: your code is 123456")
    assert (answer.status_code, answer.json()["code"]) == (403, "template_required")


async def test_an_older_version_is_sent_where_it_is_named(stack):
    """Approving a new wording does not break those who pinned the old one."""
    customer = await _customer(stack)
    template_id = await stack.approved_template(customer, **LOGIN)
    home = f"/v1/templates/{template_id}"
    newer = {key: LOGIN[key] for key in ("type", "variables")} | {"body": "Acme: {code} is your code"}
    assert (await customer.live.post(f"{home}/versions", json=newer)).is_success
    assert (await customer.live.post(f"{home}/submit")).is_success
    await stack.operate("post", f"/v1/admin/templates/{template_id}/approve")
    template = {"id": template_id, "variables": {"code": "1"}}
    assert (await _sent(customer, to=us_number(), template=template))["body"] == "Acme: 1 is your code"
    old = await _sent(customer, to=us_number(), template=template | {"version": 1})
    assert old["body"] == "Acme: your code is 1"
