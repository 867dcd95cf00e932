"""How scripts reach Redis: together, by digest, and with an error for each call of its own."""

import asyncio
import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvloop
from redis.asyncio import RedisCluster
from redis.asyncio.connection import AbstractConnection

from gateway.cli.looping import run
from gateway.cli.redis_health import redis_findings
from gateway.embedded.cluster import EmbeddedRedisCluster
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from gateway.lanes.scripts import RedisScripts, Script, connect, read_script
from tests.harness.waiting import until
from tests.integration.lanes.conftest import World


def script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


async def test_calls_of_one_turn_travel_together_and_get_their_own_answers(scripts, client):
    """A few writes to the socket for all of them; the order does not mix answers up."""
    echo = script("return {tonumber(ARGV[1])}")
    await scripts.run(echo, "k", [0])
    before = (await client.info("stats"))["total_reads_processed"]
    answers = await asyncio.gather(*(scripts.run(echo, "k", [number]) for number in range(100)))
    assert answers == [[number] for number in range(100)]
    assert (await client.info("stats"))["total_reads_processed"] - before <= 10


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
async def test_the_first_calls_of_a_crowd_do_not_wait_for_the_end_of_the_turn(redis_url):
    """Redis works while the process prepares the others."""
    note = script("redis.call('INCR', KEYS[1]) return {}")

    async def crowd():
        async with connect(redis_url) as client:
            scripts = RedisScripts(client)
            await scripts.run(note, "before")
            calls = [asyncio.create_task(scripts.run(note, "in-the-turn")) for _ in range(20)]
            seen = asyncio.create_task(_seen_without_yielding(redis_url, "in-the-turn"))
            await asyncio.gather(*calls)
            await scripts.aclose()
            return await seen

    assert await asyncio.to_thread(run, crowd()) == 16


async def _seen_without_yielding(redis_url, key):
    """Return a number as Redis has it some time after it is there; the loop does nothing else meanwhile."""

    async def seen():
        async with connect(redis_url) as onlooker:
            await until(lambda: onlooker.get(key), within_s=30.0)
            await asyncio.sleep(0.05)
            return int(await onlooker.get(key))

    with ThreadPoolExecutor() as another_thread:
        return another_thread.submit(asyncio.run, seen()).result()


async def test_a_server_that_forgot_the_scripts_learns_them_again(scripts, client):
    """A restart or a fail-over; nobody notices."""
    echo = script("return {tonumber(ARGV[1]) + 1}")
    assert await scripts.run(echo, "k", [1]) == [2]
    await client.script_flush()
    assert await asyncio.gather(*(scripts.run(echo, "k", [number]) for number in (1, 2))) == [[2], [3]]


async def test_a_wrong_script_fails_alone(scripts):
    """The neighbours in the pipeline get their answers."""
    good, bad = script("return {1}"), script("return redis.call('NOSUCHCOMMAND')")
    answers = await asyncio.gather(
        scripts.run(good, "k"), scripts.run(bad, "k"), scripts.run(good, "k"), return_exceptions=True
    )
    assert answers[0] == answers[2] == [1]
    assert isinstance(answers[1], ScriptFailed)


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
async def test_what_cannot_be_written_is_told_to_whoever_asked(scripts, monkeypatch):
    """It is written where an error has no caller: raised there, it would leave whoever waits waiting."""
    echo = script("return {tonumber(ARGV[1])}")
    assert await scripts.run(echo, "k", [1]) == [1]
    with pytest.raises(TypeError):
        await scripts.run(echo, "k", [object()])
    assert await scripts.run(echo, "k", [2]) == [2]
    monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "write", _lost)
    with pytest.raises(RedisUnavailable):
        await scripts.run(echo, "k", [3])


def _lost(*_: object) -> None:
    """Write as uvloop does when the connection was lost."""
    raise RuntimeError("unable to perform operation on <TCPTransport>; the handler is closed")


@pytest.mark.parametrize("ask", ["hash", "memory_id", "take_token"])
async def test_a_cancel_that_comes_as_a_command_is_written_is_heard(scripts, monkeypatch, ask):
    """Lost, it would leave a dispatcher that was told to stop at work: redis-py's `wait_for` keeps it."""
    sound = AbstractConnection._send_packed_command

    async def told_to_stop(self, command):
        await sound(self, command)
        asking.cancel()

    monkeypatch.setattr(AbstractConnection, "_send_packed_command", told_to_stop)
    arguments = {"timeout_s": 0.1} if ask == "take_token" else {}
    asking = asyncio.create_task(getattr(scripts, ask)("k", **arguments))
    await asyncio.wait([asking])
    assert asking.cancelled()


async def test_a_caller_that_gave_up_does_not_disturb_the_others(scripts):
    """A request that was cancelled while its call waited for the turn to end."""
    echo = script("return {tonumber(ARGV[1])}")
    given_up = asyncio.ensure_future(scripts.run(echo, "k", [1]))
    other = asyncio.ensure_future(scripts.run(echo, "k", [2]))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await other == [2]


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
async def test_closing_gives_up_what_waits_for_an_answer(redis_url):
    """Nobody may wait for a connection that is gone."""
    scripts = RedisScripts(connect(redis_url))
    assert await scripts.run(script("return {1}"), "k") == [1]
    asking = asyncio.ensure_future(scripts.run(script("for _ = 1, 1e7 do end return {1}"), "k"))
    for _ in range(2):  # turns: it asks, and what was asked leaves
        await asyncio.sleep(0)
    assert scripts._sending
    await scripts.aclose()
    await asyncio.wait([asking])
    assert asking.cancelled()


async def test_a_redis_that_is_away_is_named_to_every_caller():
    """Nothing listens there."""
    async with connect("redis://127.0.0.1:1") as client:
        scripts = RedisScripts(client)
        answers = await asyncio.gather(
            *(scripts.run(script("return {1}"), "k") for _ in range(3)), return_exceptions=True
        )
        assert [type(each) for each in answers] == [RedisUnavailable] * 3
        with pytest.raises(RedisUnavailable):
            await scripts.hash("k")
        with pytest.raises(RedisUnavailable):
            await scripts.take_token("k", timeout_s=1)
        with pytest.raises(RedisUnavailable):
            await scripts.delete_prefixed("k")


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
async def test_a_full_redis_is_unavailable_not_a_fault_of_ours(scripts, client):
    """-OOM: the write was refused; Postgres still has the message."""
    await client.config_set("maxmemory", "1")
    try:
        with pytest.raises(RedisUnavailable):
            await scripts.run(script("return {redis.call('INCR', KEYS[1])}"), "k")
    finally:
        await client.config_set("maxmemory", "0")


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
async def test_a_demoted_redis_is_unavailable_whatever_it_is_asked(scripts, client):
    """-READONLY ended dispatchers when the answer was to a plain command, whose text redis-py shortens."""
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        with pytest.raises(RedisUnavailable):
            await scripts.run(script("return {redis.call('INCR', KEYS[1])}"), "k")
        with pytest.raises(RedisUnavailable):
            await scripts.take_token("k:wake", timeout_s=1.0)
    finally:
        await client.execute_command("REPLICAOF", "NO", "ONE")


async def test_lanes_work_the_same_on_a_cluster():
    """Every key of a route is in one slot, so three nodes see the same claims as one."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            EmbeddedRedisCluster(Path(folder)) as cluster,
            RedisCluster.from_url(cluster.url) as client,
        ):
            scripts = RedisScripts(client)
            worlds = [World(scripts) for _ in range(6)]
            for world in worlds:
                await world.open()
            entries = [entry for world in worlds for entry in world.entries(10, identity_rate=100.0)]
            assert await worlds[0].lanes.push(entries) == []
            for world in worlds:
                assert await world.lanes.wait_for_work(world.route, 1.0)
                assert len(await world.drain()) == 10


def test_a_script_is_read_from_the_package_with_what_it_shares():
    """The files are packaged, and put together in the order given."""
    text = read_script("gateway.lanes", "structure.lua", "settle.lua").text
    assert text.index("KEYS[1]") < text.index("Forget leases")


@pytest.mark.parametrize("redis_url", ["cluster"], indirect=True)
async def test_a_route_whose_slot_moved_to_another_node_goes_on(world, client):
    """MOVED: the keys went to another node while messages waited; nobody is told but the client."""
    await world.push(*world.entries(20, identity_rate=100.0))
    tag = f"{{r:{world.route}}}"
    slot = client.keyslot(tag)
    source = client.get_node_from_key(tag)
    target = next(node for node in client.get_primaries() if node.name != source.name)
    myid = {
        node.name: (await client.execute_command("CLUSTER MYID", target_nodes=node)).decode()
        for node in (source, target)
    }
    await client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", myid[source.name], target_nodes=target)
    await client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", myid[target.name], target_nodes=source)
    keys = await client.execute_command("CLUSTER GETKEYSINSLOT", slot, 1000, target_nodes=source)
    password = client.connection_kwargs["password"]
    await client.execute_command(
        "MIGRATE", target.host, target.port, "", 0, 5000, "AUTH", password, "KEYS", *keys, target_nodes=source
    )
    for node in (target, source):
        await client.execute_command("CLUSTER SETSLOT", slot, "NODE", myid[target.name], target_nodes=node)
    taken = await world.drain()
    assert len(taken) == 20


async def test_the_doctor_looks_at_every_node(redis_url):
    """One node of a cluster that evicts is enough to lose opt-outs."""
    assert [finding.held for finding in await redis_findings(redis_url)] == [True, True, True]
    async with connect(redis_url) as client:
        await client.ping()
        for node in _nodes(client):
            await client.config_set("maxmemory-policy", "allkeys-lru", **node)
            try:
                assert [finding.held for finding in await redis_findings(redis_url)] == [True, False, True]
            finally:
                await client.config_set("maxmemory-policy", "noeviction", **node)


def _nodes(client):
    """What names each node to redis-py's commands; one Redis needs no name."""
    return (
        [{"target_nodes": each} for each in client.get_nodes()] if isinstance(client, RedisCluster) else [{}]
    )


async def test_every_node_says_its_version(scripts, client):
    """A cluster is as old as its oldest node; redis-py asks one of them."""
    await client.ping()
    versions = await scripts.versions()
    assert len(versions) == len(_nodes(client))
    assert len(set(versions)) == 1


@pytest.mark.parametrize("redis_url", ["one"], indirect=True)
def test_a_connection_lost_unnoticed_is_redis_that_is_away(redis_url):
    """On uvloop, a write after the loss raises RuntimeError: no dispatcher may end of it."""

    async def ask_over_a_lost_connection():
        scripts = RedisScripts(client := connect(redis_url))
        assert await scripts.hash("nothing") == {}
        for connection in client.connection_pool._available_connections:
            connection._writer.transport.abort()
            await asyncio.sleep(0)
            connection.can_read = connection.can_read_destructive = _nothing_to_read
        with pytest.raises(RedisUnavailable):
            await scripts.hash("nothing")
        assert await scripts.hash("nothing") == {}
        await scripts.aclose()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask_over_a_lost_connection())


async def _nothing_to_read(*_: object, **__: object) -> bool:
    """What redis-py's look at an idle connection finds in the instant before the loss is there to see."""
    return False
