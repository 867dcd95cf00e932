"""Redis may forget everything; the lanes say so and wait to be filled again."""

import asyncio
import itertools

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from gateway.embedded.cluster import EmbeddedRedisCluster
from gateway.embedded.redis import EmbeddedRedis
from gateway.lanes.entry import Priority
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.scripts import RedisScripts, connect
from tests.integration.lanes.conftest import World


async def test_claims_and_pushes_notice_that_the_lanes_are_gone(world, client):
    """After FLUSHALL nothing is claimed, and nothing is queued that a rebuild would queue twice."""
    await world.push(world.entry())
    await client.flushall()
    assert (await world.claim()).epoch_missing
    entry = world.entry()
    assert await world.lanes.push([entry]) == [entry]


async def test_a_rebuild_fills_the_lanes_and_opens_them_one_horizon_later(world, client):
    """What was granted before the loss and what is granted after never meet within a second."""
    await client.flushall()
    assert await world.lanes.begin_rebuild(world.route, "second")
    assert await world.lanes.push(world.entries(3, identity_rate=100.0), rebuild_epoch="second") == []
    assert (await world.claim()).epoch_missing
    world.advance_ms(400)
    assert await world.lanes.finish_rebuild(world.route, "second")
    claimed = await world.claim()
    assert (claimed.messages, claimed.next_open_ms) == ([], 600)
    world.advance_ms(600)
    assert len(await world.drain()) == 3


async def test_only_one_process_rebuilds_at_a_time(world):
    """The second is told so, and its pushes and its end are refused."""
    assert await world.lanes.begin_rebuild(world.route, "mine")
    assert not await world.lanes.begin_rebuild(world.route, "yours")
    entry = world.entry()
    assert await world.lanes.push([entry], rebuild_epoch="yours") == [entry]
    assert not await world.lanes.finish_rebuild(world.route, "yours")
    assert await world.lanes.finish_rebuild(world.route, "mine")


async def test_a_rebuild_begins_with_empty_lanes_and_remembers_what_was_sent(world):
    """A stale replica's lanes go; the debts of the gates stay."""
    await world.push(*world.entries(5, identity_rate=0.2), world.entry(identity=2, priority=Priority.OTP))
    await world.take()
    assert await world.lanes.begin_rebuild(world.route, "again")
    assert await world.lanes.backlog(world.route) == {}
    assert await world.lanes.push([world.entry(identity_rate=0.2)], rebuild_epoch="again") == []
    assert await world.lanes.finish_rebuild(world.route, "again")
    world.advance_ms(1000)
    claimed = await world.claim()
    assert claimed.messages == []
    assert 3_000 < claimed.next_open_ms <= 5_050


async def test_a_message_given_back_after_a_loss_is_left_to_the_rebuild(world, client):
    """Its lane may be filled from Postgres at this moment."""
    await world.push(world.entry())
    [message] = (await world.claim()).messages
    await client.flushall()
    assert not await world.lanes.requeue(message, delay_ms=0)


class Interrupted(RedisScripts):
    """Something happens as the lanes are about to be emptied: the process stood still, or a scan was slow."""

    def __init__(self, client, meanwhile) -> None:
        super().__init__(client)
        self.meanwhile = meanwhile

    async def run(self, script, key, arguments=(), **rest):
        """Let it happen once."""
        if "'SCAN'" in script.text and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super().run(script, key, arguments, **rest)


async def test_whoever_wakes_up_without_the_lock_deletes_nothing_of_what_another_has_filled(world, client):
    """The epoch would stand, so nobody would notice before the audit."""

    async def another_rebuilds():
        await client.delete(f"{key_prefix(world.route)}:rebuild")  # it ran out
        assert await world.lanes.begin_rebuild(world.route, "theirs")
        assert await world.lanes.push([world.entry()], rebuild_epoch="theirs") == []
        assert await world.lanes.finish_rebuild(world.route, "theirs")

    slow = Lanes(Interrupted(client, another_rebuilds), clock_us=lambda: world.now_us)
    assert not await slow.begin_rebuild(world.route, "mine")
    assert sum((await world.lanes.backlog(world.route)).values()) == 1
    world.advance_ms(1000)
    assert len(await world.take()) == 1


async def test_lanes_of_many_keys_are_emptied_to_the_last(world, client):
    """A list that stayed would swallow what is pushed into it: its flow would not be woken."""
    await world.push(*(world.entry(tenant=tenant, identity=tenant) for tenant in range(1, 700)))
    assert await world.lanes.begin_rebuild(world.route, "again")
    left = {name async for name in client.scan_iter(match=f"{key_prefix(world.route)}:*", count=10_000)}
    assert left == {f"{key_prefix(world.route)}:rebuild".encode()}


async def test_a_rebuild_that_is_given_up_can_be_begun_again_at_once(world):
    """By anybody; the lock of one that died is waited for, and only that."""
    assert await world.lanes.begin_rebuild(world.route, "mine")
    await world.lanes.give_up_rebuild(world.route, "mine")
    assert await world.lanes.begin_rebuild(world.route, "yours")
    await world.lanes.give_up_rebuild(world.route, "mine")
    assert await world.lanes.keep_rebuild(world.route, "yours")
    assert not await world.lanes.keep_rebuild(world.route, "mine")


async def test_a_lock_that_could_not_be_given_back_is_taken_over_by_its_process(tmp_path):
    """Redis was away just then; it comes back with the lock, which nobody else may take yet."""
    async with EmbeddedRedis(tmp_path) as server, connect(server.url) as client:
        mine, others = World(RedisScripts(client)), Lanes(RedisScripts(client))
        assert await mine.lanes.begin_rebuild(mine.route, "mine")
        await server.stop()
        await mine.lanes.give_up_rebuild(mine.route, "mine")
        await server.start()
        async with asyncio.timeout(30):
            assert not await others.begin_rebuild(mine.route, "others")
        assert await mine.lanes.begin_rebuild(mine.route, "mine again")
        assert await mine.lanes.finish_rebuild(mine.route, "mine again")


async def test_a_node_that_is_away_stops_no_rebuild_on_another(tmp_path):
    """A route lives on one node; what became of the others says nothing of it."""
    async with EmbeddedRedisCluster(tmp_path) as cluster, connect(f"{cluster.url}?cluster=true") as client:
        for node in cluster.nodes:
            await node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
        world = World(RedisScripts(client))
        world.route = next(
            route
            for route in (f"first-{serial}" for serial in itertools.count())
            if key_slot(key_prefix(route).encode()) < REDIS_CLUSTER_HASH_SLOTS // len(cluster.nodes)
        )
        await world.open()
        await world.push(*world.entries(5))
        await cluster.nodes[-1].stop()
        assert await world.lanes.begin_rebuild(world.route, "again")
        assert await world.lanes.backlog(world.route) == {}
        assert await world.lanes.finish_rebuild(world.route, "again")
