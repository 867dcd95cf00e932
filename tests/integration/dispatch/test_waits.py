"""How exactly a dispatcher sleeps until its next gate opens."""

import statistics
import time

from redis.asyncio import Redis

from gateway.lanes.lanes import Lanes
from gateway.lanes.scripts import RedisScripts


async def test_a_short_sleep_is_short(redis_url):
    """Redis ends blocked calls on its own 100 ms beat; a gate that opens in 20 ms must not wait for that."""
    async with Redis.from_url(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        slept_ms = []
        for _ in range(15):
            began = time.perf_counter()
            assert not await lanes.wait_for_work("a-route", 0.02)
            slept_ms.append((time.perf_counter() - began) * 1000)
    assert statistics.median(slept_ms) < 60, slept_ms
