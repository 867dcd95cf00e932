"""Spare numbers on a running gateway: cost first, one lease for a reference, protected until released."""

from uuid import uuid4


async def test_a_number_is_leased_once_protected_given_and_released(stack):
    """F-NUM apart from plan and teardown, from the request to the release."""
    wish = {"reference": f"spare-{uuid4().hex}", "country": "GB", "type": "LONG_CODE"}
    asked = await stack.operator.post("/v1/admin/numbers", json=wish)
    assert (asked.status_code, asked.json()["code"]) == (409, "cost_not_confirmed")
    first = await stack.operate("post", "/v1/admin/numbers", wish | {"accept_cost": True})
    second = await stack.operate("post", "/v1/admin/numbers", wish | {"accept_cost": True})
    assert (first["created"], second["created"], first["value"]) == (True, False, second["value"])
    place = f"/v1/admin/numbers/{first['number_id']}"
    refused = await stack.operator.delete(place)
    assert (refused.status_code, "protected" in refused.text) == (409, True)
    other = await stack.operator.post("/v1/admin/numbers", json=wish | {"country": "FR", "accept_cost": True})
    assert other.status_code == 409
    customer = await stack.customer(provision=False, countries=["GB"])
    senders = [{"country": "GB", "type": "LONG_CODE", "value": first["value"]}]
    home = f"/v1/admin/tenants/{customer.id}"
    await stack.operate("post", f"{home}/provision", {"senders": senders, "dedicated_pool": False})
    await stack.operate("put", f"{place}/protection", {"protected": False})
    held = await stack.operator.delete(place)
    assert (held.status_code, "A customer" in held.text) == (409, True)
    spare = await stack.operate(
        "post",
        "/v1/admin/numbers",
        wish | {"reference": uuid4().hex, "accept_cost": True, "protected": False},
    )
    gone = f"/v1/admin/numbers/{spare['number_id']}"
    assert (await stack.operator.delete(gone)).status_code == 200
    assert (await stack.operator.delete(gone)).status_code == 404


async def test_what_is_no_number_is_not_found_or_named(stack):
    """Never a 500."""
    for name in ("phone-0", "x" * 65, "a b", "…"):
        assert (await stack.operator.delete(f"/v1/admin/numbers/{name}")).status_code == 404, name
    bad = {"reference": "a b", "country": "GB", "type": "LONG_CODE"}
    assert (await stack.operator.post("/v1/admin/numbers", json=bad)).status_code == 422
    unsold = {"reference": uuid4().hex, "country": "GB", "type": "TOLL_FREE", "accept_cost": True}
    answer = await stack.operator.post("/v1/admin/numbers", json=unsold)
    assert (answer.status_code, answer.json()["code"]) == (409, "provision_refused")


async def test_every_run_keeps_its_steps_and_why_it_was_refused(stack):
    """Who provisions sees what was done, and what AWS said at which step."""
    customer = await stack.customer(provision=False, countries=["GB"])
    home = f"/v1/admin/tenants/{customer.id}/provision"
    good = {"senders": [{"country": "GB", "type": "LONG_CODE"}], "dedicated_pool": False}
    bad = {"senders": [{"country": "GB", "type": "LONG_CODE", "value": "+440000000000"}]}
    await stack.operate("post", home, good)
    assert (await stack.operator.post(home, json=bad)).status_code == 409
    refused, done = (await stack.operate("get", f"{home}/runs"))["data"]
    assert (done["state"], done["done"]) == ("done", len(done["steps"]))
    assert [each["name"] for each in done["steps"]] == [
        "topic", "opt_out_list", "sender GB:LONG_CODE", "changes", "configuration_set", "pool", "changes",
    ]  # fmt: skip
    assert (refused["state"], "+440000000000" in refused["detail"]) == ("refused", True)
    states = [each["state"] for each in refused["steps"]]
    assert states == ["done", "done", "failed", "waiting", "waiting", "waiting", "waiting"]
    assert await stack.operate("get", f"{home}/runs/{done['id']}") == done
    stranger = await stack.customer(provision=False)
    path = f"/v1/admin/tenants/{stranger.id}/provision/runs/{done['id']}"
    assert (await stack.operator.get(path)).status_code == 404
