"""
Which node of a cluster has which slots, read again after every fault.

redis-py reads the map anew when a plain command meets a lost connection, and after a MOVED. A pipeline that
meets one asks the same address again, for ever if a replica has taken its place. What reads the map here runs
beside the calls: they fail as they would, and one of the next goes to the right node.

A map that is read anew has new objects for the same nodes, and redis-py closes neither those it had before
nor, in the end, those that it has; that is done here, too.
"""

import asyncio
import time
from itertools import chain
from typing import Final

import structlog
from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode

_log = structlog.get_logger(__name__)

_READ_EVERY_S: Final = 0.25


class SlotMap:
    """One cluster's, as a client has it."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        self._nodes: dict[int, ClusterNode] = {}
        """Those that may have connections, by identity: two that stand for one node are equal."""
        self._noted: object = None
        """The map whose nodes are among them."""
        self._reading: asyncio.Task[None] | None = None
        self._read_at = float("-inf")

    def look_again(self) -> None:
        """Read the map in the background, unless that was begun a moment ago."""
        self._note()
        if self._reading is None and time.monotonic() - self._read_at > _READ_EVERY_S:
            self._read_at = time.monotonic()
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def aclose(self) -> None:
        """Give up what is under way, and close what a client that lost a node leaves open."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await asyncio.gather(
            *(node.disconnect() for node in (self._nodes | self._in_use()).values()), return_exceptions=True
        )

    async def _read(self) -> None:
        try:
            await self._client.nodes_manager.initialize()
            await self._close_replaced()
        except Exception as error:  # noqa: BLE001 - the next fault asks again; who called hears of his own
            _log.warning("cluster_slots_not_read", error=str(error) or type(error).__name__)
        finally:
            self._reading = None

    async def _close_replaced(self) -> None:
        """Let calls under way end on the connections that they have."""
        current = self._in_use()
        replaced = [node for number, node in self._nodes.items() if number not in current]
        self._nodes = current
        for node in replaced:
            node.update_active_connections_for_reconnect()
            await node.disconnect_free_connections()

    def _note(self) -> None:
        """
        Remember the nodes of a map that is new; a fault stands before each that redis-py puts in its place.

        A map has 16,384 slots, and faults come by the thousand. What changes within one is a node that
        redis-py keeps, or closes itself.
        """
        current = self._client.nodes_manager.slots_cache
        if current is not self._noted:
            self._nodes |= self._in_use()
            self._noted = current

    def _in_use(self) -> dict[int, ClusterNode]:
        manager = self._client.nodes_manager
        nodes = chain(
            chain.from_iterable(manager.slots_cache.values()),
            manager.nodes_cache.values(),
            manager.startup_nodes.values(),
        )
        return {id(node): node for node in nodes}
