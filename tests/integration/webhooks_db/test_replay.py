"""Telling an endpoint again: everything of a window, once each, at a pace, under the ids it had."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.api.webhooks.replays import PER_SECOND
from tenants.ids import created_at
from tests.harness.waiting import until
from tests.integration.webhooks_db.test_delivery import deliver, endpoint


def uuid7_at(minutes_ago):
    """An event's id, made so long ago."""
    at = int((time.time() - 60 * minutes_ago) * 1000)
    return UUID(int=at << 80 | 7 << 76 | 2 << 62 | secrets.randbits(60))


def hour_ago():
    """A window's beginning."""
    return (datetime.now(UTC) - timedelta(hours=1)).isoformat()


async def replay(customer, endpoint_id, **body):
    """Ask for a replay; its answer."""
    answer = await customer.live.post(f"/v1/webhook-endpoints/{endpoint_id}/replay", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def ids(sink, path, count):
    """The webhook ids that came to a path, once there are so many posts."""
    return sorted(post.webhook_id for post in await sink.wait_for(path, count))


async def all_recorded(stack, customer):
    """Wait until nothing is pending."""
    pending = "SELECT count(*) FROM webhook_deliveries WHERE tenant_id = $1 AND state = 'pending'"

    async def look():
        return await stack.database.fetchval(pending, customer.uuid) == 0

    await until(look)


async def test_a_window_is_told_again_under_the_same_ids(stack, sink):
    """A receiver that lost its database asks for what it had, and can drop what it still has."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/again")
    await deliver(customer, 3)
    first = await ids(sink, "/again", 3)
    await all_recorded(stack, customer)
    done = await replay(customer, endpoint_id, since=hour_ago())
    assert (done["events"], done["owed"], done["continues_from"]) == (3, 3, None)
    assert await ids(sink, "/again", 6) == sorted(first * 2)
    await all_recorded(stack, customer)
    assert (await replay(customer, endpoint_id, since=hour_ago(), only="undelivered"))["owed"] == 0


async def test_an_endpoint_hears_of_what_came_before_it_was_added(stack, sink):
    """Nothing was owed to it; the events are there all the same."""
    customer = await stack.customer()
    await deliver(customer, 2)
    endpoint_id, secret = await endpoint(customer, sink, "/new")
    assert (await replay(customer, endpoint_id, since=hour_ago()))["owed"] == 2
    posts = await sink.wait_for("/new", 2)
    assert {post.verified(secret)["type"] for post in posts} == {"message.delivered"}


async def test_types_narrow_or_widen_what_is_told(stack, sink):
    """Without them it is what the endpoint subscribed to."""
    customer = await stack.customer()
    endpoint_id, secret = await endpoint(customer, sink, "/types", ["opt_out.created"])
    await deliver(customer)
    assert (await replay(customer, endpoint_id, since=hour_ago()))["events"] == 0
    done = await replay(customer, endpoint_id, since=hour_ago(), types=["message.queued"])
    assert done["owed"] == 1
    [post] = await sink.wait_for("/types", 1)
    assert post.verified(secret)["type"] == "message.queued"


async def test_a_replay_that_is_repeated_owes_nothing_twice(stack, sink):
    """An impatient finger must not double what is under way."""
    customer = await stack.customer()
    await deliver(customer, 4)
    endpoint_id, _ = await endpoint(customer, sink, "/twice")
    await stack.database.execute(
        "UPDATE webhook_endpoints SET holding = true, paused_until = now() + interval '1 hour', failures = 5"
        " WHERE tenant_id = $1",
        customer.uuid,
    )
    owed = [(await replay(customer, endpoint_id, since=hour_ago()))["owed"] for _ in range(2)]
    assert owed == [4, 0]
    body, key = {"since": hour_ago()}, {"Idempotency-Key": "once"}
    path = f"/v1/webhook-endpoints/{endpoint_id}/replay"
    answers = [await customer.live.post(path, json=body, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotent-replayed"] == "true"


async def test_what_a_replay_makes_stands_where_its_event_does(stack, sink):
    """Known deliveries are looked for around the events; else a month of others would be read each time."""
    customer = await stack.customer()
    of = [uuid7_at(minute) for minute in (58, 31, 30)]
    made = [(each, customer.uuid, created_at(each), "credits.low", "{}") for each in of]
    await stack.database.executemany(
        "INSERT INTO events (id, tenant_id, created_at, type, data) VALUES ($1, $2, $3, $4, $5::text::jsonb)",
        made,
    )
    endpoint_id, _ = await endpoint(customer, sink, "/stands", ["credits.low"])
    assert (await replay(customer, endpoint_id, since=hour_ago()))["owed"] == 3
    first = await ids(sink, "/stands", 3)
    await all_recorded(stack, customer)
    rows = await stack.database.fetch("SELECT * FROM webhook_deliveries WHERE tenant_id = $1", customer.uuid)
    assert {(row["event_id"], row["created_at"]) for row in rows} == {(each, created_at(each)) for each in of}
    assert {created_at(row["id"]) for row in rows} == {created_at(each) for each in of}
    assert (await replay(customer, endpoint_id, since=hour_ago(), only="undelivered"))["owed"] == 0
    assert (await replay(customer, endpoint_id, since=hour_ago()))["owed"] == 3
    assert await ids(sink, "/stands", 6) == sorted(first * 2)


async def test_what_was_missed_comes_at_a_pace(stack, sink):
    """News must not wait behind ten thousand old events, nor the receiver drown in them."""
    customer = await stack.customer()
    of = [uuid7_at(minute) for minute in range(50, 10, -1)]
    made = [(each, customer.uuid, created_at(each), "credits.low", "{}") for each in of]
    await stack.database.executemany(
        "INSERT INTO events (id, tenant_id, created_at, type, data) VALUES ($1, $2, $3, $4, $5::text::jsonb)",
        made,
    )
    endpoint_id, _ = await endpoint(customer, sink, "/paced", ["credits.low"])
    began = time.monotonic()
    done = await replay(customer, endpoint_id, since=hour_ago())
    assert (done["events"], done["owed"]) == (40, 40)
    last = (await sink.wait_for("/paced", 40))[-1]
    assert last.at - began > 39 / PER_SECOND * 0.9


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"since": "2020-01-01T00:00:00Z"}, "/since"),
        ({"since": "2999-01-01T00:00:00Z"}, "/since"),
        ({"since": "2026-01-01T00:00:00"}, "/since"),
        ({"since": "yesterday"}, "/since"),
        ({}, "/since"),
        ({"since": "2026-01-01T00:00:00Z", "only": "some"}, "/only"),
        ({"since": "2026-01-01T00:00:00Z", "types": ["message.dilivered"]}, "/types/0"),
        ({"since": "2026-01-01T00:00:00Z", "limit": 3}, "/limit"),
    ],
)
async def test_a_window_that_cannot_be_is_refused(stack, sink, body, field):
    """The answer names the field."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/refused")
    answer = await customer.live.post(f"/v1/webhook-endpoints/{endpoint_id}/replay", json=body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["errors"][0]["field"]


async def test_a_disabled_endpoint_is_told_nothing_again(stack, sink):
    """Enable it first."""
    customer = await stack.customer()
    endpoint_id, _ = await endpoint(customer, sink, "/disabled")
    await customer.live.patch(f"/v1/webhook-endpoints/{endpoint_id}", json={"state": "disabled"})
    body = {"since": hour_ago()}
    answer = await customer.live.post(f"/v1/webhook-endpoints/{endpoint_id}/replay", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_endpoint_disabled")


async def test_the_operators_own_endpoint_is_signed_for_and_written_down_as_a_tenants(stack, sink):
    """The operator reads what its billing answered, and changes the secret without losing a post."""
    sink.reply = b"thank you"
    body = {"url": f"{sink.url}/operators-own", "events": ["alarm.cleared"]}
    hook = await stack.operate("post", "/v1/admin/webhook-endpoints", body)
    home = f"/v1/admin/webhook-endpoints/{hook['id']}"
    try:
        delivery = f"{home}/deliveries/{(await stack.operate('post', f'{home}/test'))['id']}"

        async def told(times):
            shown = await stack.operate("get", delivery)
            done = shown["state"] == "delivered" and len(shown["attempts_made"]) >= times
            return shown if done else None

        await until(lambda: told(1))
        rotated = await stack.operate("post", f"{home}/rotate-secret")
        await stack.operate("post", f"{delivery}/retry")
        shown = await until(lambda: told(2))
        first, *_, last = sink.of("/operators-own")
        assert first.verified(hook["secret"])["data"] == {"endpoint_id": hook["id"]}
        assert last.verified(hook["secret"]) == last.verified(rotated["secret"])
        assert first.webhook_id == last.webhook_id == shown["event_id"]
        assert {each["response_body"] for each in shown["attempts_made"]} == {"thank you"}
        [listed] = (await stack.operate("get", f"{home}/deliveries"))["data"]
        assert listed["response_excerpt"] == "thank you"
    finally:
        assert (await stack.operator.delete(home)).status_code == 204
