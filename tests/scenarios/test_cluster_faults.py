"""One of three Redis nodes dies under load, or gives its slots away: row 14, on a cluster."""

import asyncio
import os
import shutil
import signal

import pytest
from msgspec import structs

from gateway.embedded import EmbeddedRedisCluster
from tenants.ids import encode
from tests.harness.clients import new_clients
from tests.harness.conviction import convicted
from tests.harness.judging import judge
from tests.harness.replica import copy_of, in_step
from tests.harness.waiting import until

RATE = 30
SENDS = 90
FOR_S = float(os.environ.get("SCENARIO_OUTAGE_S", "2"))
TOGETHER_S = 10.0
"""Sixteen sends, four at a time; each would take five seconds if it waited for an answer."""
CLUSTER_GIVES_UP_S = 5.0
"""The nodes' timeout, after which the living ones answer CLUSTERDOWN for every slot."""

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
async def cluster(session_fleet, tmp_path_factory):
    """Three nodes instead of the fleet's one Redis; what runs on either is ended at the change."""
    folder, sound = tmp_path_factory.mktemp("cluster"), session_fleet.settings
    await session_fleet.kill()
    async with EmbeddedRedisCluster(folder) as cluster:
        session_fleet.settings = structs.replace(sound, redis_url=f"{cluster.url}?cluster=true")
        yield cluster
        await session_fleet.kill()
    session_fleet.settings = sound


@pytest.fixture
async def nodes(cluster, fleet):
    """The nodes, all of them up and with nothing to dispatch."""
    for node in cluster.nodes:
        await node.start()
        await node.command("FLUSHALL")
    return cluster


async def holder(cluster, fleet):
    """The node that holds the lanes of the fleet's account."""
    account = await fleet.database.fetchval("SELECT id FROM aws_accounts LIMIT 1")
    slot = await cluster.nodes[0].command("CLUSTER KEYSLOT", f"{{r:{encode('acc', account)}}}")
    share = min(int(slot) * len(cluster.nodes) // 16_384, len(cluster.nodes) - 1)
    return cluster.nodes[share]


async def kill(node):
    """No goodbye."""
    os.kill(node.pid, signal.SIGKILL)
    await node.wait_exited()


async def dies_and_comes_back(_cluster, node):
    """On its append-only file, a moment later."""
    await kill(node)
    await asyncio.sleep(FOR_S)
    await node.start()


async def comes_back_without_memory(cluster, node):
    """Its disk is gone, its place in the cluster is not."""
    await kill(node)
    for path in node.folder.rglob("appendonly*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    await node.start()
    del cluster


async def forgets(_cluster, node):
    """It goes on, and has nothing."""
    await node.command("FLUSHALL")


async def stays_away_until_the_cluster_gives_up(_cluster, node):
    """The living nodes refuse, too: a third of the slots is served by nobody."""
    await kill(node)
    await asyncio.sleep(CLUSTER_GIVES_UP_S + FOR_S)
    await node.start()


FAULTS = {
    each.__name__: each
    for each in (
        dies_and_comes_back,
        comes_back_without_memory,
        forgets,
        stays_away_until_the_cluster_gives_up,
    )
}


async def sending_through(fleet, nodes, fault, *, broken="", within_s=60, pause_s=0.2):
    """Cause the fault in the middle of a burst; the verdict and how many sends were refused."""
    clients = await new_clients(fleet, parts_per_second=RATE)
    await fleet.start("dispatcher")  # builds the lanes, which a broken one cannot
    await clients.send(1, types=["transactional"])
    assert (await judge(fleet, clients)).but_delivered_once() == []
    if broken:
        await fleet.start("dispatcher", broken=broken)
    node = await holder(nodes, fleet)
    sending = asyncio.create_task(clients.send(SENDS, types=["transactional"], pause_s=pause_s))
    await until(lambda: carried(fleet, clients, SENDS // 6))
    await fault(nodes, node)
    await sending
    return await judge(fleet, clients, within_s=within_s), clients.refused


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_node_of_three_is_not_missed(fleet, nodes, fault):
    """Accept goes on throughout, the lanes are built again, and nothing is lost or sent twice."""
    verdict, refused = await sending_through(fleet, nodes, FAULTS[fault])
    assert (verdict.but_delivered_once(), refused) == ([], 0)


async def test_nodes_that_answer_nobody_hold_up_nobody(fleet, nodes):
    """Row 15: they take connections and stand still, so whoever waits for an answer waits for ever."""
    clients = await new_clients(fleet, parts_per_second=RATE)
    await fleet.start("dispatcher")
    await clients.send(1, types=["transactional"])
    for node in nodes.nodes:
        os.kill(node.pid, signal.SIGSTOP)
    try:
        await clients.send(8, types=["transactional"])  # an answer's time passes before it is known
        async with asyncio.timeout(TOGETHER_S):
            await clients.send(16, types=["transactional"], at_once=4)
    finally:
        for node in nodes.nodes:
            os.kill(node.pid, signal.SIGCONT)
    assert ((await judge(fleet, clients)).but_delivered_once(), clients.refused) == ([], 0)


async def test_a_node_that_forgot_and_is_trusted_is_found_out(fleet, nodes):
    """The checker on a build that does not look whose memory answers, nor audits."""

    async def scenario():
        # Without a pause, or little would stand in the line that is forgotten.
        verdict, _ = await sending_through(
            fleet, nodes, forgets, broken="epoch_ignored", within_s=12, pause_s=0.0
        )
        return verdict.broken

    assert await convicted(fleet, scenario, "ended as queued", workers="no_audit")


async def test_a_replica_takes_a_dead_node_s_place(fleet, nodes, tmp_path):
    """The client follows the slots; the lanes are built again, since the memory is another one."""
    node = await holder(nodes, fleet)
    async with copy_of(node, tmp_path) as replica:

        async def fail_over(_nodes, primary):
            assert primary is node
            await until(lambda: in_step(replica))
            await kill(primary)
            await replica.command("CLUSTER FAILOVER", "TAKEOVER")

        verdict, refused = await sending_through(fleet, nodes, fail_over)
    assert (verdict.but_delivered_once(), refused) == ([], 0)


async def carried(fleet, clients, count):
    """Whether the carrier has taken so many of the clients' messages."""
    ours = {ids[0] for ids in clients.accepted.values() if ids}
    return sum(1 for line in fleet.truth() if line["context"].get("tg_m") in ours) >= count
