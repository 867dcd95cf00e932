"""What a real send is told of its rate and of its way, over HTTP."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.harness.numbers import german_number, us_number
from tests.harness.waiting import until

PLAN = {"requests_per_second": 50}


def body(**changes):
    """A plain send."""
    return {"to": us_number(), "body": "Hello", "type": "transactional"} | changes


async def test_accepted_refused_and_malformed_sends_count_one_rate(stack):
    """50 a second: what is refused costs none of them and shows what is left."""
    customer = await stack.customer(plan=PLAN, credit=None)
    key = {"Idempotency-Key": uuid4().hex}
    poor = await customer.live.post("/v1/messages", json=body(), headers=key)
    elsewhere = await customer.live.post("/v1/messages", json=body(to="+447911123456"))
    malformed = await customer.live.post("/v1/messages", json=body(bdoy="x"))
    test = await customer.test.post("/v1/messages", json=body())
    assert [each.status_code for each in (poor, elsewhere, malformed, test)] == [402, 403, 422, 202]
    for answer in (poor, elsewhere, malformed, test):
        assert answer.headers["ratelimit-policy"] == '"requests";q=50;w=1'
        assert answer.headers["ratelimit"].startswith('"requests";r=')


async def test_a_plan_without_rates_tells_that_of_the_sender(stack):
    """A number of three parts a second, alone and in a batch."""
    customer = await stack.customer()
    rate = await stack.database.fetchval(
        "UPDATE senders SET parts_per_second = 3 WHERE tenant_id = $1 RETURNING parts_per_second",
        customer.uuid,
    )
    assert rate == 3
    alone = await customer.live.post("/v1/messages", json=body())
    batch = await customer.live.post("/v1/messages/batch", json={"messages": [body(), body()]})
    for answer in (alone, batch):
        assert answer.headers["ratelimit-policy"] == '"parts-US";q=3;w=1'
        assert answer.headers["ratelimit"].startswith('"parts-US";r=')


@pytest.mark.parametrize(
    ("plan", "policy"),
    [
        ({}, '"parts-US";q=1;w=100'),
        ({"requests_per_second": 50}, '"requests";q=50;w=1, "parts-US";q=1;w=100'),
        ({"country_mps": {"US": 0.005}}, '"parts-US";q=1;w=200'),
    ],
)
async def test_a_full_line_tells_its_rate(stack, plan, policy):
    """Every 429 of a send says how fast to go, also where it is the number that is slow."""
    customer = await stack.customer(plan=plan)
    [sender] = (await customer.live.get("/v1/senders")).json()["data"]
    await stack.operate(
        "patch", f"/v1/admin/tenants/{customer.id}/senders/{sender['id']}", {"parts_per_second": 0.01}
    )
    for _ in range(2):
        assert (await customer.live.post("/v1/messages", json=body())).status_code == 202
    full = await customer.live.post("/v1/messages", json=body(ttl_seconds=5))
    batch = await customer.live.post("/v1/messages/batch", json={"messages": [body(ttl_seconds=5)] * 2})
    assert (full.status_code, full.json()["code"]) == (429, "queue_full")
    assert [each["status"] for each in batch.json()["data"]] == [429, 429]
    for answer in (full, batch):
        assert answer.headers["ratelimit-policy"] == policy
        assert re.search(r'"parts-US";r=0;t=[1-9]\d*$', answer.headers["ratelimit"])


async def test_a_gate_that_is_closed_tells_the_rate_of_the_sender_behind_it(stack):
    """As an accepted send of the tenant does; the message took nothing of it."""
    customer = await stack.customer()
    to = us_number()
    assert (await customer.live.put(f"/v1/opt-out-lists/all/numbers/{to}")).status_code < 300
    refused = await customer.live.post("/v1/messages", json=body(to=to))
    accepted = await customer.live.post("/v1/messages", json=body())
    assert (refused.status_code, refused.json()["code"]) == (403, "opted_out")
    assert refused.headers["ratelimit-policy"] == accepted.headers["ratelimit-policy"]
    assert "ratelimit" in refused.headers


async def test_a_test_key_without_a_sender_is_told_the_rate_of_the_sandboxs(stack):
    """The first send of a new tenant, again with its answer lost."""
    customer = await stack.customer(provision=False)
    request, headers = body(), {"Idempotency-Key": uuid4().hex}
    for _ in range(2):
        answer = await customer.test.post("/v1/messages", json=request, headers=headers)
        assert (answer.status_code, answer.headers.get("ratelimit-policy")) == (202, '"parts-US";q=500;w=1')


async def test_a_replayed_send_tells_the_rate_too(stack):
    """A client that repeats after a lost answer paces itself, too."""
    customer = await stack.customer(plan=PLAN)
    request, headers = body(), {"Idempotency-Key": uuid4().hex}
    first, again = [await customer.live.post("/v1/messages", json=request, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["idempotent-replayed"] == "true"
    assert first.headers["ratelimit-policy"] == again.headers["ratelimit-policy"]


async def test_a_day_that_is_used_up_shows_in_the_estimate_and_fills_the_queue(stack):
    """Three parts a day: the fourth is told of midnight, and what lives shorter is refused with it."""
    customer = await stack.customer()
    [sender] = (await customer.live.get("/v1/senders")).json()["data"]
    await stack.operate(
        "patch", f"/v1/admin/tenants/{customer.id}/senders/{sender['id']}", {"parts_per_day": 3}
    )
    for _ in range(3):
        sent = await customer.send(**body())
        await customer.final(sent.json()["id"])
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    late = await customer.send(**body())
    estimate = datetime.fromisoformat(late.json()["estimated_dispatch_at"])
    assert abs(estimate - midnight) < timedelta(seconds=10)
    full = await customer.live.post("/v1/messages", json=body(ttl_seconds=60))
    assert (full.status_code, full.json()["code"]) == (429, "queue_full")
    wait = timedelta(milliseconds=full.json()["retry_after_ms"])
    assert abs(now + wait + timedelta(seconds=60) - midnight) < timedelta(seconds=15)
    leaves_at = datetime.fromisoformat(full.json()["estimated_dispatch_at"])
    assert abs(leaves_at - midnight) < timedelta(seconds=15)


REFUSING = {"country_mps": {"US": 0.1}, "burst": "refuse"}


async def test_trying_out_with_a_test_key_refuses_no_live_send(stack):
    """One part in ten seconds, for the live key and for the test key."""
    customer = await stack.customer(plan=REFUSING)
    answers = [
        await client.post("/v1/messages", json=body()) for client in (customer.test, customer.live) * 2
    ]
    assert [each.status_code for each in answers] == [202, 202, 429, 429]


async def test_what_is_scheduled_waits_for_no_rate_of_today(stack):
    """Three for tomorrow, and one for now."""
    customer = await stack.customer(plan=REFUSING)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answers = [await customer.live.post("/v1/messages", json=body(send_at=tomorrow)) for _ in range(3)]
    answers += [await customer.live.post("/v1/messages", json=body()) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202, 202, 202, 429]
    explained = await customer.live.post("/v1/messages/explain", json=body(send_at=tomorrow))
    assert explained.json()["accepted"] is True


async def slow_senders(stack, customer, rate):
    """Give every sender of a tenant the same rate."""
    senders = (await customer.live.get("/v1/senders")).json()["data"]
    for sender in senders:
        path = f"/v1/admin/tenants/{customer.id}/senders/{sender['id']}"
        await stack.operate("patch", path, {"parts_per_second": rate})


async def test_the_messages_of_a_batch_stand_behind_each_other(stack):
    """Two a second: the last of twelve is told of the eleven before it."""
    customer = await stack.customer()
    await slow_senders(stack, customer, 2)
    batch = {"messages": [body() for _ in range(12)]}
    made = (await customer.live.post("/v1/messages/batch", json=batch)).json()["data"]
    waits = [
        datetime.fromisoformat(each["message"]["estimated_dispatch_at"])
        - datetime.fromisoformat(each["message"]["created_at"])
        for each in made
    ]
    for before, wait in enumerate(waits):
        assert abs(wait - timedelta(seconds=before / 2)) < timedelta(seconds=0.8)


async def test_a_batch_fills_a_queue_up_to_its_life_and_no_further(stack):
    """Two a second and five seconds to live: ten of them leave in time, and what is refused is free."""
    customer = await stack.customer()
    await slow_senders(stack, customer, 2)
    batch = {"messages": [body(ttl_seconds=5) for _ in range(40)]}
    made = (await customer.live.post("/v1/messages/batch", json=batch)).json()["data"]
    codes = [each.get("error", {}).get("code") for each in made]
    assert 10 <= codes.count(None) <= 13
    assert set(codes) == {None, "queue_full"}


async def test_sends_of_one_moment_stand_behind_each_other(stack):
    """Twenty clients at once, as a batch."""
    customer = await stack.customer()
    await slow_senders(stack, customer, 2)
    answers = await asyncio.gather(
        *(customer.live.post("/v1/messages", json=body(ttl_seconds=5)) for _ in range(20))
    )
    assert 10 <= [each.status_code for each in answers].count(202) <= 13


async def test_a_batch_under_a_key_is_taken_once(stack):
    """Each item has a key of its own, which has to survive the way to Postgres and back."""
    customer = await stack.customer()
    batch, key = {"messages": [body() for _ in range(3)]}, {"Idempotency-Key": uuid4().hex}
    first, again = [
        (await customer.live.post("/v1/messages/batch", json=batch, headers=key)).json()["data"]
        for _ in range(2)
    ]
    assert [each["status"] for each in first] == [202] * 3
    assert [each["message"]["id"] for each in again] == [each["message"]["id"] for each in first]


async def test_a_batch_is_one_request_to_the_request_rate(stack):
    """Four messages in the one request of five seconds; the next is refused whole, a repeat replayed."""
    customer = await stack.customer(plan={"requests_per_second": 0.2})
    batch, key = {"messages": [body() for _ in range(4)]}, {"Idempotency-Key": uuid4().hex}
    first = await customer.live.post("/v1/messages/batch", json=batch, headers=key)
    assert [each["status"] for each in first.json()["data"]] == [202] * 4
    assert first.headers["ratelimit"] == '"requests";r=0;t=5'
    early = await customer.live.post("/v1/messages/batch", json={"messages": [body(), body()]})
    assert (early.status_code, early.json()["code"]) == (429, "rate_limited")
    assert 0 < early.json()["retry_after_ms"] <= 5000
    again = await customer.live.post("/v1/messages/batch", json=batch, headers=key)
    ids = [[each["message"]["id"] for each in answer.json()["data"]] for answer in (first, again)]
    assert (again.status_code, ids[0]) == (207, ids[1])


async def test_a_plan_with_a_countrys_rate_alone_has_headers(stack):
    """One part in ten seconds: told with the send that takes it, with its refusal and with another gate's."""
    customer = await stack.customer(plan=REFUSING)
    taken = await customer.live.post("/v1/messages", json=body())
    early = await customer.live.post("/v1/messages", json=body())
    without_sender = await customer.live.post("/v1/messages", json=body(**{"from": "+12025550100"}))
    assert [each.status_code for each in (taken, early, without_sender)] == [202, 429, 422]
    for answer in (taken, early, without_sender):
        assert answer.headers["ratelimit-policy"] == '"parts-US";q=1;w=10'
        assert answer.headers["ratelimit"] == '"parts-US";r=0;t=10'


async def test_a_sender_is_named_by_its_id_and_one_that_cannot_carry_it_says_why(stack):
    """The id of GET /v1/senders works like the value; what names nothing is a wrong field, not a lack."""
    customer = await stack.customer(countries=["US", "DE"])
    stranger = await stack.customer()
    [sender] = (await customer.live.get("/v1/senders")).json()["data"]
    [theirs] = (await stranger.live.get("/v1/senders")).json()["data"]
    taken = await customer.send(**body(**{"from": sender["id"]}))
    assert (taken.status_code, taken.json()["from"]) == (202, sender["value"]), taken.text
    for client in (customer.live, customer.test):
        for named in ("", theirs["value"], theirs["id"]):
            refused = await client.post("/v1/messages", json=body(**{"from": named}))
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/from"), refused.text
    abroad = await customer.live.post(
        "/v1/messages", json=body(to=german_number(), **{"from": sender["value"]})
    )
    assert (abroad.status_code, abroad.json()["code"]) == (409, "no_originator")
    assert f"{sender['value']}: it serves US" in abroad.json()["detail"]


async def test_shared_routes_of_an_account_open_and_close_within_a_second(stack):
    """For whoever sends next, and not from the next change of its plan on."""
    customer = await stack.customer(countries=("US", "GB"), plan={"shared_routes": True})
    account = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"][0]
    sender = {
        "account": account["id"],
        "type": "SHARED",
        "value": "SHARED",
        "country": "GB",
        "arn": "arn:aws:x",
    }
    await stack.operate("post", f"/v1/admin/tenants/{customer.id}/senders", sender)

    async def carried() -> bool:
        wish = body(to="+447400123456")
        return (await customer.live.post("/v1/messages/explain", json=wish)).json()["accepted"]

    assert not await carried()
    for is_open in (True, False):
        path = f"/v1/admin/aws-accounts/{account['name']}"
        await stack.operate("put", path, {"shared_routes": is_open})

        async def followed(wanted: bool = is_open) -> bool:
            return await carried() is wanted

        assert await until(followed, within_s=3)
