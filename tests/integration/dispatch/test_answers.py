"""The dispatcher on its stores: what an answer does to the line behind the message that got it."""

import asyncio
import contextlib
import time
from datetime import timedelta
from types import SimpleNamespace

import asyncpg
import pytest
from redis.asyncio import Redis

from gateway.carrier.lean import outcome_of
from gateway.carrier.ports import NotSent, Refused, Sent
from gateway.dispatch import handover as handover_module
from gateway.dispatch.loop import Dispatcher
from gateway.dispatch.mark import LEASE
from gateway.dispatch.quarantine import QuarantineSweep
from gateway.dispatch.record import Recorder
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts
from gateway.messages.keys import DataKeys
from tenants.ids import new_uuid
from tests.harness.ledger import faults
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, key_of, new_message, queue_row, row_of
from tests.harness.waiting import until

BROKEN_POLICY = NotSent(reason="AccessDeniedException", retry_after_ms=20, fault="account")


class World:
    """One route: its lanes, its relay and its dispatcher, with a carrier that the test scripts."""

    def __init__(self, worker_pool, worker_engine, client, clock, carrier) -> None:
        self.route = f"answers-{new_uuid().hex[-6:]}"
        self.pool, self.engine, self.clock = worker_pool, worker_engine, clock
        self.lanes = Lanes(RedisScripts(client), lease_s=0.5)
        self.relay = Relay(worker_pool, self.lanes, clock)
        self.carrier = carrier
        recorder = Recorder(worker_pool, clock, unknown_wait=timedelta(seconds=90))
        dispatcher = Dispatcher(
            route=self.route,
            carrier=carrier,
            lanes=self.lanes,
            pool=worker_pool,
            keys=DataKeys(worker_pool, SECRET_KEY),
            recorder=recorder,
            clock=clock,
            in_flight=16,
        )
        self.runs = [recorder.run, dispatcher.run]

    async def accept(self, count, **fields):
        """Accept messages of a new tenant and push them, if the lanes are there."""
        scope = await enrol(self.engine, credit=count)
        key = await key_of(self.engine, scope)
        messages = await accept(
            self.pool, *(new_message(scope, route=self.route, data_key=key, **fields) for _ in range(count))
        )
        await self.lanes.push([message.entry for message in messages])
        return messages

    @contextlib.asynccontextmanager
    async def running(self):
        """Dispatch for the length of a block."""
        tasks = [asyncio.create_task(run()) for run in (*self.runs, self._relay)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self):
        while True:
            self.clock.advance(timedelta(milliseconds=50))
            await self.relay.queue_due()
            await asyncio.sleep(0.05)


@pytest.fixture
async def make(worker_pool, worker_engine, redis_url, clock, scripted_carrier):
    """A function from the carrier's answer to a world."""
    async with Redis.from_url(redis_url) as client:

        async def build(answer):
            world = World(worker_pool, worker_engine, client, clock, scripted_carrier(answer))
            await rebuild(world.lanes, worker_pool, world.route)
            return world

        yield build


def taken(text):
    """What AWS says of a text that it took."""
    return Sent(provider_message_id=f"aws-{text.message_id}")


async def statuses(database, messages):
    """The statuses of messages, as a set."""
    rows = await database.fetch(
        "SELECT status FROM messages WHERE id = ANY($1)", [each.id for each in messages]
    )
    return {row["status"] for row in rows}


async def test_a_broken_policy_keeps_every_message_and_calls_aws_a_few_times(make, database):
    """One wrong line in IAM used to fail a queue within seconds."""
    world = await make(lambda _: BROKEN_POLICY)
    messages = await world.accept(60)
    async with world.running():

        async def refused():
            return len(world.carrier.sent) > 0

        await until(refused, within_s=60)
        before = len(world.carrier.sent)
        await asyncio.sleep(1.5)
        assert len(world.carrier.sent) <= max(before, 32)
    assert await statuses(database, messages) == {"queued"}
    reasons = await database.fetch(
        "SELECT DISTINCT waits_for FROM dispatch_queue WHERE route = $1", world.route
    )
    assert {row["waits_for"] for row in reasons} <= {None, "AccessDeniedException"}


async def test_when_the_policy_is_mended_a_probe_finds_out_and_all_leave(make, database):
    """Nobody has to press a button at night."""
    mended = asyncio.Event()
    world = await make(lambda text: taken(text) if mended.is_set() else BROKEN_POLICY)
    messages = await world.accept(40)
    async with world.running():

        async def refused():
            return len(world.carrier.sent) > 0

        await until(refused, within_s=60)
        mended.set()

        async def all_sent():
            return await statuses(database, messages) == {"sent"}

        await until(all_sent)


async def test_a_sender_that_is_not_fit_stops_its_own_line_only(make, database):
    """Another tenant's line of the same route goes on at once."""
    unfit = set()

    def answer(text):
        if text.message_id in unfit:
            return NotSent(reason="RESOURCE_NOT_ACTIVE", retry_after_ms=20, fault="sender")
        return taken(text)

    world = await make(answer)
    stopped = await world.accept(20)
    unfit.update(message.id for message in stopped)
    going = await world.accept(20)
    async with world.running():

        async def others_sent():
            return await statuses(database, going) == {"sent"}

        await until(others_sent, within_s=60)
    assert await statuses(database, stopped) == {"queued"}


async def test_a_refusal_of_the_message_alone_is_final_and_stops_nothing(make, database):
    """An opted-out recipient says nothing about the sender."""
    world = await make(lambda _: Refused(code="opted_out", detail="x"))
    messages = await world.accept(20)
    async with world.running():

        async def all_failed():
            return await statuses(database, messages) == {"failed"}

        await until(all_failed, within_s=60)
    assert await faults(database) == []


async def test_what_was_throttled_is_sent_once_later_and_counts_as_the_first_attempt(make, database):
    """Row 10: requeued, no attempt counted, nothing lost and nothing twice."""
    throttled = set()

    def answer(text):
        if text.message_id.int % 3 == 0 and text.message_id not in throttled:
            throttled.add(text.message_id)
            return NotSent(reason="throttled", retry_after_ms=20, fault="throttled")
        return taken(text)

    world = await make(answer)
    messages = await world.accept(45)
    async with world.running():

        async def all_sent():
            return await statuses(database, messages) == {"sent"}

        await until(all_sent)
    assert throttled
    assert {text.attempt for text in world.carrier.sent} == {1}
    attempts = await database.fetch(
        "SELECT DISTINCT attempts FROM messages WHERE id = ANY($1)", [each.id for each in messages]
    )
    assert [row["attempts"] for row in attempts] == [1]


async def test_a_message_that_lost_its_holder_is_handed_over_alone_and_counted_first(make, database):
    """The count must be there before anything is done that may kill again."""
    world = await make(taken)
    [message] = await world.accept(1)

    async def claimed_and_left():
        return (await world.lanes.claim(world.route, 1)).messages

    await until(claimed_and_left, within_s=60)
    await database.execute("UPDATE dispatch_queue SET claims = 2 WHERE message_id = $1", message.id)
    async with world.running():

        async def taken_out():
            return (await queue_row(database, message.id))["state"] == "quarantined"

        await until(taken_out, within_s=60)
    assert world.carrier.sent == []
    await QuarantineSweep(world.pool, world.clock).sweep()
    assert (await row_of(database, message.id))["reason_code"] == "quarantined"


async def test_a_suspect_that_is_innocent_is_sent(make, database):
    """Whoever was in the hands of a worker that was killed has done nothing wrong."""
    world = await make(taken)
    messages = await world.accept(5)

    async def claimed_and_left():
        return (await world.lanes.claim(world.route, 5)).messages

    await until(claimed_and_left, within_s=60)
    async with world.running():

        async def all_sent():
            return await statuses(database, messages) == {"sent"}

        await until(all_sent, within_s=60)
    assert len(world.carrier.sent) == 5


async def test_a_mark_that_nobody_answered_is_taken_back_and_the_message_sent(make, database, monkeypatch):
    """The connection broke during COMMIT: no call was made, so nothing about it is unknown."""
    real, broken = handover_module.mark, []

    async def breaks_once(connection, ids, **kwargs):
        marked = await real(connection, ids, **kwargs)
        if not broken:
            broken.append(marked)
            raise asyncpg.ConnectionDoesNotExistError("the connection was closed in the middle of operation")
        return marked

    monkeypatch.setattr(handover_module, "mark", breaks_once)
    world = await make(taken)
    messages = await world.accept(10)
    async with world.running():

        async def all_sent():
            return await statuses(database, messages) == {"sent"}

        await until(all_sent, within_s=60)
    assert broken
    assert len(world.carrier.sent) == 10
    assert {text.attempt for text in world.carrier.sent} == {1}


async def test_a_mark_is_taken_back_when_postgres_is_back_after_its_lease(make, database, monkeypatch):
    """No call was made, however long Postgres was away: an advertisement in doubt would be lost."""
    real_mark, real_unmark = handover_module.mark, handover_module.unmark
    away, skipped = [LEASE, LEASE, LEASE], [timedelta(0)]

    async def breaks_once(connection, ids, **kwargs):
        marked = await real_mark(connection, ids, **kwargs)
        if away:
            raise asyncpg.ConnectionDoesNotExistError("the connection was closed in the middle of operation")
        return marked

    async def breaks_again(connection, ids, **kwargs):
        if away:
            skipped.append(away.pop())
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        await real_unmark(connection, ids, **kwargs)

    def monotonic():
        return time.monotonic() + sum(skipped, timedelta(0)).total_seconds()

    monkeypatch.setattr(handover_module, "time", SimpleNamespace(monotonic=monotonic))
    monkeypatch.setattr(handover_module, "mark", breaks_once)
    monkeypatch.setattr(handover_module, "unmark", breaks_again)
    world = await make(taken)
    [message] = await world.accept(1, type="promotional")
    async with world.running():

        async def sent():
            return await statuses(database, [message]) == {"sent"}

        await until(sent, within_s=20)
    assert [text.attempt for text in world.carrier.sent] == [1]


async def test_content_that_does_not_open_stops_nobody_else(make, database):
    """A sealed body that was damaged is that message's alone."""
    world = await make(taken)
    bad, *good = await world.accept(6)
    await database.execute("UPDATE messages SET body_sealed = 'damaged' WHERE id = $1", bad.id)
    async with world.running():

        async def others_sent():
            return await statuses(database, good) == {"sent"}

        await until(others_sent, within_s=60)

        async def set_aside():
            world.clock.advance(timedelta(seconds=5))
            return (await queue_row(database, bad.id))["state"] == "quarantined"

        await until(set_aside, within_s=60)
    assert len(world.carrier.sent) == 5


async def test_a_text_that_aws_took_under_a_name_that_cannot_be_kept_is_sent(make, database):
    """The database refused the whole outcome, so it ended as unknown, as if no attempt had been made."""
    world = await make(lambda _: outcome_of(200, {}, b'{"MessageId": "a\\u0000b"}'))
    messages = await world.accept(2)
    async with world.running():

        async def sent():
            return await statuses(database, messages) == {"sent"}

        await until(sent, within_s=20)
    row = await row_of(database, messages[0].id)
    assert (row["provider_message_id"], row["attempts"]) == ("a\ufffdb", 1)
    assert await queue_row(database, messages[0].id) is None
