"""People who write to a tenant's numbers, by way of the emulated AWS."""

from typing import Any

import httpx

from tests.harness.plain import NO_AUTHORITIES
from tests.harness.stack import Customer, Stack
from tests.harness.waiting import until

LONG_CODE = {"country": "US", "type": "LONG_CODE", "parts_per_second": 1000}


async def two_way_number(
    stack: Stack, customer: Customer, *, kind: str | None = None, **setting: Any
) -> dict[str, Any]:
    """Let people answer to the tenant's first number (of a type); return the sender."""
    senders = (await customer.live.get("/v1/senders")).json()["data"]
    sender = next(each for each in senders if kind in {None, each["type"]})
    path = f"/v1/admin/tenants/{customer.id}/senders/{sender['id']}/two-way"
    body = {"enabled": True, "opt_outs": "self_managed", "confirm_responsibility": True} | setting
    await stack.operate("put", path, body)
    return sender


async def writes(stack: Stack, person: str, number: str, body: str) -> str:
    """Let a person write to a number; return AWS's id of the text."""
    async with httpx.AsyncClient(verify=NO_AUTHORITIES, timeout=60) as client:
        answer = await client.post(
            f"{stack.emulator.base_url}/_emulator/inbound", json={"from": person, "to": number, "body": body}
        )
    assert answer.is_success, answer.text
    return answer.json()["inbound_message_id"]


async def taken_in(customer: Customer, count: int, *, person: str | None = None) -> list[dict[str, Any]]:
    """Return what came in, the newest first, once there is so much, with every reply decided."""

    async def look() -> list[dict[str, Any]]:
        params = {} if person is None else {"from": person}
        listed = await customer.live.get("/v1/inbound-messages", params=params)
        assert listed.status_code == 200, listed.text
        found = listed.json()["data"]
        return found if len(found) >= count and all(each["reply"]["state"] != "due" for each in found) else []

    return await until(look)


async def received(stack: Stack, person: str, count: int) -> list[str]:
    """Return the texts that a phone got, once there are so many."""

    async def look() -> list[str]:
        found = [each["body"] for each in await stack.carried(to=person)]
        return found if len(found) >= count else []

    return await until(look) if count else [each["body"] for each in await stack.carried(to=person)]
