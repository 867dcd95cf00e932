"""An endpoint whose URL was changed: what the old server says or said is not held against the new one."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.integration.webhooks_db.test_delivery import attempted, deliver, endpoint
from tests.integration.webhooks_db.test_pauses import asked_to_wait, settled, view


async def move(customer, sink, endpoint_id, path):
    """Change the endpoint's URL."""
    moved = await customer.live.patch(
        f"/v1/webhook-endpoints/{endpoint_id}", json={"url": f"{sink.url}{path}"}
    )
    assert moved.status_code == 200, moved.text
    return moved.json()


async def test_a_server_that_was_left_does_not_disable_the_one_that_took_its_place(stack, sink):
    """A 410 from the old address, under way while the URL was changed, is about the old address."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/old")
    sink.held = asyncio.Event()
    sink.answer_next(410)
    await deliver(customer)
    await sink.wait_for("/old", 1)
    await move(customer, sink, endpoint_id, "/new")
    sink.held.set()
    row = await attempted(stack, customer, 1)
    assert (await view(customer, endpoint_id))["state"] == "enabled"
    assert row["state"] == "pending"


async def test_what_waited_for_the_old_server_goes_to_the_new_one_at_once(stack, sink):
    """The pause that a server asked for, and its days of failures, are not its successor's."""
    customer = await stack.customer()
    endpoint_id, _ = await asked_to_wait(stack, customer, sink, "/asked")
    await stack.database.execute(
        "UPDATE webhook_endpoints SET failing_since = $2 WHERE tenant_id = $1",
        customer.uuid,
        datetime.now(UTC) - timedelta(days=4),
    )
    moved = await move(customer, sink, endpoint_id, "/new")
    assert (moved["paused_until"], moved["pause_reason"], moved["failing_since"]) == (None, None, None)
    await settled(stack, customer, "delivered", 3)
    assert len(sink.of("/new")) == 3
