"""Three Redis nodes form one cluster, and form it again after a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisClusterException, ResponseError

from gateway.embedded import EmbeddedRedisCluster, ServerNotRunningError

MOVE = """
redis.call('SET', KEYS[1], ARGV[1])
redis.call('RENAME', KEYS[1], KEYS[2])
return redis.call('GET', KEYS[2])
"""


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedRedisCluster]:
    """One cluster for the module: forming it takes two seconds."""
    async with EmbeddedRedisCluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
async def commands(cluster: EmbeddedRedisCluster) -> AsyncIterator[RedisCluster]:
    """A client that was told of one node only."""
    async with RedisCluster.from_url(cluster.url, decode_responses=True) as client:
        yield client


async def test_client_learns_three_primaries_from_one_url(cluster, commands) -> None:
    """An application is given one URL as well."""
    assert sorted(node.port for node in commands.get_primaries()) == sorted(
        node.port for node in cluster.nodes
    )


async def test_script_with_hash_tagged_keys_runs_on_every_node(cluster, commands) -> None:
    """Admission is one script over a tenant's keys; the tag is what keeps them together."""
    reached = set()
    for tenant in range(64):
        tag = f"{{ten_{tenant}}}"
        reached.add(commands.get_node_from_key(tag).port)
        assert await commands.eval(MOVE, 2, f"{tag}a", f"{tag}b", str(tenant)) == str(tenant)
    assert reached == {node.port for node in cluster.nodes}


async def test_script_with_keys_of_two_tenants_is_refused(commands) -> None:
    """This is the mistake the cluster is here to find."""
    with pytest.raises((ResponseError, RedisClusterException)):
        await commands.eval(MOVE, 2, "{ten_1}a", "{ten_2}b", "x")


async def test_restart_keeps_the_data_and_the_url(tmp_path: Path) -> None:
    """A cluster that is formed again must not have lost its slots."""
    async with EmbeddedRedisCluster(tmp_path) as first:
        url = first.url
        async with RedisCluster.from_url(url) as client:
            await client.set("{ten_1}kept", "7")
    async with EmbeddedRedisCluster(tmp_path) as second:
        assert second.url == url
        async with RedisCluster.from_url(url) as client:
            assert await client.get("{ten_1}kept") == b"7"


async def test_nothing_is_known_before_the_start(tmp_path: Path) -> None:
    """A URL that was made up would fail later and further away."""
    with pytest.raises(ServerNotRunningError):
        _ = EmbeddedRedisCluster(tmp_path).url
