"""What a look-up tells of a number, and to whom."""

import pytest

from tests.harness.stored import NUMBER, put

PATH = f"/v1/lookups/{NUMBER}"


async def test_a_look_up_tells_what_stands_between_a_number_and_a_message(customer, stranger, world) -> None:
    """Plan, opt-outs, rule and the newest carrier; of nobody else's messages, lists or mode."""
    await put(world, customer, carrier="Old", mcc="310", mnc="001")
    await put(world, customer, carrier="New", mcc="310", mnc="260")
    await put(world, customer)
    await put(world, customer, carrier="Sandbox", test=True)
    await put(world, stranger, carrier="Foreign")
    await stranger.api.put(f"/v1/opt-out-lists/otp/numbers/{NUMBER}")
    await customer.api.put(f"/v1/opt-out-lists/promotional/numbers/{NUMBER}")
    answer = await customer.api.get(PATH)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["number"], seen["valid"], seen["country"]) == (NUMBER, True, "US")
    assert seen["kind"] == "fixed_or_mobile"
    assert seen["opt_out_lists"] == ["promotional"]
    assert (seen["protect"]["status"], seen["protect"]["number"]) == ("ALLOW", NUMBER)
    assert {name: seen["carrier"][name] for name in ("name", "mcc", "mnc")} == {
        "name": "New",
        "mcc": "310",
        "mnc": "260",
    }


async def test_a_test_key_sees_no_live_carrier(customer, world, make_key) -> None:
    """Receipts of live messages belong to live keys."""
    await put(world, customer, carrier="Live")
    async with world.client(await make_key(customer.id, mode="test")) as client:
        assert (await client.get(PATH)).json()["carrier"] is None


async def test_a_number_that_cannot_exist_is_told_so(customer) -> None:
    """It is an answer, with what is wrong with it, and not an error."""
    seen = (
        (await customer.api.get("/v1/lookups/+12")).status_code,
        (await customer.api.get("/v1/lookups/+999123456789")).json(),
    )
    assert seen[0] == 422
    assert (seen[1]["valid"], seen[1]["country"], seen[1]["protect"]) == (False, None, None)
    assert seen[1]["fault"]


@pytest.mark.parametrize(
    "path",
    ["/v1/lookups/hello", "/v1/lookups/+12", "/v1/lookups/%00", f"{PATH}?carrier=aws", f"{PATH}?channel=fax"],
)
async def test_what_is_no_look_up_is_refused(customer, path) -> None:
    """Also a parameter that would cost money one day: nothing is asked for silently."""
    answer = await customer.api.get(path)
    assert answer.status_code in {400, 422}, answer.text


async def test_a_look_up_needs_its_scope(customer, world, make_key) -> None:
    """Whom a tenant may reach is not for every key."""
    async with world.client(await make_key(customer.id, scopes=["templates"])) as client:
        assert (await client.get(PATH)).status_code == 403
