"""What is claimed stays claimed, until it is settled, given back, or its worker is gone."""

import asyncio

from gateway.lanes.lanes import Lanes


async def test_a_claimed_message_is_not_claimed_again(world):
    """Two dispatchers never hold the same lease."""
    await world.push(*world.entries(30, identity_rate=1000.0))
    taken = [
        each.message_id
        for _ in range(40)
        for each in (await world.claim(5)).messages
        if not world.advance_ms(2)
    ]
    assert len(taken) == len(set(taken)) == 30


async def test_a_lease_that_nobody_settled_comes_back_at_the_head_with_its_count(world):
    """A worker died between the claim and the mark in Postgres."""
    first, second = world.entry(identity_rate=100.0), world.entry(identity_rate=100.0)
    await world.push(first, second)
    await world.claim(1)
    world.advance_ms(30_001)
    [message] = (await world.claim(1)).messages
    assert (message.message_id, message.claims) == (first.message_id, 2)


async def test_a_lease_that_ran_out_counts_in_the_backlog_again(world):
    """Also while its gate is still closed."""
    await world.push(world.entry(parts=3, identity_rate=0.05))
    await world.claim()
    assert await world.lanes.backlog(world.route) == {}
    world.advance_ms(30_001)
    assert (await world.claim()).messages == []
    assert sum((await world.lanes.backlog(world.route)).values()) == 3


async def test_a_settled_lease_does_not_come_back(world):
    """The mark in Postgres holds the message from then on."""
    await world.push(world.entry())
    await world.take()
    world.advance_ms(60_000)
    claimed = await world.claim()
    assert (claimed.messages, claimed.next_open_ms) == ([], None)


async def test_a_message_given_back_comes_first_and_later_with_its_new_attempt(world):
    """A throttle by AWS: not sent, try again after the delay."""
    entry = world.entry(identity_rate=100.0)
    await world.push(entry, *world.entries(3, identity_rate=100.0))
    [message] = await world.take(1)
    assert await world.lanes.requeue(message, delay_ms=500, attempt=2)
    assert entry.message_id not in {each.message_id for each in await world.take()}
    world.advance_ms(500)
    [again] = await world.take(1)
    assert (again.message_id, again.attempt, again.claims) == (entry.message_id, 2, 1)


async def test_a_message_given_back_without_delay_is_claimable_at_once(world):
    """A dispatcher that stops returns what it did not start."""
    await world.push(world.entry(identity_rate=1000.0))
    [message] = (await world.claim()).messages
    assert await world.lanes.requeue(message, delay_ms=0)
    assert sum((await world.lanes.backlog(world.route)).values()) == 1
    world.advance_ms(2)
    assert [each.message_id for each in (await world.claim()).messages] == [message.message_id]


async def test_a_push_wakes_a_dispatcher_that_sleeps(world):
    """An idle route costs no polling, and a first message no delay."""
    waiting = asyncio.create_task(world.lanes.wait_for_work(world.route, 5.0))
    await asyncio.sleep(0)
    await world.push(world.entry())
    assert await waiting


async def test_a_sleep_without_work_ends_at_its_timeout(world):
    """The dispatcher looks at least that often."""
    assert not await world.lanes.wait_for_work(world.route, 0.05)


async def test_the_clock_of_a_route_never_goes_back(world, scripts, client):
    """The server's clock was set back an hour: gates and leases go on from where they were."""
    lanes = Lanes(scripts)
    assert await lanes.begin_rebuild(world.route, "real")
    assert await lanes.finish_rebuild(world.route, "real")
    key = f"{{r:{world.route}}}:epoch"
    seconds, micros = await client.time()
    ahead = (seconds + 3600) * 1_000_000 + micros
    await client.hset(key, mapping={"last": ahead, "opens": 0})
    assert await lanes.push([world.entry(identity_rate=10.0), world.entry(identity_rate=10.0)]) == []
    assert len((await lanes.claim(world.route, 10)).messages) == 1
    assert int(await client.hget(key, "shift")) > 3_500_000_000
    assert (await lanes.claim(world.route, 10)).next_open_ms <= 103
