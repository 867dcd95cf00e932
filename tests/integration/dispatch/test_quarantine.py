"""Messages that end whoever holds them: taken out after three claims, alone, and everything else goes on."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.carrier.ports import NotSent
from gateway.dispatch.quarantine import MOST_CLAIMS, QuarantineSweep, count_tries, may_try, uncount_tries
from gateway.dispatch.record import NotOpened
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import new_uuid
from tests.harness.ledger import faults
from tests.harness.tenants import accept, enrol, new_message, queue_row, row_of

NONSENSE = {"message_id": "x", "parts": 0}


@pytest.fixture
async def lanes(redis_url):
    """The lanes on the real Redis."""
    async with connect(redis_url) as client:
        yield Lanes(RedisScripts(client))


@pytest.fixture
def sweep(worker_pool, clock):
    """The scheduler's round."""
    return QuarantineSweep(worker_pool, clock)


async def tried(worker_pool, message_id, clock, *, times):
    """Handle a suspect that never has an outcome; the answers of `may_try`."""
    async with worker_pool.acquire() as connection:
        return [await may_try(connection, message_id, now=clock.now()) for _ in range(times)]


async def crafted(database, message_id):
    """Break a message's queue row as no code of ours would."""
    await database.execute(
        "UPDATE dispatch_queue SET lane = $2 WHERE message_id = $1",
        message_id,
        msgspec.json.encode(NONSENSE).decode(),
    )


async def test_a_suspect_is_taken_out_at_its_third_claim_in_vain(
    worker_pool, worker_engine, database, sweep, clock
):
    """Failed with a reason of its own, and the tenant has its credit back."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope))
    assert await tried(worker_pool, message.id, clock, times=MOST_CLAIMS) == [True, True, False]
    assert await sweep.sweep() == 1
    row = await row_of(database, message.id)
    assert (row["status"], row["reason_code"]) == ("failed", "quarantined")
    assert await queue_row(database, message.id) is None
    held = await database.fetchval("SELECT held FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert held == 0
    told = await database.fetch("SELECT type FROM events WHERE message_id = $1", message.id)
    assert "message.failed" in {each["type"] for each in told}
    kept = await database.fetchrow("SELECT * FROM quarantined_messages WHERE message_id = $1", message.id)
    assert (kept["reason"], kept["claims"], kept["attempts"]) == ("claimed_in_vain", 3, 0)
    assert await faults(database) == []


async def test_what_may_be_a_text_already_ends_unknown_and_not_failed(
    worker_pool, worker_engine, database, marked, sweep, clock
):
    """`failed` promises that AWS never took it; after a mark that died nobody can promise that."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope, type="otp"))
    await marked(message.id)
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    await tried(worker_pool, message.id, clock, times=MOST_CLAIMS)
    await sweep.sweep()
    assert (await row_of(database, message.id))["status"] == "unknown"
    assert await faults(database) == []


async def test_what_nobody_leases_is_counted_and_an_outage_is_no_count(
    worker_pool, worker_engine, database, marked
):
    """Without Redis no lease tells of a death; that Postgres was away is no message's doing."""
    scope = await enrol(worker_engine, credit=5)
    waits, left = [message.id for message in await accept(worker_pool, *(new_message(scope) for _ in "ab"))]
    await marked(left)

    async def claims():
        return [(await queue_row(database, each))["claims"] for each in (waits, left)]

    async with worker_pool.acquire() as connection:
        await count_tries(connection, [waits, left])
        assert await claims() == [1, 0]
        for _ in range(2):  # whether the first try was committed is not known
            await uncount_tries(connection, [waits, left])
        assert await claims() == [0, 0]


async def test_an_outcome_begins_the_count_anew(
    worker_pool, worker_engine, database, marked, recorder, clock
):
    """A message that is throttled all day is no danger to anybody."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope))
    await tried(worker_pool, message.id, clock, times=MOST_CLAIMS - 1)
    [mine] = await marked(message.id)
    recorder.put(mine, NotSent(reason="throttled", retry_after_ms=0, fault="throttled"))
    await recorder.drained()
    row = await queue_row(database, message.id)
    assert (row["state"], row["claims"], row["waits_for"]) == ("scheduled", 0, "throttled")


async def test_content_that_cannot_be_opened_is_tried_three_times(
    worker_pool, worker_engine, database, marked, recorder, sweep
):
    """A sealed body that was cut short stays cut short; no call was ever made."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope))
    for _ in range(MOST_CLAIMS):
        await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
        [mine] = await marked(message.id)
        recorder.put(mine, NotOpened())
        await recorder.drained()
    assert (await queue_row(database, message.id))["state"] == "quarantined"
    sweep_later = QuarantineSweep(worker_pool, clock=_Later())
    await sweep_later.sweep()
    assert (await row_of(database, message.id))["reason_code"] == "quarantined"
    reason = await database.fetchval(
        "SELECT reason FROM quarantined_messages WHERE message_id = $1", message.id
    )
    assert reason == "not_opened"


class _Later:
    def now(self):
        """Past every wait of the record."""
        return datetime.now(UTC) + timedelta(minutes=1)


async def test_a_row_that_cannot_be_read_does_not_stop_a_rebuild(
    worker_pool, worker_engine, database, lanes, sweep
):
    """After a loss of Redis a route must not stand still for one crafted row."""
    route = f"crafted-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=5)
    bad, *good = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(4)))
    await crafted(database, bad.id)
    assert await rebuild(lanes, worker_pool, route) == 3
    await asyncio.sleep(1.05)  # the horizon, on Redis's own clock
    claimed = await lanes.claim(route, 10)
    assert {each.message_id for each in claimed.messages} == {message.id for message in good}
    assert (await queue_row(database, bad.id))["state"] == "quarantined"


async def test_a_row_that_cannot_be_read_does_not_stop_the_batch_it_was_queued_with(
    worker_pool, worker_engine, database, lanes, clock
):
    """A scheduled campaign becomes due a thousand at a time; one bad row would hold it for ever."""
    route = f"due-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=5)
    await rebuild(lanes, worker_pool, route)
    fields = {"route": route, "status": "scheduled", "send_at": clock.now()}
    bad, *good = await accept(worker_pool, *(new_message(scope, **fields) for _ in range(4)))
    await crafted(database, bad.id)
    clock.advance(timedelta(seconds=1))
    await Relay(worker_pool, lanes, clock).queue_due()
    assert sum((await lanes.backlog(route)).values()) == len(good)
    assert (await queue_row(database, bad.id))["state"] == "quarantined"


async def test_a_message_that_was_tried_before_goes_to_the_front_of_its_line(
    worker_pool, worker_engine, database, lanes, clock
):
    """Behind its tenant's own campaign a throttled text would lose its place, and perhaps its life."""
    route = f"front-{new_uuid().hex[-6:]}"
    scope = await enrol(worker_engine, credit=9)
    await rebuild(lanes, worker_pool, route)
    first, second, *others = await accept(worker_pool, *(new_message(scope, route=route) for _ in range(5)))
    await lanes.push([message.entry for message in others])
    await database.execute(
        "UPDATE dispatch_queue SET state = 'scheduled', due_at = $2, waits_for = 'throttled'"
        " WHERE message_id = ANY($1)",
        [first.id, second.id],
        clock.now(),
    )
    await Relay(worker_pool, lanes, clock).queue_due()
    await asyncio.sleep(1.05)  # the horizon
    claimed = (await lanes.claim(route, 10)).messages
    assert [each.message_id for each in claimed] == [first.id, second.id, *(each.id for each in others)]
