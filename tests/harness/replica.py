"""A fourth node of a cluster, which copies one of the three and may take its place."""

import contextlib

from gateway.embedded.cluster import ClusterNode
from gateway.embedded.endpoint import LOOPBACK
from tests.harness.waiting import until


@contextlib.asynccontextmanager
async def copy_of(node, folder):
    """Run a node that copies one of a cluster's; the others know it."""
    async with ClusterNode(folder, name="redis-4", password=node.password) as replica:
        await replica.command("CONFIG", "SET", "masterauth", node.password)
        await replica.command("CLUSTER MEET", LOOPBACK, node.port)
        of = await node.command("CLUSTER MYID")

        async def knows_it():
            return of in str(await replica.command("CLUSTER NODES"))

        await until(knows_it)
        await replica.command("CLUSTER REPLICATE", of)
        yield replica


async def known_to(nodes, replica):
    """Whether the living nodes have heard of it; a cluster spreads that by gossip."""
    name = await replica.command("CLUSTER MYID")
    return all([name in str(await node.command("CLUSTER NODES")) for node in nodes])


async def in_step(replica):
    """Whether it has all that its primary has."""
    return (await replica.command("INFO", "replication")).get("master_link_status") == "up"
