"""Two tenants that send from one number, to an AWS that sees one number."""

import asyncio

from tests.harness.numbers import us_number

RATE = 5
SENDS = 10


async def test_a_number_keeps_its_rate_and_its_turns_whoever_sends_from_it(stack):
    """Five parts a second of both tenants together; who weighs four times as much has four turns of five."""
    heavy, light = [await stack.customer(plan={"weight": weight}) for weight in (4, 1)]
    number = await shared_number(stack, heavy, light)
    to = [[us_number() for _ in range(SENDS)] for _ in range(2)]
    sends = [
        customer.send(to=each, body="Hello", type="transactional", **{"from": number})
        for customer, numbers in zip((heavy, light), to, strict=True)
        for each in numbers
    ]
    answers = await asyncio.gather(*sends)
    assert {answer.status_code for answer in answers} == {202}
    ids = [answer.json()["id"] for answer in answers]
    await asyncio.gather(*map(heavy.final, ids[:SENDS]), *map(light.final, ids[SENDS:]))
    carried = [each for each in await stack.carried() if each["destination"] in {*to[0], *to[1]}]
    assert len(carried) == 2 * SENDS
    took_s = (carried[-1]["accepted_at"] - carried[0]["accepted_at"]) / 1000
    assert took_s > 0.75 * (2 * SENDS - 1) / RATE, "a rate for each would take half as long"
    assert sum(each["destination"] in to[0] for each in carried[:SENDS]) >= 6


async def shared_number(stack, owner, guest):
    """Let a tenant send from another's number, as an operator does; returns it."""
    [number] = (await owner.live.get("/v1/senders")).json()["data"]
    row = await stack.database.fetchrow(
        "UPDATE senders SET parts_per_second = $2 WHERE tenant_id = $1 RETURNING arn", owner.uuid, RATE
    )
    [account] = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"]
    facts = {each: number[each] for each in ("type", "value", "country")}
    shared = {"account": account["id"], "arn": row["arn"]} | facts
    await stack.operate("post", f"/v1/admin/tenants/{guest.id}/senders", shared)
    return number["value"]
