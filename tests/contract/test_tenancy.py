"""What is someone else's is answered like what never was; what is test is kept from what is live."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from tenants.ids import encode, new_uuid
from tenants.optouts import service as opt_outs
from tests.harness.stored import NUMBER, put


async def _store(world, customer, **fields: Any) -> str:
    """Write a message as the road would have, and return its id as the customer knows it."""
    return encode("msg", await put(world, customer, **fields))


async def test_a_message_is_read_with_its_number_and_text(customer, world) -> None:
    """They are sealed in the table and opened for their tenant only."""
    message_id = await _store(world, customer)
    message = (await customer.api.get(f"/v1/messages/{message_id}")).json()
    assert (message["to"], message["body"], message["price"]["estimated"]) == (
        NUMBER,
        "your code is 1234",
        "0.00645",
    )
    assert (await customer.api.get(f"/v1/messages/{message_id}/events")).json()["data"] == []


async def test_messages_are_found_by_number_status_and_time(customer, world) -> None:
    """Numbers are found by keyed hash; no filter reads a sealed value."""
    queued = await _store(world, customer)
    failed = await _store(world, customer, status="failed", type="promotional")

    async def found(**params: str) -> list[str]:
        answer = await customer.api.get("/v1/messages", params=params)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["data"]]

    now = SystemClock().now()
    assert await found() == [failed, queued]
    assert await found(to=NUMBER) == [failed, queued]
    assert await found(to="+12065550199") == []
    assert await found(status="failed") == [failed]
    assert await found(type="otp") == [queued]
    assert await found(created_after=(now + timedelta(hours=1)).isoformat()) == []
    assert await found(created_before=(now + timedelta(hours=1)).isoformat()) == [failed, queued]
    assert await found(limit="1") == [failed]


async def test_a_test_key_sees_test_messages_only(customer, world, make_key) -> None:
    """The two worlds share nothing but the account."""
    live, test = await _store(world, customer), await _store(world, customer, test=True)
    async with world.client(await make_key(customer.id, mode="test")) as client:
        assert [row["id"] for row in (await client.get("/v1/messages")).json()["data"]] == [test]
        assert (await client.get(f"/v1/messages/{live}")).status_code == 404
    assert [row["id"] for row in (await customer.api.get("/v1/messages")).json()["data"]] == [live]


@pytest.fixture
async def property_of(customer, world) -> dict[str, str]:
    """One of each thing that a tenant can have, by the name of its path parameter."""
    template = await customer.api.post("/v1/templates", json={"name": "a", "body": "b {c}", "type": "otp"})
    endpoint = await customer.api.post("/v1/webhook-endpoints", json={"url": "https://a.example/"})
    delivery = await customer.api.post(f"/v1/webhook-endpoints/{endpoint.json()['id']}/test")
    keys = await customer.api.get("/v1/api-keys")
    return {
        "message": await _store(world, customer),
        "template": template.json()["id"],
        "endpoint": endpoint.json()["id"],
        "delivery": delivery.json()["id"],
        "key": keys.json()["data"][0]["id"],
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/messages/{message}", None),
        ("GET", "/v1/messages/{message}/events", None),
        ("POST", "/v1/messages/{message}/cancel", None),
        ("GET", "/v1/templates/{template}", None),
        ("GET", "/v1/templates/{template}/versions", None),
        ("POST", "/v1/templates/{template}/versions", {"body": "x", "type": "otp"}),
        ("POST", "/v1/templates/{template}/submit", None),
        ("GET", "/v1/webhook-endpoints/{endpoint}", None),
        ("PATCH", "/v1/webhook-endpoints/{endpoint}", {"description": "mine"}),
        ("DELETE", "/v1/webhook-endpoints/{endpoint}", None),
        ("POST", "/v1/webhook-endpoints/{endpoint}/rotate-secret", None),
        ("POST", "/v1/webhook-endpoints/{endpoint}/test", None),
        ("GET", "/v1/webhook-endpoints/{endpoint}/deliveries", None),
        ("POST", "/v1/webhook-endpoints/{endpoint}/deliveries/{delivery}/retry", None),
        ("DELETE", "/v1/api-keys/{key}", None),
    ],
)
async def test_a_foreign_id_is_answered_like_an_absent_one(stranger, property_of, method, path, body) -> None:
    """The same status, the same body, so that ids cannot be tried out."""
    foreign = await stranger.api.request(method, path.format(**property_of), json=body)
    prefixes = {"message": "msg", "template": "tpl", "endpoint": "wh", "delivery": "del", "key": "key"}
    absent_ids = {name: encode(prefix, new_uuid()) for name, prefix in prefixes.items()}
    absent = await stranger.api.request(method, path.format(**absent_ids), json=body)
    assert foreign.status_code == absent.status_code == 404
    assert _without_instance(foreign) == _without_instance(absent)


async def test_a_foreign_template_narrows_a_list_to_nothing(stranger, property_of) -> None:
    """A filter is no way round either."""
    answer = await stranger.api.get("/v1/messages", params={"template": property_of["template"]})
    assert answer.json()["data"] == []


async def test_an_opt_out_by_keyword_is_shown_with_its_source(customer, world) -> None:
    """The list is one, whoever wrote into it."""
    key = await world.services.data_keys.of(customer.scope.tenant_id)
    async with worker_transaction(world.services.operator_engine) as session:
        await opt_outs.put(customer.scope, session, key, number=NUMBER, source="keyword")
    rows = (await customer.api.get("/v1/opt-outs")).json()["data"]
    assert [(row["list"], row["source"]) for row in rows] == [("all", "keyword")]


def _without_instance(answer) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "instance"}
