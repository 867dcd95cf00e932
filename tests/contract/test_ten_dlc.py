"""10DLC over the API, from a brand to a delivered message."""

from tests.harness.waiting import eventually
from tests.integration.carrier.registration_values import BRAND, CAMPAIGN, VETTING


async def complete(stack, customer, body, *, cost=None):
    """Register over the API, approve as the reviewers, and return the registration's path."""
    made = await customer.live.post("/v1/registrations", json={"name": body["type"], **body})
    assert made.status_code == 201, made.text
    home = f"/v1/registrations/{made.json()['id']}"
    if cost is not None:
        accepted = await customer.live.post(f"{home}/confirm-cost", json=cost)
        assert accepted.is_success, accepted.text
    handed_in = await customer.live.post(f"{home}/submit")
    assert handed_in.is_success, handed_in.text
    waiting = await comes_to(customer, home, lambda shown: shown["status"] == "submitted")
    for decision in ("approve", "advance"):
        review = {"registration_id": waiting["aws_registration_id"], "decision": decision}
        await stack.emulate("reviews", review)
    await comes_to(customer, home, lambda shown: shown["status"] == "complete")
    return home


async def comes_to(customer, home, wanted):
    """Return the registration once it is as wanted."""

    async def look():
        shown = (await customer.live.get(home)).json()
        return shown if wanted(shown) else None

    return await eventually(look, within_s=60)


async def test_from_a_brand_over_vetting_and_campaign_to_a_delivered_message(stack):
    """F-10B, F-10V, F-10C: each in its order, each cost asked first, and the number sends."""
    customer = await stack.customer()
    brand = await complete(stack, customer, {"type": "US_TEN_DLC_BRAND_REGISTRATION", "values": BRAND})
    parent = brand.rpartition("/")[2]
    vetting = {"type": "US_TEN_DLC_BRAND_VETTING", "parent": parent, "values": VETTING}
    await complete(stack, customer, vetting, cost={"monthly_usd": "0.00", "once_usd": "40.00"})
    campaign = {"type": "US_TEN_DLC_CAMPAIGN_REGISTRATION", "parent": parent, "values": CAMPAIGN}
    home = await complete(stack, customer, campaign)
    asked = await comes_to(customer, home, lambda shown: shown["waiting_for"] == "confirm_cost")
    assert (asked["cost"]["monthly_usd"], asked["cost"]["before"]) == ("1.00", "number")
    assert (await customer.live.post(f"{home}/confirm-cost", json={"monthly_usd": "1.00"})).is_success

    async def active():
        held = (await customer.live.get("/v1/senders")).json()["data"]
        return [each for each in held if (each["type"], each["state"]) == ("TEN_DLC", "active")]

    (sender,) = await eventually(active, within_s=60)
    shown = (await customer.live.get(home)).json()["number"]
    assert shown == {"phone_number": sender["value"], "monthly_usd": None}, "AWS's price is the operator's"
    for_operator = await stack.operate("get", f"/v1/admin/tenants/{customer.id}{home.removeprefix('/v1')}")
    assert for_operator["number"]["monthly_usd"] == "1.00"
    body = "Example Corp: your sign-in code is 123456."
    sent = await customer.send(to="+12065550199", body=body, type="otp")
    assert sent.status_code == 202, sent.text
    assert (await customer.final(sent.json()["id"], within_s=60))["status"] == "delivered"
    (carried,) = await stack.carried(to="+12065550199")
    assert carried["origination"] == sender["value"]
