"""The dispatcher beside its stores: how much it has under way, and what a stop leaves."""

import asyncio
import contextlib
import json
from datetime import timedelta

import pytest
from msgspec import structs
from redis.asyncio import Redis

from gateway.carrier.ports import Sent
from gateway.db.transaction import worker_transaction
from gateway.dispatch import call as call_module
from gateway.dispatch import record as record_module
from gateway.dispatch.loop import Dispatcher
from gateway.dispatch.record import Recorder
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.scripts import RedisScripts
from gateway.messages.keys import DataKeys, number_context
from tenants.accounts import service as accounts
from tenants.ids import new_uuid
from tests.harness.nights import night_now
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, key_of, new_message
from tests.harness.waiting import until

ROUTE = "a-route"
IN_FLIGHT = 8


@contextlib.asynccontextmanager
async def dispatching(worker_pool, redis_url, clock, carrier):
    """A dispatcher and its recorder, running; yields the dispatcher's task."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        recorder = Recorder(worker_pool, clock, unknown_wait=timedelta(seconds=90))
        dispatcher = Dispatcher(
            route=ROUTE,
            carrier=carrier,
            lanes=Lanes(RedisScripts(client)),
            pool=worker_pool,
            keys=DataKeys(worker_pool, SECRET_KEY),
            recorder=recorder,
            clock=clock,
            in_flight=IN_FLIGHT,
        )
        tasks = [asyncio.create_task(recorder.run()), asyncio.create_task(dispatcher.run())]
        try:
            yield tasks[1]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def queued(worker_engine, worker_pool, count):
    """Messages that wait in Postgres; the dispatcher fills its lanes from there."""
    scope = await enrol(worker_engine, credit=count)
    key = await key_of(worker_engine, scope)
    await accept(worker_pool, *(new_message(scope, route=ROUTE, data_key=key) for _ in range(count)))


async def states(database):
    """The number of queue rows by state."""
    rows = await database.fetch(
        "SELECT state, count(*) FROM dispatch_queue WHERE route = $1 GROUP BY 1", ROUTE
    )
    return {row["state"]: row["count"] for row in rows}


class Gate:
    """A carrier that holds every call until it is opened, and counts."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.under_way = 0
        self.sent = 0

    async def is_full(self):
        """Whether as many calls wait as may be in flight."""
        return self.under_way == IN_FLIGHT

    async def send(self, text):
        """Wait for the gate."""
        self.under_way += 1
        await self.open.wait()
        self.under_way -= 1
        self.sent += 1
        return Sent(provider_message_id=f"aws-{text.message_id}")


async def test_what_is_marked_never_exceeds_what_may_be_in_flight(
    worker_pool, worker_engine, database, redis_url, clock
):
    """A kill at this moment leaves exactly these unknown, though claims run ahead of calls."""
    await queued(worker_engine, worker_pool, 3 * IN_FLIGHT)
    gate = Gate()
    async with dispatching(worker_pool, redis_url, clock, gate):
        await until(gate.is_full, within_s=60)
        assert await states(database) == {"dispatching": IN_FLIGHT, "queued": 2 * IN_FLIGHT}
        gate.open.set()

        async def empty():
            return not await states(database)

        await until(empty, within_s=60)
    assert gate.sent == 3 * IN_FLIGHT


@pytest.mark.parametrize(("left_s", "ttl_s"), [(0.5, 5), (4.9, 5), (5.0, 5), (7.2, 8)])
async def test_a_message_is_sent_to_the_end_of_its_life(
    worker_pool, worker_engine, redis_url, clock, scripted_carrier, left_s, ttl_s
):
    """AWS takes no less than five seconds, which is also the shortest life that a tenant may ask for."""
    scope = await enrol(worker_engine, credit=1)
    key = await key_of(worker_engine, scope)
    message = new_message(scope, route=ROUTE, data_key=key)
    expires_at = clock.now() + timedelta(seconds=left_s)
    await accept(worker_pool, structs.replace(message, expires_at=expires_at))
    carrier = scripted_carrier(lambda text: Sent(provider_message_id=f"aws-{text.message_id}"))

    async def sent():
        return carrier.sent

    async with dispatching(worker_pool, redis_url, clock, carrier):
        [text] = await until(sent, within_s=60)
    assert text.ttl_s == ttl_s


async def test_what_was_canceled_in_line_takes_none_of_its_rate(
    worker_pool, worker_engine, database, redis_url, clock
):
    """Twenty canceled texts at one in four seconds would hold up the next one for more than a minute."""
    scope = await enrol(worker_engine, credit=22)
    key = await key_of(worker_engine, scope)
    messages = [new_message(scope, route=ROUTE, data_key=key) for _ in range(22)]
    slow = [structs.replace(m, entry=structs.replace(m.entry, identity_rate=0.25)) for m in messages]
    _, *canceled, _ = await accept(worker_pool, *slow)
    gate = Gate()
    gate.open.set()
    async with dispatching(worker_pool, redis_url, clock, gate):
        await until(lambda: _sent(gate, 1), within_s=60)
        await database.execute(
            "DELETE FROM dispatch_queue WHERE message_id = ANY($1::uuid[])", [each.id for each in canceled]
        )
        await until(lambda: _sent(gate, 2), within_s=30)


async def test_what_a_suspended_tenant_has_in_line_takes_none_of_a_number_that_others_share(
    worker_pool, worker_engine, redis_url, clock
):
    """Twenty codes before a text of another tenant's, at one in four seconds; none of them leaves."""
    stopped, other = [await enrol(worker_engine, credit=20) for _ in range(2)]
    number = new_uuid()

    async def in_line(scope, count, kind):
        key = await key_of(worker_engine, scope)
        messages = [new_message(scope, route=ROUTE, data_key=key, type=kind) for _ in range(count)]
        shared = {"identity": number, "identity_rate": 0.25}
        changed = [structs.replace(m, entry=structs.replace(m.entry, **shared)) for m in messages]
        await accept(worker_pool, *changed)

    await in_line(stopped, 20, "otp")
    await in_line(other, 1, "transactional")
    async with worker_transaction(worker_engine) as session:
        await accounts.suspend(stopped, session)
    gate = Gate()
    gate.open.set()
    async with dispatching(worker_pool, redis_url, clock, gate):
        await until(lambda: _sent(gate, 1), within_s=30)
    waiting = "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1"
    assert await worker_pool.fetchval(waiting, other.tenant_id) == 0
    assert await worker_pool.fetchval(waiting, stopped.tenant_id) == 20
    await worker_pool.execute("DELETE FROM dispatch_queue WHERE tenant_id = $1", stopped.tenant_id)


async def test_a_connection_that_was_lost_while_nobody_waited_is_looked_at_before_its_memory_is_trusted(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """A proxy may have gone over to a replica that lags; the next claim would open it without a word."""

    async def rest(self, route, timeout_s):
        await asyncio.sleep(0.01)
        return False

    monkeypatch.setattr(Lanes, "wait_for_work", rest)
    gate = Gate()
    gate.open.set()
    await queued(worker_engine, worker_pool, 1)
    async with dispatching(worker_pool, redis_url, clock, gate), Redis.from_url(redis_url) as other:
        await until(lambda: _sent(gate, 1), within_s=60)
        # Older, as a replica that lags: it has the lanes of another memory, in which a message is missing.
        await other.hset(f"{{r:{ROUTE}}}:epoch", "id", "another.memory")
        await queued(worker_engine, worker_pool, 1)
        await asyncio.sleep(0.3)
        assert gate.sent == 1, "nobody has pushed it"
        await other.client_kill_filter(_type="normal", skipme=True)
        await until(lambda: _sent(gate, 2), within_s=60)


async def _sent(gate, count):
    return gate.sent == count


async def test_records_that_fall_behind_hold_dispatch_back(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """What is sent and not yet on record is unknown after a kill, so it may not grow with the backlog."""
    waiting, longest = 6 * IN_FLIGHT, 4
    monkeypatch.setattr(record_module, "LONGEST_LINE", longest)
    monkeypatch.setattr(record_module, "MAX_BATCH", 2)
    await queued(worker_engine, worker_pool, waiting)
    written, write = asyncio.Event(), record_module.record_batch

    async def late(*arguments, **named):
        await written.wait()
        return await write(*arguments, **named)

    monkeypatch.setattr(record_module, "record_batch", late)
    gate = Gate()
    gate.open.set()
    async with dispatching(worker_pool, redis_url, clock, gate):

        async def held():
            return gate.sent >= longest + IN_FLIGHT

        await until(held, within_s=60)
        await asyncio.sleep(0.3)
        sent, marked = gate.sent, (await states(database))["dispatching"]
        written.set()

        async def empty():
            return not await states(database)

        await until(empty, within_s=60)
    assert (sent, marked) == (longest + IN_FLIGHT, longest + IN_FLIGHT)
    assert gate.sent == waiting


async def test_a_stop_while_records_are_behind_writes_them_all(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """The recorder may be cancelled before the calls that wait for it."""
    monkeypatch.setattr(record_module, "LONGEST_LINE", 2)
    monkeypatch.setattr(record_module, "MAX_BATCH", 2)
    await queued(worker_engine, worker_pool, 2 * IN_FLIGHT)
    gate = Gate()
    async with dispatching(worker_pool, redis_url, clock, gate):
        await until(gate.is_full, within_s=60)
        asyncio.get_running_loop().call_later(0.1, gate.open.set)
    left = await states(database)
    assert set(left) <= {"queued"}
    assert gate.sent + left.get("queued", 0) == 2 * IN_FLIGHT
    await database.execute("DELETE FROM dispatch_queue WHERE route = $1", ROUTE)


async def test_a_stop_ends_what_was_claimed_and_leaves_nothing_unknown(
    worker_pool, worker_engine, database, redis_url, clock
):
    """SIGTERM cancels the dispatcher: every mark has its call, every call its record."""
    await queued(worker_engine, worker_pool, 3 * IN_FLIGHT)
    gate = Gate()
    async with dispatching(worker_pool, redis_url, clock, gate) as running:

        async def begun():
            return gate.under_way > 0

        await until(begun, within_s=60)
        running.cancel()
        asyncio.get_running_loop().call_later(0.1, gate.open.set)
        await asyncio.gather(running, return_exceptions=True)
        left = await states(database)
    assert set(left) <= {"queued"}
    assert gate.sent + left.get("queued", 0) == 3 * IN_FLIGHT
    await database.execute("DELETE FROM dispatch_queue WHERE route = $1", ROUTE)


async def test_a_stop_in_the_middle_of_a_claim_sends_what_it_brings(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """Left in Redis they would be leased to nobody, and half a minute late at every deployment."""
    await queued(worker_engine, worker_pool, IN_FLIGHT)
    brought, go_on, claim = [], asyncio.Event(), Lanes.claim

    async def on_its_way(*arguments, **named):
        claimed = await claim(*arguments, **named)
        if claimed.messages:
            brought.append(len(claimed.messages))
            await go_on.wait()
        return claimed

    async def is_on_its_way():
        return bool(brought)

    monkeypatch.setattr(Lanes, "claim", on_its_way)
    gate = Gate()
    gate.open.set()
    async with dispatching(worker_pool, redis_url, clock, gate) as running:
        await until(is_on_its_way, within_s=60)
        running.cancel()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        await asyncio.gather(running, return_exceptions=True)
        left = await states(database)
    assert (gate.sent, left) == (brought[0], {"queued": IN_FLIGHT - brought[0]})


async def test_a_stop_in_the_middle_of_a_claim_that_redis_breaks_is_heard(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """The static share would go on until Redis is back, and the process with it."""
    asked, go_on, back = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def breaks(*_arguments, **_named):
        asked.set()
        await go_on.wait()
        raise RedisUnavailable("it went away")

    async def stays_away(*_arguments):
        if not back.is_set():
            raise RedisUnavailable("it is away")

    monkeypatch.setattr(Lanes, "remembers", _yes)
    monkeypatch.setattr(Lanes, "claim", breaks)
    monkeypatch.setattr(Lanes, "try_write", stays_away)
    async with dispatching(worker_pool, redis_url, clock, Gate()) as running:
        await asyncio.wait_for(asked.wait(), 60)
        running.cancel()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        ended, _ = await asyncio.wait({running}, timeout=10)
        back.set()
    assert ended == {running}


async def _yes(*_arguments):
    return True


async def test_a_mark_that_is_no_longer_fresh_makes_no_call(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """After a long stop of the process the lease may be over, and another worker at the message."""
    await queued(worker_engine, worker_pool, 1)
    monkeypatch.setattr(call_module, "_MARK_IS_FRESH_S", -1.0)
    gate = Gate()
    gate.open.set()
    async with dispatching(worker_pool, redis_url, clock, gate):

        async def given_back():
            return (await states(database)).get("scheduled")

        await until(given_back, within_s=60)
    assert gate.sent == 0
    await database.execute("DELETE FROM dispatch_queue WHERE route = $1", ROUTE)


async def test_a_fault_that_nobody_expected_ends_the_dispatcher(
    worker_pool, worker_engine, database, redis_url, clock, monkeypatch
):
    """It must be seen and started anew, not claim on with nobody to hand over."""
    await queued(worker_engine, worker_pool, 1)

    async def broken(*_args, **_kwargs):
        raise ValueError("a defect of ours")

    monkeypatch.setattr("gateway.dispatch.handover.mark", broken)
    async with dispatching(worker_pool, redis_url, clock, Gate()) as running:
        with pytest.raises(ValueError, match="a defect of ours"):
            await asyncio.wait_for(running, timeout=60)
    await database.execute("DELETE FROM dispatch_queue WHERE route = $1", ROUTE)


async def test_a_promotional_message_whose_turn_comes_at_night_waits_for_the_morning(
    worker_pool, worker_engine, database, redis_url, clock
):
    """Accepted by day it stood in a long line; the plan is read at the mark, and it is no attempt."""
    scope = await enrol(worker_engine, credit=2)
    key = await key_of(worker_engine, scope)
    sale = new_message(scope, route=ROUTE, data_key=key, type="promotional")
    news = new_message(scope, route=ROUTE, data_key=key, type="transactional")
    number = key.open(sale.to_sealed, context=number_context(sale.id)).decode()
    window = night_now(number)
    await database.execute(
        "UPDATE tenants SET plan = jsonb_set(plan, '{quiet_hours}', $2::text::jsonb) WHERE id = $1",
        scope.tenant_id,
        json.dumps({"policy": "hold", "windows": {sale.country: window}}),
    )
    await accept(worker_pool, sale, news)
    gate = Gate()
    gate.open.set()
    async with dispatching(worker_pool, redis_url, clock, gate):

        async def put_back():
            return await database.fetchrow(
                "SELECT state, attempt, waits_for, due_at FROM dispatch_queue WHERE waits_for IS NOT NULL"
                " AND message_id = $1",
                sale.id,
            )

        row = await until(put_back, within_s=60)

        async def only_one_left():
            return await states(database) == {"scheduled": 1}

        await until(only_one_left, within_s=60)
    assert (row["state"], row["attempt"], row["waits_for"]) == ("scheduled", 0, "quiet_hours")
    assert timedelta(minutes=110) < row["due_at"] - clock.now() <= timedelta(minutes=121)
    assert gate.sent == 1


@pytest.mark.parametrize("key", ["epoch", "ready:1", "wake", "terms", "flight"])
async def test_a_key_that_somebody_else_wrote_holds_nothing_up(
    worker_pool, worker_engine, redis_url, clock, key
):
    """The dispatcher met it again and again, and nothing of the route left until a person came."""
    gate = Gate()
    gate.open.set()
    await queued(worker_engine, worker_pool, 1)
    async with dispatching(worker_pool, redis_url, clock, gate), Redis.from_url(redis_url) as other:
        await until(lambda: _sent(gate, 1), within_s=60)
        await other.set(f"{{r:{ROUTE}}}:{key}", "foreign")
        scripts = RedisScripts(other)
        scope = await enrol(worker_engine, credit=1)
        data_key = await key_of(worker_engine, scope)
        [message] = await accept(worker_pool, new_message(scope, route=ROUTE, data_key=data_key))
        with contextlib.suppress(RedisUnavailable):
            await Lanes(scripts).push([message.entry])
        await until(lambda: _sent(gate, 2), within_s=20)
        await scripts.aclose()
