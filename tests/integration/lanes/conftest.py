"""A Redis of our own, and a route whose time the test turns."""

import itertools
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.embedded.cluster import EmbeddedRedisCluster
from gateway.embedded.redis import EmbeddedRedis
from gateway.lanes.entry import Claimed, ClaimedMessage, LaneEntry, Priority
from gateway.lanes.lanes import Lanes
from gateway.lanes.scripts import RedisClient, RedisScripts, connect

START_US = 1_800_000_000_000_000
_serial = itertools.count(1)


@pytest.fixture(scope="session", params=["one", "cluster"])
async def redis_url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """One Redis, and a cluster of three nodes: nothing may come out differently."""
    with tempfile.TemporaryDirectory() as folder:
        if request.param == "one":
            async with EmbeddedRedis(Path(folder)) as server:
                yield server.url
        else:
            async with EmbeddedRedisCluster(Path(folder)) as cluster:
                yield f"{cluster.url}?cluster=true"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[RedisClient]:
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
async def scripts(client: RedisClient) -> AsyncIterator[RedisScripts]:
    scripts = RedisScripts(client)
    yield scripts
    await scripts.aclose()


class World:
    """One route with open lanes, tenants and identities by small numbers, and a clock that stands."""

    def __init__(self, scripts: RedisScripts, **options: Any) -> None:
        self.route = f"test-{next(_serial)}"
        self.now_us = START_US
        self.options = {"ahead_ms": 0} | options
        self.scripts = scripts
        self.make_lanes()

    def make_lanes(self, **options: Any) -> None:
        """Make the lanes again, with one more option."""
        self.options |= options
        self.lanes = Lanes(self.scripts, clock_us=lambda: self.now_us, **self.options)

    async def open(self) -> None:
        """Give the route an epoch and let its horizon pass."""
        assert await self.lanes.begin_rebuild(self.route, "first")
        assert await self.lanes.finish_rebuild(self.route, "first")
        self.advance_ms(1000)

    def limit_requests(self, rate: float) -> None:
        """Set the route's API requests per second."""
        self.make_lanes(api_requests_per_second={self.route: rate})

    def advance_ms(self, milliseconds: float) -> None:
        """Turn the clock."""
        self.now_us += round(milliseconds * 1000)

    def entry(
        self,
        *,
        tenant: int = 1,
        identity: int = 1,
        recipient: int = 0,
        serial: int | None = None,
        **fields: Any,
    ) -> LaneEntry:
        """Make an entry; what is not said is the plainest there is."""
        values: dict[str, Any] = {
            "message_id": UUID(int=next(_serial) if serial is None else serial),
            "route": self.route,
            "identity": UUID(int=identity),
            "country": "US",
            "priority": Priority.TRANSACTIONAL,
            "tenant_id": UUID(int=tenant),
            "parts": 1,
            "identity_rate": 1.0,
            "recipient_hash": recipient.to_bytes(8, "big"),
        }
        return LaneEntry(**(values | fields))

    def entries(self, count: int, **fields: Any) -> list[LaneEntry]:
        """Make several entries."""
        return [self.entry(**fields) for _ in range(count)]

    async def push(self, *entries: LaneEntry) -> None:
        """Push, and expect to be heard."""
        assert await self.lanes.push(entries) == []

    async def claim(self, limit: int = 100, **options: Any) -> Claimed:
        """Claim on this route."""
        return await self.lanes.claim(self.route, limit, **options)

    async def take(self, limit: int = 100, **options: Any) -> list[ClaimedMessage]:
        """Claim and settle."""
        messages = (await self.claim(limit, **options)).messages
        await self.lanes.settle(self.route, [each.message_id for each in messages])
        return messages

    async def drain(self, *, until_ms: float = 1e12) -> list[tuple[float, ClaimedMessage]]:
        """Claim whenever something opens, and return what came with its second, until nothing waits."""
        taken: list[tuple[float, ClaimedMessage]] = []
        begun = self.now_us
        while (self.now_us - begun) / 1000 < until_ms:
            claimed = await self.claim()
            await self.lanes.settle(self.route, [each.message_id for each in claimed.messages])
            taken += (((self.now_us - begun) / 1e6, each) for each in claimed.messages)
            if claimed.next_open_ms is None:
                return taken
            self.advance_ms(claimed.next_open_ms)
        return taken


@pytest.fixture
async def world(scripts: RedisScripts) -> World:
    made = World(scripts)
    await made.open()
    return made
