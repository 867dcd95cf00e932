"""The first sends of a tenant, all at once: Redis does not know it yet, and its rates hold all the same."""

import asyncio

import pytest

from gateway.admission.projection import tenant_prefix
from tests.harness.numbers import us_number

REFUSING = {"country_mps": {"US": 2}, "burst": "refuse"}


def sends(count):
    """Plain ones."""
    return [{"to": us_number(), "body": "Hello", "type": "transactional"} for _ in range(count)]


async def test_a_new_tenants_first_batch_is_held_to_its_rate(stack):
    """Two parts a second: what comes with them is told when to come again."""
    customer = await stack.customer(plan=REFUSING)
    answer = await customer.live.post("/v1/messages/batch", json={"messages": sends(6)})
    items = answer.json()["data"]
    assert [item["status"] for item in items].count(202) in {
        2,
        3,
    }  # a third where the machine takes half a second
    refused = [item["error"] for item in items if item["status"] != 202]
    assert {(each["code"], each["retry_after_ms"] > 0) for each in refused} == {("rate_limited", True)}


@pytest.mark.parametrize("plan", [REFUSING, {"requests_per_second": 2}])
async def test_sends_that_come_at_once_after_redis_forgot_are_held_to_the_rate(stack, plan):
    """One of them fills Redis; the others wait for it, and do not pass by."""
    customer = await stack.customer(plan=plan)
    await asyncio.gather(*(customer.live.post("/v1/messages", json=each) for each in sends(2)))
    await stack.shared.scripts.delete_prefixed(tenant_prefix(customer.uuid))
    answers = await asyncio.gather(*(customer.live.post("/v1/messages", json=each) for each in sends(12)))
    assert (
        2 <= [answer.status_code for answer in answers].count(202) <= 5
    )  # two, and two in each second it takes
    assert {answer.status_code for answer in answers} <= {202, 429}
