"""Redis may forget everything; the lanes say so and wait to be filled again."""

from gateway.lanes.entry import Priority


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
