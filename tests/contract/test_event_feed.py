"""The pull feed under wrong clocks and slow transactions: whoever follows the cursor misses nothing."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec

from gateway.api.lists.feed_horizon import FeedHorizon
from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.messages.outbox import NewEvent, write_events
from gateway.webhooks.announcements import add_event
from tenants import ids
from tenants.ids import created_at, new_uuid
from tests.harness.waiting import until

FIVE_MINUTES_MS = 300_000
MS = timedelta(milliseconds=1)
HOUR_MS = 3_600_000
ADD_BY_THE_MACHINES_CLOCK = """
    INSERT INTO events (id, tenant_id, created_at, type, data) VALUES ($1, $2, $3, 'credits.low', '{}')
"""


class Said(msgspec.Struct):
    """What an event of these tests says."""

    note: str


class Poller:
    """Follows the cursor as a tenant does."""

    def __init__(self, api) -> None:
        self.api, self.after, self.notes = api, None, []

    async def ask(self):
        """Ask once from where it stands; everything that it was ever told."""
        params = {} if self.after is None else {"after": self.after}
        page = (await self.api.get("/v1/events", params=params)).json()
        self.after = page["next_cursor"]
        self.notes += [each["data"].get("note") for each in page["data"]]
        return self.notes

    async def hears(self, note):
        """Ask until it is told."""

        async def told():
            return note in await self.ask()

        await until(told, within_s=150)


async def is_past(database, event_id):
    """Whether Postgres's clock has left the millisecond of an event."""
    return await database.fetchval("SELECT clock_timestamp() > $1", created_at(event_id) + 2 * MS)


async def say(engines, scope, note):
    """Store an event as most of the gateway does."""
    async with worker_transaction(engines["operator"]) as session:
        return await add_event(scope, session, "credits.low", Said(note))


@asynccontextmanager
async def machine_behind(monkeypatch):
    """A machine whose clock is five minutes behind: its ids are."""
    sound = ids.uuid7
    with monkeypatch.context() as patch:
        patch.setattr(ids, "uuid7", lambda: UUID(int=sound().int - (FIVE_MINUTES_MS << 80)))
        yield


async def test_a_machine_whose_clock_is_behind_puts_no_event_behind_a_cursor(
    customer, engines, monkeypatch, database
) -> None:
    """Events get Postgres's instant on both roads; by the machine's own one they would never be listed."""
    scope, poller = customer.scope, Poller(customer.api)
    await say(engines, scope, "before")
    await poller.hears("before")
    async with machine_behind(monkeypatch):
        told = NewEvent(
            tenant_id=scope.tenant_id,
            type="credits.low",
            data=msgspec.Raw(msgspec.json.encode(Said("by a batch"))),
        )
        async with engines["pool"].acquire() as connection:
            await write_events(connection, [told])
        await say(engines, scope, "by a session")
        wrong = new_uuid()
    await database.execute(ADD_BY_THE_MACHINES_CLOCK, wrong, scope.tenant_id, created_at(wrong))
    await say(engines, scope, "after")
    await poller.hears("after")
    assert sorted(poller.notes) == ["after", "before", "by a batch", "by a session"]
    everything = Poller(customer.api)
    await everything.hears("after")
    assert everything.notes[0] is None, "the one with the machine's instant is there, and was never told"


async def test_an_event_of_a_slow_transaction_is_not_stepped_over(customer, world, engines, database) -> None:
    """What commits later and was dated earlier holds back what is younger; by age alone it would be lost."""
    scope, poller = customer.scope, Poller(customer.api)

    async def now():
        return SystemClock().now() + timedelta(seconds=1)

    by_age = type(world)(replace(world.services, feed_until=now))
    async with by_age.client(customer.key) as client:
        hasty = Poller(client)
        async with worker_transaction(engines["operator"]) as session:
            slow = await add_event(scope, session, "credits.low", Said("slow"))
            await until(lambda: is_past(database, slow))
            await say(engines, scope, "quick")
            assert await poller.ask() == []
            assert await hasty.ask() == ["quick"]
        await poller.hears("quick")
        assert poller.notes == ["slow", "quick"]
        assert await hasty.ask() == ["quick"], "the checker finds a feed that goes by age"


async def test_whoever_waits_for_something_rare_keeps_a_young_place(customer, engines, database) -> None:
    """A month was looked through at each question, and after a month of silence the cursor had expired."""
    old = UUID(int=new_uuid().int - (2 * HOUR_MS << 80))
    await database.execute(ADD_BY_THE_MACHINES_CLOCK, old, customer.scope.tenant_id, created_at(old))
    rare, all_ = {"types": "alarm.raised"}, {"types": "alarm.raised,credits.low"}

    async def begun():
        return (await customer.api.get("/v1/events", params=rare)).json()["next_cursor"]

    place = await until(begun, within_s=150)
    assert (await customer.api.get("/v1/events", params=all_ | {"after": place})).json()["data"] == []
    first = (await customer.api.get("/v1/events", params=all_)).json()
    assert [each["timestamp"][:19] for each in first["data"]] == [created_at(old).isoformat()[:19]]
    await say(engines, customer.scope, "news")
    for after in (place, first["next_cursor"]):

        async def heard(params=all_ | {"after": after}):
            return (await customer.api.get("/v1/events", params=params)).json()["data"]

        (told,) = await until(heard, within_s=150)
        assert told["data"]["note"] == "news"


async def test_the_horizon_moves_past_looks_whose_transactions_have_ended(engines, customer) -> None:
    """An event that is not committed holds the horizon before its own instant, and lets go afterwards."""
    horizon = FeedHorizon(engines["pool"], margin=timedelta())
    async with worker_transaction(engines["operator"]) as session:
        event_id = await add_event(customer.scope, session, "credits.low", Said("held"))
        seen = await horizon.until()
        assert seen is None

    async def passed():
        reached = await horizon.until()
        return reached is not None and reached > created_at(event_id)

    await until(passed, within_s=150)


async def test_an_events_millisecond_is_never_before_its_instant(database) -> None:
    """A horizon that was reached in the same millisecond would lie behind it."""
    for _ in range(50):
        before, ms = await database.fetchrow(
            "SELECT clock_timestamp(), timestamptz 'epoch' + tollgate_event_ms() * interval '1 millisecond'"
        )
        assert before <= ms


async def test_events_of_one_batch_keep_their_order_and_their_ids_instant(
    customer, engines, database
) -> None:
    """They share Postgres's millisecond, so their place is in the id; the partition is found by it."""
    places = 300
    events = [
        NewEvent(
            tenant_id=customer.scope.tenant_id,
            type="message.sent" if place % 2 else "message.queued",
            data=msgspec.Raw(msgspec.json.encode(Said(str(place)))),
            sequence=1 + place % 7,
        )
        for place in range(places)
    ]
    async with engines["pool"].acquire() as connection:
        await write_events(connection, events)
    rows = await database.fetch(
        "SELECT id, created_at, data->>'note' AS note FROM events WHERE tenant_id = $1 ORDER BY id",
        customer.scope.tenant_id,
    )
    assert [row["note"] for row in rows] == [str(place) for place in range(places)]
    assert {row["created_at"] for row in rows} == {created_at(rows[0]["id"])}
    assert all(row["id"].version == 7 for row in rows)
