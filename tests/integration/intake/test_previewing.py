"""Estimates and explanations say what a send would: its price, and the caps that it would meet."""

from tests.harness.numbers import us_number

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
