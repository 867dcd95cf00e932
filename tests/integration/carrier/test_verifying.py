"""Numbers verified at AWS: an account in its sandbox reaches them; the gateway refuses others first."""

import re

import msgspec
import pytest

from tests.harness.numbers import us_number


@pytest.fixture
async def sandboxed(stack):
    """A customer whose AWS account is in AWS's sandbox."""
    world = stack.emulator.world
    before = world.options
    world.options = msgspec.structs.replace(before, sandbox=True)
    yield await stack.customer()
    world.options = before
    await stack.customer()


async def _code_on(stack, number: str) -> str:
    texts = [message["body"] for message in await stack.carried(to=number)]
    return re.findall(r"\d{6}", texts[-1])[0]


async def _verified(stack, customer, number: str) -> str:
    made = await customer.live.post("/v1/verified-numbers", json={"number": number})
    assert made.status_code == 201, made.text
    path = f"/v1/verified-numbers/{made.json()['id']}"
    wrong = await customer.live.post(f"{path}/confirm", json={"code": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "verification_code_wrong")
    right = await customer.live.post(f"{path}/confirm", json={"code": await _code_on(stack, number)})
    assert (right.status_code, right.json()["status"]) == (200, "verified"), right.text
    return path


async def test_an_account_in_the_sandbox_reaches_what_was_verified_in_it(stack, sandboxed) -> None:
    """Provisioning has learnt of the sandbox; AWS delivers, since AWS itself knows the number."""
    number = us_number()
    refused = await sandboxed.send(to=number, body="Hello")
    assert (refused.status_code, refused.json()["code"]) == (403, "destination_not_verified")
    await _verified(stack, sandboxed, number)
    taken = await sandboxed.send(to=number, body="Hello")
    assert taken.status_code == 202, taken.text
    assert (await sandboxed.final(taken.json()["id"]))["status"] == "delivered"
    assert (await sandboxed.send(to=us_number(), body="Hello")).status_code == 403


async def test_a_deleted_number_is_refused_by_the_next_send_and_comes_back_without_a_code(
    stack, sandboxed
) -> None:
    """AWS keeps the entry; it was proven, and by this tenant."""
    number = us_number()
    path = await _verified(stack, sandboxed, number)
    world = stack.emulator.world
    world.options = msgspec.structs.replace(world.options, strict=True)
    assert (await sandboxed.live.delete(path)).status_code == 204
    world.options = msgspec.structs.replace(world.options, strict=False)
    refused = await sandboxed.send(to=number, body="Hello")
    assert (refused.status_code, refused.json()["code"]) == (403, "destination_not_verified")
    again = await sandboxed.live.post("/v1/verified-numbers", json={"number": number})
    assert again.status_code == 201, again.text
    assert (await sandboxed.live.get(path)).json()["status"] == "verified"
    assert (await sandboxed.send(to=number, body="Hello")).status_code == 202


async def test_a_country_in_phase_test_reaches_a_verified_number(stack) -> None:
    """The fact is in force with the next send, in whichever process it is made."""
    customer, number = await stack.customer(plan={"rollout": {"US": {"phase": "test"}}}), us_number()
    refused = await customer.send(to=number, body="Hello")
    assert (refused.status_code, refused.json()["code"]) == (403, "destination_not_verified")
    await _verified(stack, customer, number)
    assert (await customer.send(to=number, body="Hello")).status_code == 202
    told = (await customer.live.post("/v1/messages/explain", json={"to": number, "body": "Hello"})).json()
    assert told["accepted"] is True
