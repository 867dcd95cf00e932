"""A projection that its process did not finish."""

from redis.asyncio import Redis

from tests.harness.numbers import us_number


async def test_sends_go_on_while_a_dead_process_holds_the_projection(stack, redis_url):
    """The lock on a tenant's opt-outs outlives who took it; its tenant must not be refused meanwhile."""
    customer = await stack.customer()
    async with Redis.from_url(redis_url) as client:
        prefix = f"{{t:{customer.uuid.hex}}}"
        await client.delete(f"{prefix}:policy")
        await client.set(f"{prefix}:replacing", "a dead process", px=60_000)
        answer = await customer.send(to=us_number(), body="Hello")
    assert answer.status_code == 202, answer.text


async def test_an_id_from_beyond_the_calendar_is_not_found(stack):
    """Its time does not fit a date; that is the caller's fault and not ours."""
    customer = await stack.customer(provision=False, credit=None)
    for path in ("messages/msg_7ZZZZZZZZZFZZVZZZZZZZZZZZZ", "messages/msg_7ZZZZZZZZZFZZVZZZZZZZZZZZZ/events"):
        assert (await customer.live.get(f"/v1/{path}")).status_code == 404
    for path in ("messages", "events", "webhook-endpoints"):
        answer = await customer.live.get(
            f"/v1/{path}", params={"after": "ZmZmZmZmZmZmZmZmN2ZmZmJmZmZmZmZmZmZmZmZmZmY"}
        )
        assert answer.status_code in {200, 422}, (path, answer.text)
