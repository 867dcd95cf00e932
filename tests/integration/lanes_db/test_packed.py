"""A rebuild's pages, packed by Postgres, are what the messages one by one would be."""

from uuid import UUID

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from gateway.lanes.entry import Priority, pack_item
from gateway.lanes.lanes import Lanes
from gateway.lanes.packed import PackedFlow, in_chunks, read_page
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message


@pytest.fixture
async def route(worker_pool, worker_engine):
    """Nine messages of two tenants at three priorities."""
    route, made = f"packed-{new_uuid().hex[-6:]}", []
    for weight in (1, 3):
        scope = await enrol(worker_engine, credit=100)
        for number in range(9):
            message = new_message(scope, route=route)
            changes = {
                "priority": Priority(number % 3),
                "parts": number + 1,
                "recipient_hash": bytes([number + 250 - 9] * 8),
                "weight": weight,
            }
            made.append(structs.replace(message, entry=structs.replace(message.entry, **changes)))
    await accept(worker_pool, *made)
    return route, [message.entry for message in made]


async def flows_of(worker_pool, name, size=50_000):
    """Read all pages; the messages of each flow, and what could not be read."""
    found, unreadable, after = {}, [], UUID(int=0)
    async with worker_pool.acquire() as connection, connection.transaction(readonly=True):
        while after is not None:
            page = await read_page(connection, name, after, size=size)
            for flow in page.flows:
                key = flow.newest.tenant_id, flow.newest.priority
                found[key] = found.get(key, b"") + flow.items
            unreadable += page.unreadable
            after = page.last
    return found, unreadable


def packed(entries):
    """Return the same, packed here."""
    found = {}
    for entry in sorted(entries, key=lambda each: each.message_id):
        key = entry.tenant_id, entry.priority
        found[key] = found.get(key, b"") + pack_item(entry, attempt=entry.attempt)
    return found


@pytest.mark.parametrize("size", [1, 4, 50_000])
async def test_postgres_packs_as_the_gateway_does(worker_pool, route, size):
    """However many pages it takes."""
    name, entries = route
    with capture_logs() as lines:
        assert await flows_of(worker_pool, name, size) == (packed(entries), [])
    assert lines == []


@pytest.mark.parametrize(
    "broken",
    ["'{}'", 'lane || \'{"parts": "x"}\'', 'lane || \'{"recipient_hash": "?"}\'', "lane || '{\"parts\": 0}'"],
)
async def test_what_cannot_be_packed_is_told_and_stops_nothing(worker_pool, route, database, broken):
    """Its page is read message by message."""
    name, entries = route
    ill = entries[7].message_id
    await database.execute(f"UPDATE dispatch_queue SET lane = {broken} WHERE message_id = $1", ill)
    expected = packed([entry for entry in entries if entry.message_id != ill])
    with capture_logs() as lines:
        assert await flows_of(worker_pool, name) == (expected, [ill])
    assert "page_not_packed" in [line["event"] for line in lines]


@pytest.mark.parametrize("broken", [False, True], ids=["packed", "one by one"])
async def test_whose_oldest_message_waited_longest_has_the_first_turn(
    worker_pool, worker_engine, database, broken
):
    """Neither the newest message nor the place of a row decides."""
    name = f"packed-{new_uuid().hex[-6:]}"
    early, late = [await enrol(worker_engine, credit=100) for _ in range(2)]
    made = [new_message(scope, route=name) for scope in (early, late, late, early)]
    await accept(worker_pool, *made)
    if broken:
        await database.execute(
            "UPDATE dispatch_queue SET lane = '{}' WHERE message_id = $1", made[2].entry.message_id
        )
    async with worker_pool.acquire() as connection, connection.transaction(readonly=True):
        page = await read_page(connection, name)
    assert [flow.newest.tenant_id for flow in page.flows] == [early.tenant_id, late.tenant_id]


async def test_a_rebuild_queues_every_message_once(worker_pool, route, redis_url):
    """In parts, lane by lane."""
    name, entries = route
    async with connect(redis_url) as client:
        lanes = Lanes(RedisScripts(client))
        assert await rebuild(lanes, worker_pool, name) == len(entries)
        assert sum((await lanes.backlog(name)).values()) == sum(entry.parts for entry in entries)


def test_chunks_hold_what_a_script_may_take_and_lose_nothing(route_free_entry):
    """A long flow is cut."""
    flows = [
        PackedFlow(route_free_entry, bytes([number]) * 28 * count) for number, count in enumerate((5, 1, 7))
    ]
    chunks = list(in_chunks(flows, 4))
    assert [sum(flow.messages for flow in chunk) for chunk in chunks] == [4, 4, 4, 1]
    assert b"".join(f.items for c in chunks for f in c) == b"".join(f.items for f in flows)


@pytest.fixture
def route_free_entry(route):
    """Any entry."""
    return route[1][0]
