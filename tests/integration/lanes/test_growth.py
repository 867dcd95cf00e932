"""What a queued message costs in memory, and what a claim costs when very many wait."""

from uuid import UUID

import pytest
from redis.asyncio import Redis

from gateway.lanes.entry import LaneEntry, Priority
from gateway.lanes.lanes import AHEAD_MS
from tests.integration.lanes.conftest import World

pytestmark = pytest.mark.parametrize("redis_url", ["one"], indirect=True)
"""What is measured is one server's memory and time."""

QUEUED = 100_000
BYTES_PER_MESSAGE = 200


async def fill(world: World, *, tenants: int, messages: int) -> None:
    world.make_lanes(ahead_ms=AHEAD_MS)
    ids = [UUID(int=1 + number) for number in range(tenants)]
    identity = UUID(int=1)
    for start in range(0, messages, 20_000):
        await world.push(
            *(
                LaneEntry(
                    message_id=UUID(int=1 + number),
                    route=world.route,
                    identity=identity,
                    country="US",
                    priority=Priority.PROMOTIONAL,
                    tenant_id=ids[number % tenants],
                    parts=1,
                    identity_rate=1_000_000.0,
                    recipient_hash=(number + 1).to_bytes(8, "big"),
                )
                for number in range(start, start + 20_000)
            )
        )


async def used_memory(client: Redis) -> int:
    return int((await client.info("memory"))["used_memory"])


async def script_us(client: Redis, world: World) -> float:
    """Return the server's own microseconds per claimed message over a few claims."""
    before = (await client.info("commandstats"))["cmdstat_evalsha"]["usec"]
    taken = 0
    for _ in range(20):
        taken += len((await world.claim(64)).messages)
        world.advance_ms(1)
    return ((await client.info("commandstats"))["cmdstat_evalsha"]["usec"] - before) / taken


async def test_a_queued_message_costs_at_most_200_bytes_for_many_tenants(world, client):
    """100,000 messages of 10,000 tenants, ten each: every key, list and index included."""
    await client.flushall()
    await world.open()
    before = await used_memory(client)
    await fill(world, tenants=10_000, messages=QUEUED)
    assert (await used_memory(client) - before) / QUEUED <= BYTES_PER_MESSAGE
    await client.flushall()


async def test_a_claim_costs_the_same_however_many_tenants_and_messages_wait(world, scripts, client):
    """100,000 messages of 10,000 tenants against 20,000 of ten; a scan would cost a hundred times more."""
    small = World(scripts)
    await small.open()
    await fill(small, tenants=10, messages=20_000)
    await fill(world, tenants=10_000, messages=QUEUED)
    slices = [(await script_us(client, small), await script_us(client, world)) for _ in range(5)]
    few, many = (min(column) for column in zip(*slices, strict=True))
    assert many <= few * 3
    await client.flushall()


async def test_parked_tenants_are_not_looked_at_again(world, client):
    """A thousand capped tenants in one lane must not slow the claims of the one who may send."""
    world.make_lanes(ahead_ms=AHEAD_MS)
    await world.push(
        *(world.entry(tenant=tenant, tenant_rate=0.01, identity_rate=1e6) for tenant in range(2, 1002))
    )
    await world.push(
        *(world.entry(tenant=tenant, tenant_rate=0.01, identity_rate=1e6) for tenant in range(2, 1002))
    )
    while (await world.claim(500)).messages:
        world.advance_ms(1)
    await world.push(*world.entries(100, tenant=1, identity_rate=1e6))
    before = (await client.info("commandstats"))["cmdstat_zrange"]["calls"]
    assert len((await world.claim(100)).messages) == 100
    assert (await client.info("commandstats"))["cmdstat_zrange"]["calls"] - before <= 110
