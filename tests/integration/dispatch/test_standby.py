"""Redis goes away and comes back under two dispatchers: accepted texts leave all the same, once each."""

import asyncio
import contextlib
import time
from datetime import timedelta

import pytest

from gateway.carrier.ports import Sent
from gateway.clock import SystemClock
from gateway.dispatch.candidates import Candidates
from gateway.dispatch.loop import Dispatcher
from gateway.dispatch.record import Recorder
from gateway.dispatch.room import Room
from gateway.dispatch.roster import FRESH_S, LIVE_S, SETTLED_S, Roster
from gateway.dispatch.standby import Standby
from gateway.dispatch.turns import STATIC_LATE_S, StaticTurns
from gateway.embedded.redis import EmbeddedRedis
from gateway.faultpoints import FaultPoint, arm
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, connect
from gateway.messages.keys import DataKeys
from gateway.rounds import Round, run_rounds
from tenants.ids import new_uuid
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, key_of, new_message
from tests.harness.waiting import until


class Carrier:
    """Takes everything and keeps when."""

    def __init__(self) -> None:
        self.taken = []

    async def send(self, text):
        """Take a text."""
        self.taken.append((time.monotonic(), text.message_id))
        return Sent(provider_message_id=f"aws-{text.message_id}")


def _scheduling(relay):
    """The scheduler's rounds: what missed its instant on a full machine is queued again."""
    return [
        Round(name="queue_due", every_s=0.25, work=relay.queue_due),
        Round(name="push_left_behind", every_s=1.0, work=relay.push_left_behind),
    ]


@contextlib.asynccontextmanager
async def dispatching(route, url, pool, carrier):
    """One dispatcher with its own connections, as a process has it, and a scheduler beside it."""
    clock = SystemClock()
    async with connect(url) as client:
        recorder = Recorder(pool, clock, unknown_wait=timedelta(seconds=90))
        dispatcher = Dispatcher(
            route=route,
            carrier=carrier,
            lanes=Lanes(RedisScripts(client)),
            pool=pool,
            keys=DataKeys(pool, SECRET_KEY),
            recorder=recorder,
            clock=clock,
            in_flight=32,
        )
        running = (
            recorder.run(),
            dispatcher.run(),
            run_rounds(_scheduling(Relay(pool, Lanes(RedisScripts(client)), clock))),
        )
        tasks = [asyncio.create_task(each) for each in running]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def sent(database, scope):
    """How many of the tenant's messages AWS has taken, as far as is recorded."""
    return await database.fetchval(
        "SELECT count(*) FROM messages WHERE tenant_id = $1 AND status = 'sent'", scope.tenant_id
    )


def most_in_a_second(instants):
    """The most calls in any sliding second."""
    return max(sum(1 for each in instants if at <= each < at + 1) for at in instants)


async def test_without_redis_texts_leave_at_a_static_share_and_come_back_to_the_lanes_after(
    worker_pool, worker_engine, database, tmp_path
):
    """Row 15: nothing lost, nothing twice, the lane's rate kept by two processes without a common counter."""
    route, carrier, rate = f"standby-{new_uuid().hex[-6:]}", Carrier(), 20.0
    scope = await enrol(worker_engine, credit=400)
    key = await key_of(worker_engine, scope)

    async def more(count):
        made = [new_message(scope, route=route, data_key=key) for _ in range(count)]
        await accept(worker_pool, *made)
        await database.execute(
            "UPDATE dispatch_queue SET lane = jsonb_set(lane, '{identity_rate}', to_jsonb($2::float8))"
            " WHERE route = $1",
            route,
            rate,
        )

    async def sent_in_all(count):
        async def is_sent():
            return await sent(database, scope) == count

        await until(is_sent)

    async with EmbeddedRedis(tmp_path) as server:
        await more(10)
        async with (
            dispatching(route, server.url, worker_pool, carrier),
            dispatching(route, server.url, worker_pool, carrier),
        ):
            await sent_in_all(10)
            await server.stop()
            await more(50)
            await sent_in_all(60)
            # One message more by the turns, and what calls of the tenth before may be late.
            assert most_in_a_second([at for at, _ in carrier.taken[10:]]) <= rate + 1 + rate * STATIC_LATE_S
            await more(5)
            await server.start()
            await sent_in_all(65)
            await asyncio.sleep(SETTLED_S + 0.5)
            modes = await database.fetch("SELECT mode FROM dispatchers WHERE route = $1", route)
            assert [row["mode"] for row in modes] == ["lanes", "lanes"]
    ids = [message_id for _, message_id in carrier.taken]
    assert len(ids) == len(set(ids)) == 65
    assert await database.fetchval("SELECT count(*) FROM dispatchers WHERE route = $1", route) == 0


NO_REDIS = "redis://127.0.0.1:1"


@contextlib.contextmanager
def slow_marks(*, ms):
    """Let each mark take so long until it is committed."""
    arm(f"{FaultPoint.WORKER_AFTER_MARK}:sleep={ms}")
    try:
        yield
    finally:
        arm("")


async def test_a_short_absence_changes_nothing(worker_pool, worker_engine, database, tmp_path):
    """A fail-over within a second must not cost a rest of seconds."""
    route, carrier = f"blip-{new_uuid().hex[-6:]}", Carrier()
    scope = await enrol(worker_engine, credit=20)
    key = await key_of(worker_engine, scope)
    async with (
        EmbeddedRedis(tmp_path) as server,
        dispatching(route, server.url, worker_pool, carrier),
    ):
        await asyncio.sleep(1.5)
        await server.stop()
        await server.start()
        await accept(worker_pool, *(new_message(scope, route=route, data_key=key) for _ in range(5)))

        async def all_sent():
            return await sent(database, scope) == 5

        await until(all_sent)
        mode = await database.fetchval("SELECT mode FROM dispatchers WHERE route = $1", route)
        assert mode == "lanes"


class Away:
    """Lanes that take no writes until they are told to."""

    def __init__(self, requests_per_second=0.0) -> None:
        self.back = asyncio.Event()
        self.requests_per_second = requests_per_second

    async def try_write(self, _):
        """Refuse while away."""
        if not self.back.is_set():
            raise RedisUnavailable("away")

    def request_period_us(self, _):
        """Return the quota of the moment."""
        return 1_000_000 / self.requests_per_second if self.requests_per_second else 0


class Begun:
    """A hand-over that keeps what it was given."""

    marking = False

    def __init__(self) -> None:
        self.ids = []

    async def able(self):
        """Be so at once."""

    def begin(self, taken):
        """Keep the ids."""
        self.ids += [message.message_id for message in taken]


@contextlib.asynccontextmanager
async def standing_by(route, pool, lanes, begun):
    """A standby with its entry in the roster, and nothing that it hands over to."""
    roster = Roster(pool, route)
    standby = Standby(
        route=route,
        lanes=lanes,
        roster=roster,
        turns=StaticTurns(roster, lambda: lanes.request_period_us(route)),
        candidates=Candidates(pool, route, SystemClock()),
        room=Room(1000),
        handover=begun,
        patience_s=0,
    )
    keeping = asyncio.create_task(standby.keep_roster())
    try:
        yield standby
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def away_until(standby, lanes, condition):
    """Be without Redis until something is so."""
    lanes.back.clear()
    serving = asyncio.create_task(standby.serve())
    await until(condition)
    lanes.back.set()
    await serving


async def test_what_an_outage_left_behind_takes_no_share_of_the_next(
    worker_pool, worker_engine, database, route
):
    """The lanes have sent it; its turns would pass for nothing, and the new would wait behind it."""
    scope = await enrol(worker_engine, credit=400)
    key = await key_of(worker_engine, scope)
    lanes, begun = Away(), Begun()
    async with standing_by(route, worker_pool, lanes, begun) as standby:
        await accept(worker_pool, *(new_message(scope, route=route, data_key=key) for _ in range(250)))
        await away_until(standby, lanes, has(begun, 1))
        await database.execute("DELETE FROM dispatch_queue WHERE route = $1", route)
        begun.ids.clear()
        fresh = await accept(worker_pool, *(new_message(scope, route=route, data_key=key) for _ in range(3)))
        await away_until(standby, lanes, has(begun, 2))
    assert set(begun.ids) <= {message.id for message in fresh}


async def test_the_accounts_quota_of_the_moment_is_kept(worker_pool, worker_engine, route):
    """It is read again every few seconds; the one of the dispatcher's start may be ten times as high."""
    scope = await enrol(worker_engine, credit=400)
    key = await key_of(worker_engine, scope)
    lanes, begun = Away(), Begun()
    async with standing_by(route, worker_pool, lanes, begun) as standby:
        lanes.requests_per_second = 2.0
        await accept(worker_pool, *(new_message(scope, route=route, data_key=key) for _ in range(30)))
        await away_until(standby, lanes, has(begun, 3))
    assert len(begun.ids) <= 6


def has(begun, count):
    """Return whether so many were handed over."""

    async def enough():
        return len(begun.ids) >= count

    return enough


@pytest.fixture
def route():
    """A route of this test's own."""
    return f"roster-{new_uuid().hex[-6:]}"


class Time:
    """A monotonic clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


async def settled(roster, clock, *, seconds=SETTLED_S + 0.6):
    """Beat for so long, as a live dispatcher does."""
    view = await roster.beat()
    for _ in range(round(seconds / 0.5)):
        clock.now += 0.5
        view = await roster.beat()
    return view


async def test_nobody_shares_while_somebody_goes_by_the_lanes(worker_pool, route):
    """Only some of them may have lost Redis; the others use the whole rate."""
    clock = Time()
    mine, other = Roster(worker_pool, route, monotonic=clock), Roster(worker_pool, route)
    mine.mode = "static"
    await other.beat()
    view = await settled(mine, clock)
    assert not view.may_share(clock.now)
    other.mode = "static"
    await other.beat()
    assert (await settled(mine, clock)).may_share(clock.now)


async def test_a_newcomer_waits_until_the_others_have_seen_it(worker_pool, route):
    """Until then they divide the rates among fewer."""
    clock = Time()
    mine = Roster(worker_pool, route, monotonic=clock)
    mine.mode = "static"
    view = await mine.beat()
    assert not view.may_share(clock.now)
    assert (await settled(mine, clock)).may_share(clock.now)
    newcomer = Roster(worker_pool, route, monotonic=clock)
    newcomer.mode = "static"
    assert not (await newcomer.beat()).may_share(clock.now)
    view = await mine.beat()
    assert view.place.count == 2
    assert not view.may_share(clock.now)


async def test_whoever_was_stopped_does_not_send_by_what_it_saw_before(worker_pool, route):
    """After a SIGCONT its view is old, and the others may have divided its share among themselves."""
    clock = Time()
    mine = Roster(worker_pool, route, monotonic=clock)
    mine.mode = "static"
    view = await settled(mine, clock)
    clock.now += FRESH_S
    assert not view.may_share(clock.now)
    assert not (await mine.beat()).may_share(clock.now)


async def test_a_dead_dispatcher_is_counted_until_it_is_certain(worker_pool, database, route):
    """Its last calls may still be under way."""
    mine, dead = Roster(worker_pool, route), Roster(worker_pool, route)
    await dead.beat()
    assert (await mine.beat()).place.count == 2
    await database.execute(
        "UPDATE dispatchers SET seen_at = seen_at - make_interval(secs => $2) WHERE worker = $1",
        dead.worker,
        LIVE_S,
    )
    assert (await mine.beat()).place.count == 1


async def test_slow_marks_slow_the_static_share_and_do_not_stop_it(worker_pool, worker_engine, database):
    """Commits that take most of a second: each message leaves in a turn of its dispatcher's all the same."""
    route, carrier, rate = f"slow-{new_uuid().hex[-6:]}", Carrier(), 20.0
    scope = await enrol(worker_engine, credit=400)
    key = await key_of(worker_engine, scope)
    await accept(worker_pool, *(new_message(scope, route=route, data_key=key) for _ in range(40)))
    await database.execute(
        "UPDATE dispatch_queue SET lane = jsonb_set(lane, '{identity_rate}', to_jsonb($2::float8))"
        " WHERE route = $1",
        route,
        rate,
    )

    async def all_sent():
        return await sent(database, scope) == 40

    with slow_marks(ms=700):
        async with (
            dispatching(route, NO_REDIS, worker_pool, carrier),
            dispatching(route, NO_REDIS, worker_pool, carrier),
        ):
            await until(all_sent, within_s=60)
    assert most_in_a_second([at for at, _ in carrier.taken]) <= rate + 1 + rate * STATIC_LATE_S
    assert len({message_id for _, message_id in carrier.taken}) == 40
