"""Which nodes of a cluster's maps are closed, and how often a map is gone through."""

import asyncio

from gateway.lanes.slot_map import SlotMap


class Node:
    """One that may have connections."""

    def __init__(self) -> None:
        self.closed = False

    def update_active_connections_for_reconnect(self) -> None:
        """Calls under way would end."""

    async def disconnect_free_connections(self) -> None:
        """Take note."""
        self.closed = True


class Slots(dict):
    """A map that counts how often it is gone through."""

    walks = 0

    def values(self):
        """All of it."""
        self.walks += 1
        return super().values()


class Client:
    """A cluster's client whose reading of the map ends when it is told to."""

    def __init__(self) -> None:
        self.nodes_manager = self
        self.nodes_cache: dict[str, Node] = {}
        self.startup_nodes: dict[str, Node] = {}
        self.told = asyncio.Event()
        self.begin_anew()

    def begin_anew(self) -> Node:
        """Have a map with a node of its own, as redis-py does after a fault."""
        node = Node()
        self.slots_cache = Slots({0: [node], 1: [node]})
        return node

    async def initialize(self) -> None:
        """Wait for it."""
        await self.told.wait()


async def over(slots: SlotMap, client: Client) -> None:
    """Let the reading end."""
    client.told.set()
    assert slots._reading is not None
    await slots._reading


async def test_the_nodes_of_every_map_that_was_replaced_are_closed():
    """Redis-py reads the map, too, and as often as it likes; what it lets go of stays connected."""
    client = Client()
    slots = SlotMap(client)
    replaced = []
    for _ in range(3):
        replaced.append(client.begin_anew())
        slots.look_again()
    current = client.begin_anew()
    await over(slots, client)
    assert [each.closed for each in replaced] == [True] * 3
    assert not current.closed


async def test_faults_by_the_thousand_go_through_a_map_once():
    """They come while Redis is away, when there is enough to do."""
    client = Client()
    slots = SlotMap(client)
    for _ in range(1000):
        slots.look_again()
        await asyncio.sleep(0)
    assert client.slots_cache.walks == 1
    await over(slots, client)
