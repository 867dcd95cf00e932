"""Is Redis new enough, and will it neither evict nor forget?"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from gateway.cli.findings import Finding, fault, fine
from gateway.lanes.redis_version import is_too_old
from gateway.lanes.scripts import connect

_DEADLINE_S: Final = 5.0


async def redis_findings(redis_url: str) -> list[Finding]:
    """Return what the server says of itself."""
    try:
        made = connect(redis_url)
    except ValueError as error:
        return [fault("Redis", f"REDIS_URL cannot be used: {error}", "Correct REDIS_URL.")]
    everywhere = {"target_nodes": RedisCluster.ALL_NODES} if isinstance(made, RedisCluster) else {}
    client: Any = made
    try:
        async with asyncio.timeout(_DEADLINE_S):
            server, memory, persistence = [
                await client.info(name, **everywhere) for name in ("server", "memory", "persistence")
            ]
    except (RedisError, OSError, TimeoutError) as error:
        said = f"no connection: {error or type(error).__name__}"
        return [fault("Redis", said, "Start it, or correct REDIS_URL.")]
    finally:
        await client.aclose()
    return [_worst(_version, server), _worst(_eviction, memory), _worst(_persistence, persistence)]


def _worst(judge: Callable[[dict[str, Any]], Finding], found: dict[str, Any]) -> Finding:
    """Judge each node of a cluster, and say what is wrong with the first that is not in order."""
    is_cluster = all(isinstance(value, dict) for value in found.values())
    findings = [judge(node) for node in (found.values() if is_cluster else [found])]
    return next((finding for finding in findings if not finding.held), findings[0])


def _version(server: dict[str, Any]) -> Finding:
    text = str(server.get("redis_version", "0.0"))
    if is_too_old(text):
        return fault("Redis version", f"{text} is too old", "Upgrade to Redis 6.2 or newer, or Valkey.")
    return fine("Redis version", text)


def _eviction(memory: dict[str, Any]) -> Finding:
    policy = str(memory.get("maxmemory_policy", "unknown"))
    if policy != "noeviction":
        return fault(
            "Redis eviction",
            f"maxmemory-policy is {policy}: budgets and opt-outs could vanish under memory pressure",
            "CONFIG SET maxmemory-policy noeviction, in redis.conf too; never share a cache with Tollgate.",
        )
    return fine("Redis eviction", "noeviction")


def _persistence(persistence: dict[str, Any]) -> Finding:
    if persistence.get("aof_enabled"):
        return fine("Redis persistence", "append-only file")
    return fine(
        "Redis persistence",
        "no append-only file",
        "A restart rebuilds the queues from Postgres; `appendonly yes` makes that quicker.",
    )
