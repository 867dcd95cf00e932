"""Sends while keys in Redis hold what somebody else wrote there: accepted and judged as with Redis away."""

import pytest
from redis.asyncio import Redis

from gateway.admission.projection import tenant_prefix
from gateway.cli.rebuild_redis import _rebuild
from gateway.lanes.lanes import key_prefix
from tests.harness.numbers import us_number


def body(**changes):
    """A plain send."""
    return {"to": us_number(), "body": "Hello", "type": "transactional"} | changes


async def _overwrite(redis_url, pattern):
    """Write one string over each key there, and where the lanes keep what waits, even if nothing does."""
    async with Redis.from_url(redis_url) as client:
        names = [name async for name in client.scan_iter(match=pattern)]
        assert names
        for name in names:
            await client.set(name, "foreign")


@pytest.fixture
async def customer(stack):
    """One that has sent, so that Redis knows it, and to whom one phone has said STOP."""
    customer = await stack.customer()
    for _ in range(3):
        assert (await customer.send(**body())).status_code == 202
    return customer


async def test_sends_go_on_by_postgres_while_a_tenants_keys_are_foreign(stack, customer):
    """They were answered 500. An opt-out holds, too."""
    to = us_number()
    assert (await customer.live.put(f"/v1/opt-out-lists/all/numbers/{to}")).is_success
    await _overwrite(stack.settings.redis_url, f"{tenant_prefix(customer.uuid)}:*")
    alone = await customer.send(**body())
    batch = await customer.live.post("/v1/messages/batch", json={"messages": [body(), body(to=to)]})
    explained = await customer.live.post("/v1/messages/explain", json=body())
    assert (alone.status_code, explained.status_code) == (202, 200), alone.text
    assert [each["status"] for each in batch.json()["data"]] == [202, 403]
    assert (await customer.final(alone.json()["id"]))["status"] == "delivered"
    later = await customer.live.put(f"/v1/opt-out-lists/all/numbers/{us_number()}")
    assert later.is_success


async def test_sends_go_on_while_the_lanes_keys_are_foreign(stack, customer):
    """Accept, estimate and dispatch: the dispatcher rebuilds the lanes by itself."""
    route = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"][0]["id"]
    await _overwrite(stack.settings.redis_url, f"{key_prefix(route)}:*")
    sent = [await customer.send(**body()) for _ in range(3)]
    assert [each.status_code for each in sent] == [202] * 3
    for each in sent:
        assert (await customer.final(each.json()["id"]))["status"] == "delivered"


async def test_rebuild_redis_puts_all_of_it_right(stack, customer, capsys):
    """It ended in the words of a script, and left what was wrong."""
    async with Redis.from_url(stack.settings.redis_url) as client:
        await _overwrite(stack.settings.redis_url, "{?:*}:*")
        await _rebuild(stack.settings)
        assert "taken away, which somebody else had written" in capsys.readouterr().out
        assert await client.type(f"{tenant_prefix(customer.uuid)}:policy") == b"hash"
    assert (await customer.send(**body())).status_code == 202


async def test_a_policy_with_text_for_a_number_is_mended_by_the_next_send(stack, customer):
    """It was judged by Postgres from then on, and `tollgate rebuild-redis` failed on it."""
    name = f"{tenant_prefix(customer.uuid)}:policy"
    async with Redis.from_url(stack.settings.redis_url) as client:
        await client.hset(name, "version", "foreign")
        assert (await customer.send(**body())).status_code == 202
        assert (await client.hget(name, "version")).isdigit()
        await client.hset(name, "version", "foreign")
        await _rebuild(stack.settings)
        assert (await client.hget(name, "version")).isdigit()


async def test_who_asks_for_figures_that_nobody_can_read_is_told_to_come_again(stack, customer):
    """As where Redis is away; sends do not ask for them."""
    route = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"][0]["id"]
    name = f"{key_prefix(route)}:backlog"
    async with Redis.from_url(stack.settings.redis_url) as client:
        await client.hset(name, "foreign", "foreign")
        answer = await stack.operator.get("/v1/admin/lanes")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert (await customer.send(**body())).status_code == 202
        await client.hdel(name, "foreign")
