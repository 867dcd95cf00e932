"""A Redis Cluster of three nodes on this machine, for tests of keys that must share a slot."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import msgspec

from gateway.embedded.endpoint import LOOPBACK
from gateway.embedded.errors import ServerFailedError, ServerNotRunningError
from gateway.embedded.programs import REDIS_PROVIDERS, RedisProvider
from gateway.embedded.redis import EmbeddedRedis

NODES = 3
SLOTS = 16_384
BUS_OFFSET = 10_000
"""The nodes talk among themselves this far above the clients' port; it cannot be chosen before Redis 7."""

AGREE_WITHIN_S = 30.0
LOOK_EVERY_S = 0.02


class ClusterNode(EmbeddedRedis):
    """One node, which keeps who else is in the cluster in `nodes.conf`."""

    port_offsets: ClassVar = (0, BUS_OFFSET)

    def settings(self) -> dict[str, str]:
        """Return its configuration, directive by directive."""
        return super().settings() | {
            "cluster-enabled": "yes",
            "cluster-config-file": "nodes.conf",
            "cluster-node-timeout": "5000",
            "cluster-announce-ip": LOOPBACK,
        }


class EmbeddedRedisCluster:
    """
    Three Redis nodes without replicas, in `data/redis-1` to `data/redis-3`, the slots shared out evenly.

    Args:
        data: The folder given as `--data`.
        providers: Where the program may come from, best first.
    """

    def __init__(self, data: Path, *, providers: Sequence[RedisProvider] = REDIS_PROVIDERS) -> None:
        self._data = data
        self._providers = providers
        self._running = AsyncExitStack()
        self._nodes: list[ClusterNode] = []

    @property
    def url(self) -> str:
        """One node's URL; a cluster client learns the others from it."""
        if not self._nodes:
            raise ServerNotRunningError(f"the cluster of {self._data} has not been started")
        return self._nodes[0].url

    @property
    def nodes(self) -> tuple[ClusterNode, ...]:
        """The started nodes."""
        return tuple(self._nodes)

    async def start(self) -> None:
        """Start the nodes and wait until they agree that every slot is served; no-op while they run."""
        if self._nodes:
            return
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the nodes; no-op when stopped."""
        self._nodes.clear()
        await self._running.aclose()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    async def _start(self) -> None:
        for number in range(1, NODES + 1):
            await self._add(number)
        for share, node in enumerate(self._nodes):
            await _take_slots(node, share)
        for node in self._nodes[1:]:
            await _meet(self._nodes[0], node)
        await self._agreed()

    async def _add(self, number: int) -> None:
        """Start a node with the first node's password: a cluster's URL has room for one."""
        password = self._nodes[0].password if self._nodes else None
        node = ClusterNode(self._data, name=f"redis-{number}", password=password, providers=self._providers)
        self._nodes.append(await self._running.enter_async_context(node))

    async def _agreed(self) -> None:
        try:
            async with asyncio.timeout(AGREE_WITHIN_S):
                for node in self._nodes:
                    await _sees_all(node)
        except TimeoutError as error:
            raise ServerFailedError(
                f"the nodes below {self._data} did not agree within {AGREE_WITHIN_S:.0f} s"
            ) from error


async def _take_slots(node: ClusterNode, share: int) -> None:
    """Give a new node its third of the slots and its own epoch; a node that knows of any slot has both."""
    if int((await _view(node))["cluster_slots_assigned"]) > 0:
        return
    slots = range(share * SLOTS // NODES, (share + 1) * SLOTS // NODES)
    await node.command("CLUSTER ADDSLOTS", *slots)
    await node.command("CLUSTER SET-CONFIG-EPOCH", share + 1)


async def _meet(first: ClusterNode, other: ClusterNode) -> None:
    """Introduce two nodes; harmless where they know each other, and heals a cluster whose ports moved."""
    await first.command("CLUSTER MEET", LOOPBACK, other.port)


async def _sees_all(node: ClusterNode) -> None:
    """Return once the node knows every node and finds every slot served."""
    while True:
        view = await _view(node)
        if view["cluster_state"] == "ok" and int(view["cluster_known_nodes"]) == NODES:
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _view(node: ClusterNode) -> dict[str, str]:
    """Return the node's own account of the cluster."""
    return msgspec.convert(await node.command("CLUSTER INFO"), dict[str, str])
