"""The rest of a tenant's world: keys, credits, opt-outs, webhooks, senders, events, audit."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from gateway.api.lists.event_query import KEPT
from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from tenants.endpoints.subscription import MOST_ENDPOINTS
from tenants.ids import encode
from tenants.senders import service as senders
from tenants.senders.service import AccountFacts, PoolFacts, SenderFacts
from tests.harness.waiting import until

NUMBER = "+12065550123"


async def test_a_top_up_is_seen_in_balance_and_ledger(customer, operator) -> None:
    """Decimal dollars in, decimal dollars out."""
    path = f"/v1/admin/tenants/{customer.id}/credits"
    posted = await operator.post(path, json={"amount": "25.5", "note": "invoice 7"})
    assert posted.status_code == 201, posted.text
    assert (await customer.api.get("/v1/credits")).json() == {
        "unit": "usd",
        "available": "25.50",
        "held": "0.00",
        "budgets": [],
        "bundle": None,
    }
    entries = (await customer.api.get("/v1/credits/ledger")).json()["data"]
    assert [(entry["kind"], entry["available"], entry["note"]) for entry in entries] == [
        ("top_up", "25.50", "invoice 7")
    ]


@pytest.mark.parametrize("amount", ["0", "-5", "1e3", "1.2345678", "", 10**16, 1.5, None, "٣"])
async def test_a_wrong_amount_moves_nothing(customer, operator, amount) -> None:
    """Money is never guessed."""
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/credits", json={"amount": amount})
    assert answer.status_code == 422, answer.text
    assert (await customer.api.get("/v1/credits/ledger")).json()["data"] == []


async def test_a_repeated_top_up_is_paid_once(customer, operator) -> None:
    """The operator's retries cost nobody anything."""
    headers = {"Idempotency-Key": str(uuid4())}
    path = f"/v1/admin/tenants/{customer.id}/credits"
    answers = [await operator.post(path, json={"amount": "10"}, headers=headers) for _ in range(3)]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert (await customer.api.get("/v1/credits")).json()["available"] == "10.00"


async def test_of_many_at_once_with_one_key_one_works_and_the_rest_wait_or_replay(customer, operator) -> None:
    """409 with Retry-After while the first one runs; never a second movement."""
    headers = {"Idempotency-Key": str(uuid4())}
    path = f"/v1/admin/tenants/{customer.id}/credits"
    answers = await asyncio.gather(
        *(operator.post(path, json={"amount": "10"}, headers=headers) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_flight"
            assert answer.headers["retry-after"] == "1"
    assert (await customer.api.get("/v1/credits")).json()["available"] == "10.00"


async def test_an_adjustment_takes_no_more_than_there_is(customer, operator) -> None:
    """The balance's CHECK is the last word; the answer names the reason."""
    path = f"/v1/admin/tenants/{customer.id}/credits/adjust"
    answer = await operator.post(path, json={"amount": "-1"})
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_credits")
    assert answer.json()["detail"].startswith("only 0.00 USD are available")


async def test_a_replayed_key_creation_shows_the_same_secret_and_stores_it_sealed(customer, world) -> None:
    """A client that lost the answer has not lost the key; the database never held it in clear."""
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"mode": "test", "scopes": ["messages:send"]}
    first = await customer.api.post("/v1/api-keys", json=body, headers=headers)
    second = await customer.api.post("/v1/api-keys", json=body, headers=headers)
    secret = first.json()["secret"]
    assert secret.startswith("tg_test_")
    assert second.json()["secret"] == secret
    async with world.services.operator_engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT body FROM idempotency_keys WHERE body IS NOT NULL")
        assert not any(secret.encode() in row[0] for row in rows)
    assert "secret" not in (await customer.api.get("/v1/api-keys")).json()["data"][0]


async def test_an_opt_out_is_put_shown_projected_and_taken_back(customer, world) -> None:
    """The projection hears of each change, the tenant's endpoints of each that is news."""
    put = await customer.api.put(f"/v1/opt-out-lists/promotional/numbers/{NUMBER}")
    again = await customer.api.put(f"/v1/opt-out-lists/promotional/numbers/{NUMBER}")
    assert put.json() == {"number": NUMBER, "list": "promotional", "opted_out": True, "changed": True}
    assert again.json()["changed"] is False
    listed = (await customer.api.get("/v1/opt-outs")).json()["data"]
    assert [(row["number"], row["list"], row["source"]) for row in listed] == [(NUMBER, "promotional", "api")]
    assert (await customer.api.get("/v1/opt-outs?list=all")).json()["data"] == []
    taken = await customer.api.delete(f"/v1/opt-out-lists/promotional/numbers/{NUMBER}")
    assert (taken.status_code, taken.json()["opted_out"]) == (200, False)
    told = [(tenant, name, out) for tenant, name, _, out in world.projection.opt_outs]
    assert told[0] == (customer.scope.tenant_id, "promotional", True)
    assert told[-1] == (customer.scope.tenant_id, "promotional", False)


@pytest.mark.parametrize("number", ["5550123", "+1", "hello", "%2B1206555012x"])
async def test_what_is_no_number_is_not_opted_out(customer, number) -> None:
    """A list of numbers holds numbers."""
    answer = await customer.api.put(f"/v1/opt-outs/{number}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_number")


async def test_opt_outs_of_another_tenant_are_invisible(customer, stranger) -> None:
    """Each tenant has its own lists."""
    await customer.api.put(f"/v1/opt-outs/{NUMBER}")
    assert (await stranger.api.get("/v1/opt-outs")).json()["data"] == []


@pytest.fixture
async def endpoint(customer) -> dict:
    """A webhook endpoint."""
    body = {"url": "https://hooks.acme.example/sms", "events": ["message.delivered"]}
    answer = await customer.api.post("/v1/webhook-endpoints", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_endpoint_shows_its_secret_once(customer, endpoint) -> None:
    """Whoever reads later has to rotate."""
    assert endpoint["secret"].startswith("whsec_")
    shown = (await customer.api.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()
    assert "secret" not in shown
    rotated = (await customer.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret")).json()
    assert rotated["secret"] not in {None, endpoint["secret"]}
    assert rotated["old_secret_until"] is not None


async def test_endpoints_are_bounded_also_for_those_who_ask_at_once(customer, stranger) -> None:
    """Each of them makes every event of the tenant dearer to write, for everybody."""

    async def add(api, n: int) -> httpx.Response:
        return await api.post("/v1/webhook-endpoints", json={"url": f"https://hooks.acme.example/{n}"})

    for n in range(MOST_ENDPOINTS - 1):
        assert (await add(customer.api, n)).status_code == 201
    answers = await asyncio.gather(*(add(customer.api, n) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["code"], str(MOST_ENDPOINTS) in refused["detail"]) == ("too_many_webhook_endpoints", True)
    one = (await customer.api.get("/v1/webhook-endpoints")).json()["data"][0]["id"]
    assert (await customer.api.delete(f"/v1/webhook-endpoints/{one}")).status_code == 204
    assert (await add(customer.api, 0)).status_code == 201
    assert (await add(stranger.api, 0)).status_code == 201


async def test_an_endpoint_is_changed_disabled_and_removed(customer, endpoint) -> None:
    """What a PATCH does not name stays."""
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    changed = (await customer.api.patch(path, json={"description": "main", "state": "disabled"})).json()
    assert (changed["description"], changed["state"], changed["events"]) == (
        "main", "disabled", ["message.delivered"],
    )  # fmt: skip
    refused = await customer.api.post(f"{path}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    assert (await customer.api.patch(path, json={"state": "enabled"})).json()["state"] == "enabled"
    assert (await customer.api.delete(path)).status_code == 204
    assert (await customer.api.get(path)).status_code == 404


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "https://169.254.169.254/", "ftp://a.example", "https://u@a.example"]
)
async def test_an_endpoint_inside_our_walls_is_refused(customer, url) -> None:
    """A webhook must not become a way to reach the operator's network."""
    answer = await customer.api.post("/v1/webhook-endpoints", json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook_url_refused")


async def test_an_unknown_event_type_is_refused(customer) -> None:
    """A misspelt subscription would be silence."""
    body = {"url": "https://a.example", "events": ["message.deliverd"]}
    answer = await customer.api.post("/v1/webhook-endpoints", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/events/0")


async def test_a_test_event_is_owed_and_can_be_retried(customer, endpoint) -> None:
    """It goes to the endpoint whatever that subscribed to."""
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    owed = await customer.api.post(f"{path}/test")
    assert (owed.status_code, owed.json()["event_type"]) == (202, "webhook_endpoint.test")
    listed = (await customer.api.get(f"{path}/deliveries")).json()["data"]
    assert [(row["id"], row["state"]) for row in listed] == [(owed.json()["id"], "pending")]
    retried = await customer.api.post(f"{path}/deliveries/{owed.json()['id']}/retry")
    assert (retried.status_code, retried.json()["state"]) == (202, "pending")


async def test_a_retried_delivery_is_answered_as_it_is_shown(customer, endpoint) -> None:
    """Its event's type is known; it was answered as null."""
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    owed = (await customer.api.post(f"{path}/test")).json()
    retried = (await customer.api.post(f"{path}/deliveries/{owed['id']}/retry")).json()
    shown = (await customer.api.get(f"{path}/deliveries/{owed['id']}")).json()
    assert retried["event_type"] == "webhook_endpoint.test"
    assert {**retried, "attempts_made": []} == shown


async def test_the_feed_goes_on_from_its_cursor_and_says_when_that_is_too_old(customer, world) -> None:
    """A poller keeps its place for 30 days, and silence never hides a gap."""
    assert (await customer.api.get("/v1/events")).json()["data"] == []
    await customer.api.put(f"/v1/opt-outs/{NUMBER}")

    async def listed():
        found = (await customer.api.get("/v1/events")).json()
        return found if found["data"] else None

    feed = await until(listed, within_s=150)
    (line,) = (await customer.api.get("/v1/opt-outs/changes", params={"number": NUMBER})).json()["data"]
    assert [(event["type"], event["data"]) for event in feed["data"]] == [
        ("opt_out.created", {"list": "all", "source": "api", "change": line["id"], "number": NUMBER})
    ]
    rest = (await customer.api.get("/v1/events", params={"after": feed["next_cursor"]})).json()
    assert rest == {"data": [], "next_cursor": feed["next_cursor"]}
    now = world.services.clock.now()
    for query, count in (
        ({"types": "opt_out.created,message.sent"}, 1),
        ({"types": "message.sent"}, 0),
        ({"message": encode("msg", uuid4())}, 0),
        ({"since": (now - timedelta(hours=1)).isoformat()}, 1),
        ({"since": (now + timedelta(hours=1)).isoformat()}, 0),
    ):
        found = await customer.api.get("/v1/events", params=query)
        assert (found.status_code, len(found.json()["data"])) == (200, count), query
    much_later = type(world)(replace(world.services, clock=FixedClock(now + KEPT + timedelta(minutes=1))))
    async with much_later.client(customer.key) as client:
        expired = await client.get("/v1/events", params={"after": feed["next_cursor"]})
        assert (expired.status_code, expired.json()["code"]) == (410, "cursor_expired")
        assert (await client.get("/v1/events")).json()["data"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"types": "message.dilivered"}, "?types"),
        ({"types": ""}, "?types"),
        ({"message": "msg_1"}, "?message"),
        ({"since": "2026-01-01T00:00:00"}, "?since"),
        ({"since": "2020-01-01T00:00:00Z"}, "?since"),
        ({"after": "x"}, "?after"),
    ],
)
async def test_a_filter_of_the_feed_that_cannot_match_is_refused(customer, query, field) -> None:
    """An empty answer would look like silence."""
    answer = await customer.api.get("/v1/events", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_senders_and_pools_are_shown_in_order(customer, world) -> None:
    """What the operator provisioned is what the tenant sees."""
    async with worker_transaction(world.services.operator_engine) as session:
        account = await senders.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
        made = [
            await senders.put_sender(
                customer.scope,
                session,
                SenderFacts(
                    account_id=account.id,
                    type="TEN_DLC",
                    value=f"+1206555010{index}",
                    country="US",
                    arn=f"arn:aws:x:{uuid4()}",
                    parts_per_second=1.0,
                ),
            )
            for index in range(2)
        ]
        facts = PoolFacts(name="main", account_id=account.id)
        await senders.put_pool(customer.scope, session, facts, sender_ids=[row.id for row in reversed(made)])
    shown = (await customer.api.get("/v1/senders")).json()["data"]
    pool = (await customer.api.get("/v1/pools")).json()["data"][0]
    assert {row["value"] for row in shown} == {"+12065550100", "+12065550101"}
    by_id = {row["id"]: row["value"] for row in shown}
    assert [by_id[sender] for sender in pool["senders"]] == ["+12065550101", "+12065550100"]
    assert (await customer.api.get(f"/v1/pools/{pool['id']}")).json() == pool
    assert (await customer.api.get(f"/v1/senders/{shown[0]['id']}")).json() == shown[0]
    assert (await customer.api.get("/v1/configuration-sets")).json()["data"] == []
