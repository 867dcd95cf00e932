"""What a real send is told of its rate and of its way, over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.harness.numbers import german_number, us_number

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
