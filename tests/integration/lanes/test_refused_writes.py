"""A Redis that answers and takes no writes: what was queued stays, and the static share is called for."""

import asyncio

import pytest

from gateway.embedded.redis import EmbeddedRedis
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.scripts import RedisScripts, connect
from tests.integration.lanes.conftest import World

REFUSALS = {
    "out of memory": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "demoted to a replica": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_redis_that_takes_no_writes_is_away_and_loses_nothing(tmp_path, refusal):
    """Row 14: a push and the look whether it is back are refused before anything is written."""
    refuse, allow = REFUSALS[refusal]
    async with EmbeddedRedis(tmp_path) as server, connect(server.url) as client:
        world = World(RedisScripts(client))
        await world.open()
        await world.push(*world.entries(5, identity_rate=1000.0))
        await server.command(*refuse)
        with pytest.raises(RedisUnavailable):
            await world.lanes.try_write(world.route)
        with pytest.raises(RedisUnavailable):
            await world.lanes.push(world.entries(1))
        await server.command(*allow)
        async with asyncio.timeout(60):
            await world.lanes.try_write(world.route)
        assert len([message for _, message in await world.drain()]) == 5
