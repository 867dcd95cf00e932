"""
Webhooks from the event to the tenant's server, over HTTP and verified by another library.

The schedule's pauses are hours; the tests move `next_attempt_at` instead of waiting.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import WebhookVerificationError

from tenants.ids import decode
from tests.harness.numbers import us_number
from tests.harness.waiting import until
from tests.harness.web import free_listener, url_of


async def endpoint(customer, sink, path, events=("message.delivered",)):
    """Add an endpoint; return its id and secret."""
    made = await customer.live.post(
        "/v1/webhook-endpoints", json={"url": f"{sink.url}{path}", "events": list(events)}
    )
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["secret"]


async def deliver(customer, count=1):
    """Send and wait until delivered; return the ids."""
    answers = await asyncio.gather(*(customer.send(to=us_number(), body="Hello") for _ in range(count)))
    ids = [answer.json()["id"] for answer in answers]
    for each in ids:
        assert (await customer.final(each))["status"] == "delivered"
    return ids


async def delivery_of(stack, customer):
    """The customer's only delivery."""
    return await stack.database.fetchrow(
        "SELECT * FROM webhook_deliveries WHERE tenant_id = $1 ORDER BY created_at", customer.uuid
    )


async def attempted(stack, customer, attempts):
    """The customer's only delivery once it was tried so often."""

    async def look():
        row = await delivery_of(stack, customer)
        return row if row is not None and row["attempts"] >= attempts else None

    return await until(look)


async def make_due(stack, customer):
    """Move the next attempt to now."""
    await stack.database.execute(
        "UPDATE webhook_deliveries SET next_attempt_at = now() WHERE tenant_id = $1 AND state = 'pending'",
        customer.uuid,
    )


async def test_a_webhook_verifies_with_the_third_party_library_and_with_no_other_secret(stack, sink):
    """The contract is Standard Webhooks, not our reading of it."""
    customer = await stack.customer()
    _, secret = await endpoint(customer, sink, "/a")
    _, other = await endpoint(customer, sink, "/b")
    [message_id] = await deliver(customer)
    [post] = await sink.wait_for("/a", 1)
    assert post.verified(secret)["data"]["id"] == message_id
    with pytest.raises(WebhookVerificationError):
        post.verified(other)
    post.headers["webhook-timestamp"] = str(int(post.headers["webhook-timestamp"]) - 60)
    with pytest.raises(WebhookVerificationError):
        post.verified(secret)


async def test_a_failed_post_is_tried_again_with_the_same_id_and_body(stack, sink):
    """The receiver can tell a retry from news."""
    customer = await stack.customer()
    _, secret = await endpoint(customer, sink, "/flaky")
    sink.answer_next(500, 503)
    await deliver(customer)
    row = await attempted(stack, customer, 1)
    assert (row["state"], row["response_status"]) == ("pending", 500)
    assert row["next_attempt_at"] > datetime.now(UTC)
    await make_due(stack, customer)
    assert (await attempted(stack, customer, 2))["response_status"] == 503
    await make_due(stack, customer)
    row = await attempted(stack, customer, 3)
    assert (row["state"], row["response_status"]) == ("delivered", 204)
    posts = sink.of("/flaky")
    assert len({post.webhook_id for post in posts}) == 1
    assert len({post.body for post in posts}) == 1
    assert [bool(post.verified(secret)) for post in posts] == [True] * 3


async def test_a_delivery_whose_event_is_gone_says_so(stack, sink):
    """Its endpoint is well, and nobody shall look for what is wrong with it."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/forgotten")
    sink.answer_next(500)
    await deliver(customer)
    row = await attempted(stack, customer, 1)
    await stack.database.execute("DELETE FROM events WHERE id = $1", row["event_id"])
    await make_due(stack, customer)

    async def closed():
        row = await delivery_of(stack, customer)
        return row if row["state"] == "failed" else None

    assert (await until(closed))["error"] == "event_gone"
    view = (await customer.live.get(f"/v1/webhook-endpoints/{endpoint_id}")).json()
    assert (view["state"], len(sink.of("/forgotten"))) == ("enabled", 1)


async def test_a_delivery_of_which_no_body_can_be_made_is_given_up_and_says_so(stack, sink):
    """It was leased again every minute for ever, and its owner saw it wait."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/illegible")
    sink.answer_next(500)
    [message_id] = await deliver(customer)
    await attempted(stack, customer, 1)
    await stack.database.execute(
        "UPDATE messages SET to_sealed = $2 WHERE id = $1", decode("msg", message_id), b"not a seal"
    )
    await make_due(stack, customer)

    async def closed():
        path = f"/v1/webhook-endpoints/{endpoint_id}/deliveries"
        [view] = (await customer.live.get(path)).json()["data"]
        return view if view["state"] == "failed" else None

    assert (await until(closed))["error"] == "event_unreadable"
    view = (await customer.live.get(f"/v1/webhook-endpoints/{endpoint_id}")).json()
    assert (view["state"], len(sink.of("/illegible"))) == ("enabled", 1)


async def test_an_endpoint_whose_secret_is_lost_is_paused_and_told_of_and_mended_by_another(stack, sink):
    """Its deliveries were leased again each minute for ever, and nobody could see why they waited."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/unsigned")
    _, other = await endpoint(customer, sink, "/signed")
    await stack.database.execute(
        "UPDATE webhook_endpoints SET secret_sealed = $2 WHERE id = $1",
        decode("wh", endpoint_id),
        b"sealed with a key that nobody has",
    )
    path = f"/v1/webhook-endpoints/{endpoint_id}"
    await deliver(customer, 6)
    assert all(post.verified(other) for post in await sink.wait_for("/signed", 6))

    async def paused():
        found = (await customer.live.get(path)).json()
        return found if found["paused_until"] is not None else None

    assert (await until(paused))["state"] == "enabled"
    listed = (await customer.live.get(f"{path}/deliveries")).json()["data"]
    assert {(each["state"], each["error"]) for each in listed if each["attempts"]} == {
        ("pending", "unsigned")
    }
    inbox = "/v1/admin/inbox?kind=webhook_endpoint.unsigned"
    assert endpoint_id in {task["subject"] for task in (await stack.operate("GET", inbox))["data"]}

    new = (await customer.live.post(f"{path}/rotate-secret")).json()["secret"]
    assert endpoint_id not in {task["subject"] for task in (await stack.operate("GET", inbox))["data"]}
    await stack.database.execute(
        "UPDATE webhook_endpoints SET paused_until = now() WHERE id = $1", decode("wh", endpoint_id)
    )
    await make_due(stack, customer)
    assert all(post.verified(new) for post in await sink.wait_for("/unsigned", 6))


async def test_410_disables_the_endpoint_and_says_so(stack, sink):
    """Gone is gone: nothing more is sent there until the tenant enables it."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/gone")
    _, watcher = await endpoint(customer, sink, "/watch", ["webhook_endpoint.disabled"])
    sink.answer_next(410)
    await deliver(customer)
    [told] = await sink.wait_for("/watch", 1)
    assert told.verified(watcher)["data"]["endpoint_id"] == endpoint_id
    view = (await customer.live.get(f"/v1/webhook-endpoints/{endpoint_id}")).json()
    assert (view["state"], view["disabled_reason"]) == ("disabled", "gone")
    await deliver(customer)
    assert len(sink.of("/gone")) == 1


async def test_a_redirect_is_a_failure_and_is_not_followed(stack, sink):
    """A redirect would carry the body to a place that nobody checked."""
    customer = await stack.customer()
    await endpoint(customer, sink, "/moved")
    sink.answer_next(302, location=f"{sink.url}/elsewhere")
    await deliver(customer)
    row = await attempted(stack, customer, 1)
    assert (row["state"], row["response_status"]) == ("pending", 302)
    assert sink.of("/elsewhere") == []


async def test_another_tenants_endpoint_hears_nothing(stack, sink):
    """The same receiver, two tenants, two worlds."""
    one, other = await stack.customer(), await stack.customer()
    await endpoint(one, sink, "/one", [])
    await endpoint(other, sink, "/other", [])
    await deliver(one, 3)
    await sink.wait_for("/one", 6)
    assert sink.of("/other") == []


async def test_a_dead_receiver_does_not_hold_up_another(stack, sink):
    """Room is per endpoint; a refused connection costs only its own deliveries."""
    customer = await stack.customer()
    with free_listener() as closed:
        dead = {"url": f"{url_of(closed)}/dead", "events": ["message.delivered"]}
    assert (await customer.live.post("/v1/webhook-endpoints", json=dead)).status_code == 201
    _, secret = await endpoint(customer, sink, "/alive")
    await deliver(customer, 5)
    posts = await sink.wait_for("/alive", 5)
    assert all(post.verified(secret) for post in posts)


async def test_a_slow_receiver_gets_ten_at_a_time_and_the_rest_wait_under_their_lease(stack, sink):
    """Given back and leased anew, each would be written again and again while it waits."""
    customer = await stack.customer()
    await endpoint(customer, sink, "/slow")
    sink.held = asyncio.Event()
    await deliver(customer, 25)

    async def all_leased():
        return (
            await stack.database.fetchval(
                "SELECT count(*) FROM webhook_deliveries WHERE tenant_id = $1 AND state = 'pending'"
                " AND next_attempt_at > now() + interval '20 seconds'",
                customer.uuid,
            )
            == 25
        )

    await until(all_leased)
    assert len(sink.of("/slow")) == 10
    sink.held.set()
    assert len(await sink.wait_for("/slow", 25)) == 25


async def test_a_rotated_secret_signs_beside_the_old_one(stack, sink):
    """The tenant can change its secret without losing a post."""
    customer = await stack.customer()
    endpoint_id, old = await endpoint(customer, sink, "/rotated")
    rotated = await customer.live.post(f"/v1/webhook-endpoints/{endpoint_id}/rotate-secret")
    new = rotated.json()["secret"]
    await deliver(customer)
    [post] = await sink.wait_for("/rotated", 1)
    assert post.verified(old) == post.verified(new)


async def test_an_address_inside_is_refused_when_it_is_saved(stack):
    """The operator opened loopback for these tests, and nothing else."""
    customer = await stack.customer()
    for url in (
        "http://169.254.169.254/latest",
        "https://10.0.0.1/",
        "http://[::1]/",
        "ftp://example.com/",
        "https://u:p@example.com/",
    ):
        answer = await customer.live.post("/v1/webhook-endpoints", json={"url": url})
        assert (answer.status_code, answer.json()["code"]) == (422, "webhook_url_refused"), url


async def test_a_sender_that_died_with_a_lease_gives_its_deliveries_back(stack, sink):
    """A lease is a moved date: a dead sender does nothing, and that returns the work."""
    customer = await stack.customer()
    _, secret = await endpoint(customer, sink, "/leased")
    [message_id] = await deliver(customer)
    [first] = await sink.wait_for("/leased", 1)
    await attempted(stack, customer, 1)
    await stack.database.execute(
        "UPDATE webhook_deliveries SET state = 'pending', attempts = 0,"
        " next_attempt_at = now() + interval '60 s' WHERE tenant_id = $1",
        customer.uuid,
    )
    await make_due(stack, customer)
    second = (await sink.wait_for("/leased", 2))[1]
    assert second.webhook_id == first.webhook_id
    assert second.verified(secret)["data"]["id"] == message_id


async def test_an_endpoint_that_failed_for_five_days_is_disabled(stack, sink):
    """Nobody posts into the void for ever."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/void")
    await stack.database.execute(
        "UPDATE webhook_endpoints SET failing_since = $2 WHERE tenant_id = $1",
        customer.uuid,
        datetime.now(UTC) - timedelta(days=6),
    )
    sink.answer_next(500)
    await deliver(customer)

    async def disabled():
        view = (await customer.live.get(f"/v1/webhook-endpoints/{endpoint_id}")).json()
        return view["state"] == "disabled" and view

    assert (await until(disabled))["disabled_reason"] == "failing"


async def test_the_events_of_one_message_count_upwards(stack, sink):
    """Webhooks promise no order; `sequence` lets the receiver make one."""
    customer = await stack.customer()
    _, secret = await endpoint(customer, sink, "/all", [])
    await deliver(customer)
    await sink.wait_for("/all", 2)

    async def told():
        found = {post.webhook_id: post.verified(secret) for post in sink.of("/all")}
        ordered = sorted(found.values(), key=lambda each: each["sequence"])
        return ordered if ordered[-1]["type"] == "message.delivered" else None

    ordered = await until(told)
    assert ordered[0]["type"] == "message.queued"
    assert len({each["sequence"] for each in ordered}) == len(ordered)
