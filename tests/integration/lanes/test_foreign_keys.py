"""What somebody else wrote under the keys of a route: it ends nothing, and a rebuild takes it away."""

import pytest

from gateway.lanes.entry import DailyCap
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from gateway.lanes.lanes import key_prefix
from gateway.lanes.queues import Queues
from tests.integration.lanes.conftest import World


async def _keys(client, world: World) -> list[bytes]:
    return [name async for name in client.scan_iter(match=f"{key_prefix(world.route)}:*")]


async def _overwrite(client, name: bytes | str) -> None:
    """Let another kind stand there."""
    kind = await client.type(name)
    await client.delete(name)
    await (client.rpush(name, "foreign") if kind == b"string" else client.set(name, "foreign"))


async def test_a_rebuild_takes_away_whatever_is_of_another_kind(world, client):
    """Every key that a route can have here, its lock too; rates and days of before would survive for ever."""
    await world.push(*world.entries(20, identity_rate=50.0))
    assert (await world.claim(3)).messages
    names = await _keys(client, world)
    assert len(names) > 8
    for name in [*names, f"{key_prefix(world.route)}:rebuild"]:
        await _overwrite(client, name)
    with pytest.raises(ScriptFailed):
        await world.claim()
    await world.open()
    await world.push(*world.entries(5, identity_rate=50.0))
    assert len(await world.drain()) == 5


async def test_a_rebuild_takes_away_strings_that_nobody_can_read(world, client):
    """An operator's SET leaves a string a string."""
    world.limit_requests(50)
    caps = (DailyCap("s:one", 100),)
    await world.push(
        *(world.entry(identity_rate=50.0, recipient=each, daily_caps=caps) for each in (1, 2, 3))
    )
    assert (await world.take(1)) != []
    strings = [name for name in await _keys(client, world) if await client.type(name) == b"string"]
    assert {name.rpartition(b"}:")[2].partition(b":")[0] for name in strings} == {b"g", b"d", b"to"}
    for name in strings:
        await client.set(name, "foreign")
    with pytest.raises(ScriptFailed):
        await world.claim()
    await world.open()
    await world.push(*world.entries(5, identity_rate=50.0))
    assert len(await world.drain()) == 5


async def _write_text(client, name: bytes | str) -> None:
    """Let text stand in each field or element that is there, and in one more; the kind stays."""
    match await client.type(name):
        case b"hash":
            for field in [*await client.hkeys(name), "foreign"]:
                await client.hset(name, field, "foreign")
        case b"list":
            for at in range(await client.llen(name)):
                await client.lset(name, at, "foreign")


async def test_a_rebuild_takes_away_text_where_numbers_belong(world, client):
    """The kinds are right, and no script can read what is there: a second's messages, too."""
    world.limit_requests(50)
    caps = (DailyCap("s:one", 100),)
    await world.push(*world.entries(40, identity_rate=20.0, daily_caps=caps))
    assert await world.drain(until_ms=900) != []
    names = await _keys(client, world)
    assert {await client.type(name) for name in names} >= {b"hash", b"list", b"string", b"zset"}
    for name in names:
        await _write_text(client, name)
    with pytest.raises(ScriptFailed):
        await world.claim()
    await world.open()
    await world.push(*world.entries(5, identity_rate=20.0))
    assert len(await world.drain()) == 5


async def test_a_lock_that_never_runs_out_keeps_nobody_from_rebuilding(world, client):
    """Each of ours does; whoever waited for a foreign one would wait for ever."""
    await client.hset(f"{key_prefix(world.route)}:rebuild", mapping={"epoch": "foreign", "begun": "foreign"})
    assert await world.lanes.begin_rebuild(world.route, "ours")


@pytest.mark.parametrize("key", ["backlog", "messages"])
async def test_a_push_that_meets_text_lets_the_route_be_rebuilt(world, client, key):
    """Once in a while: a fault of ours in a script would have the queue read for every push."""
    await world.push(*world.entries(2))
    await _write_text(client, f"{key_prefix(world.route)}:{key}")
    entry = world.entry()
    assert await world.lanes.push([entry]) == [entry]
    assert (await world.claim()).epoch_missing


async def test_figures_that_nobody_can_read_are_an_outage_and_not_a_fault(world, client):
    """Estimates go on by the last ones; who asks for them is told that Redis does not say."""
    await world.push(*world.entries(2))
    for key in ("backlog", "flight", "messages"):
        await client.hset(f"{key_prefix(world.route)}:{key}", "foreign", "foreign")
    for look in (world.lanes.backlog, world.lanes.leased, Queues(world.lanes).of):
        with pytest.raises(ScriptFailed, match=r"what stands at \{r:"):
            await look(world.route)


async def test_a_rebuild_leaves_what_was_sent_in_this_second(world, client):
    """Only what is foreign goes: rates hold over a rebuild."""
    world.limit_requests(50)
    await world.push(*world.entries(3, identity_rate=50.0, daily_caps=(DailyCap("s:one", 100),)))
    await world.take(1)
    kept = {name: await client.type(name) for name in await _keys(client, world)}
    kept = {name: kind for name, kind in kept.items() if kind == b"string" or b"}:w:" in name}
    assert await world.lanes.begin_rebuild(world.route, "again")
    assert {name: await client.type(name) for name in kept} == kept


async def test_a_push_onto_a_foreign_key_is_left_and_lets_the_route_be_rebuilt(world, client):
    """Nothing waits, so no claim comes across it: the dispatchers must learn of it from the push."""
    await client.set(f"{key_prefix(world.route)}:terms", "foreign")
    entry = world.entry()
    assert await world.lanes.push([entry]) == [entry]
    assert (await world.claim()).epoch_missing
    assert not await world.lanes.requeue(entry, delay_ms=0)


async def test_what_redis_refuses_is_told_with_script_and_key(world, client, capsys):
    """Once, however many sends meet it."""
    await client.set(f"{key_prefix(world.route)}:ready:0", "foreign")
    for _ in range(3):
        with pytest.raises(RedisUnavailable, match=rf"WRONGTYPE.*claim\.lua at {{r:{world.route}}}"):
            await world.claim()
    told = [line for line in capsys.readouterr().out.splitlines() if "redis_refused" in line]
    assert len(told) == 1
    assert "tollgate rebuild-redis" in told[0]
