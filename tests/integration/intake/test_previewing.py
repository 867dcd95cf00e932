"""Estimates and explanations say what a send would: its price, and the caps that it would meet."""

import pytest

from tests.harness.numbers import german_number, us_number
from tests.harness.stack import US

BOOK = (
    "country,sender_type,channel,sell_usd,cost_usd,credits\n"
    "*,*,sms,0.25,0.225,24\nUS,*,sms,0.02,0.01,2\nUS,TOLL_FREE,sms,0.03,0.01,3\n"
)


async def test_an_estimate_has_the_price_of_the_sender_that_a_send_would_get(stack) -> None:
    """The book tells senders apart; who names none must not be told another price than it pays."""
    await stack.operate("post", "/v1/admin/price-books/by-sender/import", {"csv": BOOK})
    customer = await stack.customer(plan={"price_book": "by-sender"})
    message = {"to": us_number(), "body": "Hello"}
    estimated = (await customer.live.post("/v1/messages/estimate", json=message)).json()
    explained = (await customer.live.post("/v1/messages/explain", json=message)).json()
    sent = (await customer.live.post("/v1/messages", json=message)).json()
    assert sent["price"]["estimated"] == "0.03"
    assert estimated["price"]["estimated"] == explained["estimate"]["price"]["estimated"] == "0.03"
    dear = await customer.live.post("/v1/messages/estimate", json=message | {"max_price": "0.025"})
    assert (dear.status_code, dear.json()["code"]) == (422, "price_over_max")


async def test_an_explanation_names_the_budget_and_the_cap_that_a_send_would_meet(stack) -> None:
    """Each with when it opens; the send that follows is refused by the first of them."""
    await stack.operate("post", "/v1/admin/price-books/by-sender/import", {"csv": BOOK})
    customer = await stack.customer(plan={"price_book": "by-sender", "rollout": {"US": {"daily_cap": 1}}})
    budgets = {"budgets": [{"country": "US", "cap": "0.04"}]}
    await stack.operate("put", f"/v1/admin/tenants/{customer.id}/budgets", budgets)
    message = {"to": us_number(), "body": "Hello"}
    assert (await customer.live.post("/v1/messages", json=message)).status_code == 202
    told = (await customer.live.post("/v1/messages/explain", json=message)).json()
    closed = {each["gate"]: each for each in told["gates"] if each["verdict"] == "closed"}
    assert set(closed) == {"daily_cap", "budget"}
    assert all(each["opens_at"] for each in closed.values())
    assert "country:US" in closed["budget"]["detail"]
    refused = await customer.live.post("/v1/messages", json=message)
    assert refused.json()["code"] == told["refused_with"] == "daily_cap_reached"


async def test_an_explanation_asks_for_money_for_what_the_bundle_does_not_cover(stack) -> None:
    """Of an included part neither the balance nor a budget is asked, in the explanation as in the send."""
    customer = await stack.customer(credit=None, plan={"bundle": {"included": 2}})
    path = f"/v1/admin/tenants/{customer.id}"
    await stack.operate("put", f"{path}/budgets", {"budgets": [{"cap": "0.001"}]})
    message = {"to": us_number(), "body": "x" * 170, "type": "transactional"}
    told = (await customer.live.post("/v1/messages/explain", json=message)).json()
    assert told["refused_with"] is None, told["gates"]
    assert (await customer.live.post("/v1/messages", json=message)).status_code == 202
    told, refused = await _both(customer, message | {"to": us_number(), "body": "Hello"})
    closed = [each["code"] for each in told["gates"] if each["verdict"] == "closed"]
    assert closed == ["spend_limit_reached", "insufficient_credits"]
    assert told["refused_with"] == refused["code"] == "spend_limit_reached"
    await stack.operate("patch", path, {"plan": {"bundle": {"included": 3}}})
    await stack.operate("put", f"{path}/budgets", {"budgets": []})
    told, refused = await _both(customer, message | {"to": us_number()})
    (short,) = [each for each in told["gates"] if each["verdict"] == "closed"]
    assert (short["gate"], refused["code"]) == ("balance", "insufficient_credits")
    assert short["input"].removeprefix("needs ").split()[0] in refused["detail"], "one of two parts"


async def test_a_price_limit_is_held_against_what_the_bundle_leaves_to_pay(stack) -> None:
    """What costs the tenant nothing is not too dear, and the overage of a part that is not covered may be."""
    customer = await stack.customer(plan={"bundle": {"included": 3}})
    message = {"body": "x" * 170, "type": "transactional", "max_price": "0"}
    covered = await customer.live.post("/v1/messages", json=message | {"to": us_number()})
    assert (covered.status_code, covered.json()["price"]["estimated"]) == (202, "0.00"), covered.text
    for road in ("/v1/messages", "/v1/messages/estimate", "/v1/messages/explain"):
        refused = await customer.live.post(road, json=message | {"to": us_number()})
        assert (refused.status_code, refused.json()["code"]) == (422, "price_over_max"), road
    overage = await customer.live.post(
        "/v1/messages/estimate", json=message | {"to": us_number(), "max_price": "1"}
    )
    enough = message | {"to": us_number(), "max_price": overage.json()["price"]["estimated"]}
    assert (await customer.live.post("/v1/messages", json=enough)).status_code == 202
    refused = await customer.live.post("/v1/messages", json=enough | {"to": us_number()})
    assert (refused.status_code, refused.json()["charged"]) == (422, False), "nothing is left of the bundle"
    tried = await customer.test.post("/v1/messages", json=enough | {"to": us_number()})
    assert tried.json()["code"] == "price_over_max", "a test message draws on no bundle"


@pytest.mark.parametrize(("counts", "left"), [("parts", 1), ("messages", 0)])
async def test_an_estimate_says_what_would_be_charged_beside_the_bundle(
    stack, counts: str, left: int
) -> None:
    """Covered whole, covered in part, and no more; estimate, explanation and send name one price."""
    plan = {"bundle": {"included": 3 if counts == "parts" else 1, "counts": counts}}
    customer = await stack.customer(plan=plan)
    message = {"to": us_number(), "body": "x" * 170, "type": "transactional"}
    for included in (2, left, 0) if counts == "parts" else (1, left):
        estimated = (await customer.live.post("/v1/messages/estimate", json=message)).json()
        explained = (await customer.live.post("/v1/messages/explain", json=message)).json()
        sent = (await customer.live.post("/v1/messages", json=message | {"to": us_number()})).json()
        assert estimated["included"] == included
        assert estimated["price"]["estimated"] == sent["price"]["estimated"]
        assert explained["estimate"] == estimated
    tested = (await customer.test.post("/v1/messages/estimate", json=message)).json()
    assert (tested["included"], tested["price"]) == (0, estimated["price"])


async def _both(customer, message: dict) -> tuple[dict, dict]:
    """Return what an explanation says of a message, and what the message itself is refused with."""
    told = await customer.live.post("/v1/messages/explain", json=message)
    refused = await customer.live.post("/v1/messages", json=message)
    assert told.status_code == 200, told.text
    assert refused.status_code >= 400, refused.text
    return told.json(), refused.json()


@pytest.mark.parametrize(
    ("use_case", "members", "code"),
    [
        ("marketing", {}, "use_case_mismatch"),
        ("marketing", {"from": "number"}, "use_case_mismatch"),
        ("account_notification", {"to": "german"}, "no_originator"),
        ("account_notification", {"from": "number", "to": "german"}, "no_originator"),
    ],
)
async def test_an_explanation_says_of_missing_senders_what_a_send_says(
    stack, use_case: str, members: dict, code: str
) -> None:
    """Who mends a registration must not be sent to look for a number."""
    customer = await stack.customer(countries=["US", "DE"], senders=[US])
    own = await stack.database.fetchval(
        "UPDATE senders SET use_cases = $2 WHERE tenant_id = $1 RETURNING value", customer.uuid, [use_case]
    )
    message = {"to": german_number() if "to" in members else us_number(), "body": "Hello"}
    if "from" in members:
        message["from"] = own
    told, refused = await _both(customer, message)
    gate = next(each for each in told["gates"] if each["gate"] == "sender")
    assert (gate["verdict"], gate["code"], told["accepted"]) == ("closed", code, False)
    assert refused["code"] == told["refused_with"] == code
    assert gate["detail"].startswith(refused["detail"].removesuffix("."))


async def test_an_explanation_asks_for_consent_before_it_looks_at_opt_outs(stack) -> None:
    """A send meets the gates in this order, and the first that is closed is the one it is told of."""
    customer = await stack.customer(plan={"consent_required": ["transactional"]})
    number = us_number()
    put = await customer.live.put(f"/v1/opt-out-lists/all/numbers/{number}", json={})
    assert put.status_code < 300, put.text
    told, refused = await _both(customer, {"to": number, "body": "Hello"})
    closed = [each["code"] for each in told["gates"] if each["verdict"] == "closed"]
    assert closed == ["consent_required", "opted_out"]
    assert refused["code"] == told["refused_with"] == "consent_required"


async def test_a_blocked_country_is_told_after_a_missing_sender(stack) -> None:
    """Whether the number itself is let through is asked where there is somebody to send."""
    customer = await stack.customer(countries=["US", "DE"], senders=[US])
    made = await customer.live.post("/v1/protect/configurations", json={"name": "sign-up"})
    assert made.status_code == 201, made.text
    put = await customer.live.put("/v1/protect/country-rules", json={"rules": {"DE": "BLOCK"}})
    assert put.status_code == 200, put.text
    told, refused = await _both(customer, {"to": german_number(), "body": "Hello"})
    assert refused["code"] == told["refused_with"] == "no_originator"
    assert next(each for each in told["gates"] if each["gate"] == "protect")["verdict"] == "closed"
