"""
Endpoints that are left alone: what is owed to them waits, uses up no attempt, and is in nobody's way.

Pauses last seconds to hours; the tests move `paused_until` instead of waiting.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from gateway.webhooks.circuit import OPENS_AFTER
from gateway.webhooks.strays import gather_strays
from tenants.ids import created_at, decode, new_uuid
from tests.harness.waiting import until
from tests.integration.webhooks_db.test_delivery import deliver, endpoint

ASKED_S = 600


async def rows(stack, customer):
    """The customer's deliveries, the oldest first."""
    return await stack.database.fetch(
        "SELECT * FROM webhook_deliveries WHERE tenant_id = $1 ORDER BY id", customer.uuid
    )


async def held(stack, customer, count):
    """Wait until so many deliveries wait for their endpoint; return them."""

    async def look():
        found = [
            row
            for row in await rows(stack, customer)
            if (row["state"], row["next_attempt_at"]) == ("pending", None)
        ]
        return found if len(found) >= count else None

    return await until(look)


async def settled(stack, customer, state, count):
    """Wait until so many deliveries are in a state; return them."""

    async def look():
        found = [row for row in await rows(stack, customer) if row["state"] == state]
        return found if len(found) >= count else None

    return await until(look)


async def end_pause(stack, customer):
    """Let the time of the pause have passed."""
    await stack.database.execute(
        "UPDATE webhook_endpoints SET paused_until = now() WHERE tenant_id = $1", customer.uuid
    )


async def view(customer, endpoint_id):
    """The endpoint as its tenant sees it."""
    return (await customer.live.get(f"/v1/webhook-endpoints/{endpoint_id}")).json()


async def paused(customer, endpoint_id, reason):
    """Wait until the endpoint is paused."""

    async def look():
        shown = await view(customer, endpoint_id)
        return shown if shown["pause_reason"] == reason else None

    return await until(look)


async def asked_to_wait(stack, customer, sink, path):
    """Have the receiver ask for ten minutes, and three more deliveries be held."""
    endpoint_id, _ = await endpoint(customer, sink, path)
    sink.answer_next(429, **{"retry-after": str(ASKED_S)})
    await deliver(customer)
    await paused(customer, endpoint_id, "asked")
    await deliver(customer, 3)
    return endpoint_id, await held(stack, customer, 3)


async def test_a_receiver_that_asks_for_a_pause_gets_it_for_all_that_it_is_owed(stack, sink):
    """Retry-After is about the server, not about one event."""
    customer = await stack.customer()
    endpoint_id, waiting = await asked_to_wait(stack, customer, sink, "/asked")
    assert {row["attempts"] for row in waiting} == {0}
    assert len(sink.of("/asked")) == 1
    until_ = datetime.fromisoformat((await view(customer, endpoint_id))["paused_until"])
    assert timedelta(seconds=ASKED_S - 60) < until_ - datetime.now(UTC) <= timedelta(seconds=ASKED_S)
    await end_pause(stack, customer)
    await settled(stack, customer, "delivered", 3)
    shown = await view(customer, endpoint_id)
    assert (shown["paused_until"], shown["pause_reason"]) == (None, None)


async def test_a_receiver_that_only_fails_is_tried_with_one_delivery_at_a_time(stack, sink):
    """Ten retries of each of a thousand events would be a flood for a server that is coming up."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/ill")
    sink.answer_next(*[500] * (OPENS_AFTER + 2))
    await deliver(customer, OPENS_AFTER)
    await paused(customer, endpoint_id, "failing")
    await deliver(customer, 6)
    waiting = await held(stack, customer, 6)
    posts = len(sink.of("/ill"))
    await end_pause(stack, customer)
    await until(lambda: _attempted(stack, customer, waiting))
    assert len(sink.of("/ill")) == posts + 1
    await end_pause(stack, customer)
    await until(lambda: _attempted(stack, customer, waiting, 2))
    assert len(sink.of("/ill")) == posts + 2
    await end_pause(stack, customer)
    await settled(stack, customer, "delivered", 4)


async def _attempted(stack, customer, of, count=1):
    now = {row["id"]: row for row in await rows(stack, customer)}
    probed = [row for row in of if now[row["id"]]["attempts"] and now[row["id"]]["response_status"] == 500]
    paused_again = await stack.database.fetchval(
        "SELECT paused_until > now() AND failures > $2 FROM webhook_endpoints WHERE tenant_id = $1",
        customer.uuid,
        OPENS_AFTER,
    )
    return len(probed) == count and paused_again


async def test_whoever_asks_for_a_delivery_now_ends_the_pause(stack, sink):
    """The person at the test button has just mended the server."""
    customer = await stack.customer()
    endpoint_id, _ = await asked_to_wait(stack, customer, sink, "/mended")
    tested = await customer.live.post(f"/v1/webhook-endpoints/{endpoint_id}/test")
    assert tested.status_code == 202
    await settled(stack, customer, "delivered", 4)


async def test_what_an_endpoint_holds_when_it_is_switched_off_is_listed_as_failed(stack, sink):
    """Nothing is silent: it can be replayed."""
    customer = await stack.customer()
    endpoint_id, _ = await asked_to_wait(stack, customer, sink, "/off")
    await customer.live.patch(f"/v1/webhook-endpoints/{endpoint_id}", json={"state": "disabled"})
    closed = await settled(stack, customer, "failed", 3)
    assert {row["error"] for row in closed} == {"endpoint_disabled"}


async def test_what_a_removed_endpoint_held_is_listed_as_failed(stack, sink):
    """A round finds what nobody would fetch."""
    customer = await stack.customer()
    endpoint_id, _ = await asked_to_wait(stack, customer, sink, "/removed")
    assert (await customer.live.delete(f"/v1/webhook-endpoints/{endpoint_id}")).status_code == 204
    await gather_strays(stack.database)
    assert len(await settled(stack, customer, "failed", 3)) == 3


async def test_the_round_closes_some_at_a_time_and_waits_for_nobody(stack, sink):
    """One statement for all that a removed endpoint held stood behind whoever had one of them."""
    customer = await stack.customer()
    endpoint_id, [one, *_] = await asked_to_wait(stack, customer, sink, "/many")

    async def still_held():
        found = [row for row in await rows(stack, customer) if row["state"] == "pending"]
        return [row["id"] for row in found if row["next_attempt_at"] is None]

    async with stack.database.acquire() as other, other.transaction():
        await other.fetch("SELECT FROM webhook_deliveries WHERE id = $1 FOR UPDATE", one["id"])
        await stack.database.execute(
            "INSERT INTO webhook_deliveries"
            " (id, tenant_id, created_at, endpoint_id, event_id, next_attempt_at)"
            " SELECT tollgate_uuid7(), tenant_id, created_at, endpoint_id, event_id, NULL"
            " FROM webhook_deliveries, generate_series(1, 2500) WHERE id = $1",
            one["id"],
        )
        assert (await customer.live.delete(f"/v1/webhook-endpoints/{endpoint_id}")).status_code == 204
        async with asyncio.timeout(20):
            await gather_strays(stack.database)
        assert await still_held() == [one["id"]]
    await gather_strays(stack.database)
    assert await still_held() == []


async def test_a_delivery_held_a_moment_too_late_is_found(stack, sink):
    """Its event was written while the endpoint stopped holding."""
    customer = await stack.customer()
    await asked_to_wait(stack, customer, sink, "/late")
    await stack.database.execute(
        "UPDATE webhook_endpoints SET holding = false, paused_until = NULL, pause_reason = NULL, failures = 0"
        " WHERE tenant_id = $1",
        customer.uuid,
    )
    await gather_strays(stack.database)
    await settled(stack, customer, "delivered", 3)


async def test_an_endpoint_that_is_gone_is_the_operators_business_until_it_is_enabled(stack, sink):
    """The tenant may not look at its events; somebody can call it."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/gone-too")
    sink.answer_next(410)
    await deliver(customer)

    async def tasks():
        query = f"/v1/admin/inbox?kind=webhook_endpoint.disabled&tenant={customer.id}"
        found = (await stack.operate("GET", query))["data"]
        return [task for task in found if task["subject"] == endpoint_id]

    [task] = await until(tasks)
    assert "410" in task["summary"]
    await customer.live.patch(f"/v1/webhook-endpoints/{endpoint_id}", json={"state": "enabled"})

    async def settled_by_itself():
        return [each for each in await tasks() if each["resolved_at"]] or not await tasks()

    await until(settled_by_itself)


async def test_what_a_receiver_says_is_kept_sealed_and_shown_to_its_tenant(stack, sink):
    """It may quote the number and the text that it was sent."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/says")
    sink.reply = b"cannot parse +12065550100 " * 1000
    sink.answer_next(500)
    await deliver(customer)
    [attempted] = await until(
        lambda: stack.database.fetch(
            "SELECT * FROM webhook_attempts WHERE tenant_id = $1 AND number = 1", customer.uuid
        )
    )
    assert b"2065550100" not in attempted["response_sealed"]
    [row] = await rows(stack, customer)
    path = f"/v1/webhook-endpoints/{endpoint_id}/deliveries"
    [listed] = (await customer.live.get(path)).json()["data"]
    assert listed["response_excerpt"].startswith("cannot parse +12065550100")
    assert len(listed["response_excerpt"]) == 500
    shown = (await customer.live.get(f"{path}/{listed['id']}")).json()
    [first] = shown["attempts_made"]
    assert (first["number"], first["response_status"], first["error"]) == (1, 500, "status")
    assert len(first["response_body"]) == 16 * 1024
    assert row["state"] == "pending"


async def test_a_backlog_of_one_endpoint_flows_without_halts(stack, sink):
    """What is held is fetched as places fall free; a look a second would be sixty deliveries a second."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/backlog", ["credits.low"])
    ids = [new_uuid() for _ in range(400)]
    owed = [(each, customer.uuid, created_at(each), decode("wh", endpoint_id)) for each in ids]
    async with stack.database.acquire() as connection, connection.transaction():
        await connection.executemany(
            "INSERT INTO events (id, tenant_id, created_at, type, data)"
            " VALUES ($1, $2, $3, 'credits.low', '{}')",
            [row[:3] for row in owed],
        )
        await connection.executemany(
            "INSERT INTO webhook_deliveries (id, tenant_id, created_at, endpoint_id, event_id)"
            " VALUES (tollgate_uuid7(), $2, $3, $4, $1)",
            owed,
        )
    posts = await sink.wait_for("/backlog", len(ids))
    assert posts[-1].at - posts[0].at < 4
    assert len({post.webhook_id for post in posts}) == len(ids)
    holding = "SELECT holding FROM webhook_endpoints WHERE tenant_id = $1"

    async def let_go():
        return await stack.database.fetchval(holding, customer.uuid) is False

    await until(let_go)
