"""Nodes of a cluster that go away, as whoever runs scripts meets it: named, and got over without help."""

import asyncio
import gc
import hashlib
import os
import signal
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.clock import FixedClock
from gateway.embedded.cluster import EmbeddedRedisCluster
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.rebuild import rebuild
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, Script, connect
from tests.harness.replica import copy_of, in_step, known_to
from tests.harness.tenants import accept, enrol, new_message
from tests.harness.waiting import until

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <:pytest.PytestUnraisableExceptionWarning"
)
"""What redis-py forgets of a connection that is closed while it is opened; `swept` closes it."""
ROUTE = "a-route"
TEXT = "return {1}"
SCRIPT = Script(TEXT, hashlib.sha1(TEXT.encode(), usedforsecurity=False).hexdigest())


@pytest.fixture
async def cluster():
    """Three nodes of this test's own."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedRedisCluster(Path(folder)) as cluster:
            yield cluster


@pytest.fixture
async def scripts(cluster):
    """A client that has seen all of them."""
    made = RedisScripts(connect(f"{cluster.url}?cluster=true"))
    assert await made.run(SCRIPT, key_prefix(ROUTE)) == [1]
    yield made
    await made.aclose()
    await swept({node.port for node in cluster.nodes})


async def swept(ports):
    """Close what stands open to the nodes after their client was closed, lest another test be told of it."""
    for each in gc.get_objects():
        if isinstance(each, asyncio.StreamWriter) and (each.get_extra_info("peername") or (0, 0))[1] in ports:
            each.transport.abort()
    await asyncio.sleep(0)
    gc.collect()


def holder(cluster, scripts):
    """The node that has the route."""
    port = scripts._cluster.get_node_from_key(key_prefix(ROUTE)).port
    return next(node for node in cluster.nodes if node.port == port)


async def kill(node):
    """No goodbye."""
    os.kill(node.pid, signal.SIGKILL)
    await node.wait_exited()


async def answers(scripts):
    """Whether the route's node takes scripts."""
    try:
        return await scripts.run(SCRIPT, key_prefix(ROUTE)) == [1]
    except RedisUnavailable:
        return False


@pytest.mark.parametrize("ask", ["claim", "settle", "remembers", "wait"])
async def test_whoever_takes_a_connection_that_is_being_closed_hears_of_no_redis(scripts, ask):
    """
    One call's lost connection closes those that are free; a dispatcher ended of what the next one met.

    How many turns of the loop lie between is chance, so all that may matter are tried.
    """
    lanes = Lanes(scripts)
    calls = {
        "claim": lambda: lanes.claim(ROUTE, 8),
        "settle": lambda: lanes.settle(ROUTE, [uuid4()]),
        "remembers": lambda: lanes.remembers(ROUTE),
        "wait": lambda: lanes.wait_for_work(ROUTE, 0.2),
    }
    for turns in range(4):
        await lanes.claim(ROUTE, 8)
        node = scripts._cluster.get_node_from_key(key_prefix(ROUTE))
        closing = asyncio.create_task(node.disconnect_free_connections())
        for _ in range(turns):
            await asyncio.sleep(0)
        try:
            await calls[ask]()
        except RedisUnavailable:
            assert scripts.connection
        await closing
    await until(lambda: answers(scripts), within_s=30)


async def test_a_cluster_that_is_away_is_named_to_every_caller(cluster, scripts):
    """Accept and dispatch go on without it, which they do for no other error."""
    for node in cluster.nodes:
        await kill(node)
    lanes = Lanes(scripts)
    for ask in (
        lambda: lanes.try_write(ROUTE),
        lambda: lanes.claim(ROUTE, 8),
        lambda: lanes.remembers(ROUTE),
        lambda: lanes.backlog(ROUTE),
        lambda: lanes.wait_for_work(ROUTE, 0.2),
    ):
        for _ in range(2):
            with pytest.raises(RedisUnavailable):
                await ask()
    for node in cluster.nodes:
        await node.start()
    await until(lambda: answers(scripts), within_s=60)


async def test_scripts_find_the_replica_that_took_a_dead_nodes_place(cluster, scripts, tmp_path):
    """The map that is read at once still names the dead one, and scripts meet no MOVED there."""
    node = holder(cluster, scripts)
    async with copy_of(node, tmp_path) as replica:
        await until(lambda: in_step(replica))
        await until(lambda: known_to(cluster.nodes, replica))
        seen = scripts.connection
        await kill(node)
        for _ in range(6):
            assert not await answers(scripts)
            await asyncio.sleep(0.1)
        await replica.command("CLUSTER FAILOVER", "TAKEOVER")
        await until(lambda: answers(scripts), within_s=30)
        assert scripts.connection != seen, "who trusted the dead node's memory must look again"


async def test_a_node_that_is_away_has_no_version_and_hides_no_others(cluster, scripts):
    """The others may still be too old; only where none answers is Redis away."""
    assert len(await scripts.versions()) == len(cluster.nodes)
    gone = holder(cluster, scripts)
    await kill(gone)
    assert len(await scripts.versions()) == len(cluster.nodes) - 1
    for node in cluster.nodes:
        if node is not gone:
            await kill(node)
    with pytest.raises(RedisUnavailable):
        await scripts.versions()


async def test_a_node_that_is_away_holds_up_no_route_of_the_others(
    cluster, scripts, worker_pool, worker_engine
):
    """Its batches are the oldest in each round, and what came due with its messages was queued with them."""
    scope, lanes = await enrol(worker_engine, credit=100), Lanes(scripts)
    dead = holder(cluster, scripts)
    ports = {name: scripts._cluster.get_node_from_key(key_prefix(name)).port for name in map(str, range(20))}
    live = next(name for name, port in ports.items() if port != dead.port)
    for route in (live, ROUTE):
        await rebuild(lanes, worker_pool, route)
    clock = FixedClock(datetime.now(UTC))
    relay = Relay(worker_pool, lanes, clock)
    for _ in range(60):
        await accept(worker_pool, new_message(scope, route=ROUTE))
    later = {"status": "scheduled", "send_at": clock.now() + timedelta(seconds=5)}
    await accept(worker_pool, *(new_message(scope, route=route, **later) for route in (ROUTE, live)))
    await accept(worker_pool, new_message(scope, route=live))
    await dead.stop()
    for _ in range(4):
        clock.advance(timedelta(seconds=10))
        for work in (relay.queue_due, relay.push_left_behind):
            with suppress(RedisUnavailable):
                await work()
    assert list((await lanes.backlog(live)).values()) == [2]
