"""Pools over the operator's API: one for each use, whose members answer as one sender."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.test_routing import account, sender


def home(customer: Any) -> str:
    return f"/v1/admin/tenants/{customer.id}/pools"


async def make(operator: Any, customer: Any, *senders: dict[str, Any], **more: Any) -> Any:
    body = {"name": uuid4().hex[:8], "message_types": ["otp"], "senders": [each["id"] for each in senders]}
    return await operator.post(home(customer), json=body | more)


async def test_a_pool_for_a_use_takes_its_type_and_gives_it_back(operator, customer, world) -> None:
    """A type has one default pool; the tenant sees both, and admission hears of each change."""
    acc = await account(operator)
    first, second = await sender(operator, customer, acc), await sender(operator, customer, acc)
    broad = await make(
        operator, customer, first, name="broad", message_types=["otp", "transactional", "promotional"],
        allow_mixed=True,
    )  # fmt: skip
    assert broad.status_code == 201, broad.text
    codes = await make(operator, customer, second, first, name="codes", allow_mixed=True)
    assert codes.status_code == 201, codes.text
    assert codes.json()["senders"] == [second["id"], first["id"]]
    shown = {pool["name"]: pool for pool in (await customer.api.get("/v1/pools")).json()["data"]}
    assert shown["broad"]["message_types"] == ["transactional", "promotional"]
    assert shown["codes"]["message_types"] == ["otp"]
    assert (await customer.api.get(f"/v1/pools/{shown['codes']['id']}")).json() == codes.json()
    changed = await operator.put(
        f"{home(customer)}/{codes.json()['id']}/senders", json={"senders": [second["id"]]}
    )
    assert (changed.status_code, changed.json()["senders"]) == (200, [second["id"]])
    assert (await operator.delete(f"{home(customer)}/{codes.json()['id']}")).status_code == 204
    [left] = (await operator.get(home(customer))).json()["data"]
    assert sorted(left["message_types"]) == ["otp", "promotional", "transactional"]
    assert world.projection.policies.count(customer.scope.tenant_id) >= 4


async def test_the_oldest_pool_of_too_many_can_be_taken_away(operator, customer, monkeypatch) -> None:
    """Provisioning adds one to as many as an operator may make."""
    acc = await account(operator)
    oldest, _ = [await make(operator, customer, await sender(operator, customer, acc)) for _ in range(2)]
    monkeypatch.setattr("tenants.senders.pools.MOST", 1)
    assert (await operator.delete(f"{home(customer)}/{oldest.json()['id']}")).status_code == 204


async def test_members_have_the_pools_opt_out_list(operator, customer) -> None:
    """A STOP to one number must stop the pool; the first member with a list sets it."""
    acc = await account(operator)
    ours, theirs, none = (
        await sender(operator, customer, acc, opt_out_list="ours"),
        await sender(operator, customer, acc, opt_out_list="theirs"),
        await sender(operator, customer, acc),
    )
    fits = await make(operator, customer, none, ours)
    assert (fits.status_code, fits.json()["opt_out_list"]) == (201, "ours")
    for refused in (
        await make(operator, customer, ours, theirs),
        await make(operator, customer, theirs, opt_out_list="ours"),
        await operator.put(f"{home(customer)}/{fits.json()['id']}/senders", json={"senders": [theirs["id"]]}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "pool_mismatch")
        assert theirs["value"] in refused.json()["detail"]


@pytest.mark.parametrize(
    ("types", "member", "status"),
    [
        (["promotional"], {"message_types": ["promotional"]}, 201),
        (["promotional"], {"message_types": ["otp"]}, 409),
        (["otp"], {"message_types": ["promotional"]}, 409),
        (["otp"], {"message_types": ["otp", "transactional"]}, 201),
        (["otp"], {"message_types": ["otp", "promotional"], "allow_mixed": True}, 201),
        (["otp", "promotional"], {"message_types": ["otp"]}, 422),
    ],
)
async def test_members_mix_no_more_than_the_pool(operator, customer, types, member, status) -> None:
    """Offers and codes on one number share its opt-outs, its rate and its audits."""
    row = await sender(operator, customer, await account(operator), **member)
    answer = await make(operator, customer, row, message_types=types)
    assert answer.status_code == status, answer.text


async def test_a_sender_without_types_is_in_pools_of_one_kind(operator, customer) -> None:
    """Nothing but its pools says what it is for."""
    acc = await account(operator)
    row = await sender(operator, customer, acc)
    assert (await make(operator, customer, row, message_types=["promotional"])).status_code == 201
    refused = await make(operator, customer, row, message_types=["otp"])
    assert (refused.status_code, refused.json()["code"]) == (409, "pool_mismatch")


async def test_names_accounts_and_other_tenants_senders_are_refused(operator, customer, stranger) -> None:
    """404 for a foreign sender, as for one that never was."""
    acc, other = await account(operator), await account(operator)
    mine, far = await sender(operator, customer, acc), await sender(operator, customer, other)
    foreign = await sender(operator, stranger, acc)
    assert (await make(operator, customer, mine, name="one")).status_code == 201
    taken = await make(operator, customer, mine, name="one")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert (await make(operator, customer, mine, far)).json()["code"] == "pool_mismatch"
    assert (await make(operator, customer, foreign)).json()["code"] == "not_found"
    assert (await operator.delete(f"{home(stranger)}/{uuid4()}")).status_code == 404
    wrong = await operator.post(
        home(customer), json={"name": "x", "message_types": ["otp"], "senders": ["x"]}
    )
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/senders/0")


async def swap(operator: Any, customer: Any, out: dict[str, Any], standby: dict[str, Any]) -> Any:
    move = f"/v1/admin/tenants/{customer.id}/senders/{out['id']}/swap"
    return await operator.post(move, json={"standby": standby["id"]})


async def test_a_standby_takes_no_place_in_a_pool_that_it_does_not_fit(operator, customer) -> None:
    """A swap is no way round the rules: not by list, by account, nor by what its other pools make of it."""
    acc, far = await account(operator), await account(operator)
    out = await sender(operator, customer, acc, opt_out_list="ours", message_types=["otp"])
    listed, abroad, offers = (
        await sender(operator, customer, acc, standby=True, opt_out_list="theirs"),
        await sender(operator, customer, far, standby=True),
        await sender(operator, customer, acc, standby=True),
    )
    assert (await make(operator, customer, offers, message_types=["promotional"])).status_code == 201
    pool = await make(operator, customer, out)
    assert pool.status_code == 201
    for standby, why in ((listed, "opt-out list"), (abroad, "AWS account"), (offers, "promotional")):
        refused = await swap(operator, customer, out, standby)
        assert (refused.status_code, refused.json()["code"]) == (409, "pool_mismatch"), refused.text
        assert standby["value"] in refused.json()["detail"]
        assert why in refused.json()["detail"]
    states = {row["id"]: row["state"] for row in (await customer.api.get("/v1/senders")).json()["data"]}
    assert (states[out["id"]], states[listed["id"]]) == ("active", "standby")
    fits = await sender(operator, customer, acc, standby=True, opt_out_list="ours", message_types=["otp"])
    assert (await swap(operator, customer, out, fits)).status_code == 200
    shown = await customer.api.get(f"/v1/pools/{pool.json()['id']}")
    assert set(shown.json()["senders"]) == {fits["id"], out["id"]}


async def test_a_successor_mixes_where_its_predecessor_was_let(operator, customer) -> None:
    """The operator's word was for the place."""
    acc = await account(operator)
    out, standby = await sender(operator, customer, acc), await sender(operator, customer, acc, standby=True)
    for types in (["promotional"], ["otp"]):
        made = await make(operator, customer, out, message_types=types, allow_mixed=True)
        assert made.status_code == 201, made.text
    assert (await swap(operator, customer, out, standby)).status_code == 200


async def test_a_new_sender_joins_the_oldest_pool_that_it_fits(operator, customer) -> None:
    """One that fits none is refused with the reason; one that is in a pool stays where it is."""
    acc = await account(operator)
    code, offer = await sender(operator, customer, acc), await sender(operator, customer, acc)
    codes = await make(operator, customer, code, opt_out_list="codes")
    offers = await make(operator, customer, offer, message_types=["promotional"], opt_out_list="offers")
    assert (codes.status_code, offers.status_code) == (201, 201)

    async def members(pool: Any) -> list[str]:
        return (await customer.api.get(f"/v1/pools/{pool.json()['id']}")).json()["senders"]

    late = await sender(operator, customer, acc, opt_out_list="offers", message_types=["promotional"])
    assert (await members(codes), await members(offers)) == ([code["id"]], [offer["id"], late["id"]])
    body = {"account": acc["id"], "type": "LONG_CODE", "value": "+12065550100", "country": "US"}
    path = f"/v1/admin/tenants/{customer.id}/senders"
    stray = body | {"arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/{uuid4().hex}", "opt_out_list": "x"}
    refused = await operator.post(path, json=stray)
    assert (refused.status_code, refused.json()["code"]) == (409, "pool_mismatch"), refused.text
    assert len((await customer.api.get("/v1/senders")).json()["data"]) == 3
    kept = await operator.post(path, json=stray | {"standby": True})
    assert kept.status_code == 200, kept.text
    own = await make(operator, customer, kept.json(), message_types=["transactional"])
    assert own.status_code == 201, own.text
    enabled = await operator.post(f"{path}/{kept.json()['id']}/enable", json={"reason": "has its pool"})
    assert enabled.json()["state"] == "active"
    assert (await operator.post(path, json=stray | {"parts_per_second": 2})).status_code == 200
    assert await members(codes) == [code["id"]]
