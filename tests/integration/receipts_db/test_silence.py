"""Messages of which nothing is heard: each id is looked at once, when it is 72 hours old."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from gateway.clock import FixedClock
from gateway.messages.state import lock, save
from gateway.receipts import sweep as sweeping
from gateway.receipts.apply import apply_batch
from gateway.receipts.batch import platform_key
from gateway.receipts.sweep import SILENCE, ReceiptSweep
from tests.harness.receipts import receipt
from tests.harness.stack import SECRET_KEY
from tests.harness.stored import sent
from tests.harness.tenants import accept, enrol, new_message, row_of

KEY = platform_key(SECRET_KEY)
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def later(worker_pool):
    """A function that closes what is silent, so long after now; returns how many were closed."""

    async def swept(after: timedelta) -> int:
        return await ReceiptSweep(worker_pool, FixedClock(datetime.now(UTC) + after), KEY).close_silent()

    return swept


async def some_sent(database, worker_pool, worker_engine, count):
    """Messages that AWS has taken, all at the same instant."""
    scope = await enrol(worker_engine, credit=10_000)
    messages = await accept(worker_pool, *(new_message(scope, price_estimated=1) for _ in range(count)))
    for each in messages:
        await sent(database, each.id)
    await database.execute(
        "UPDATE provider_messages SET known_at = (SELECT max(known_at) FROM provider_messages) "
        "WHERE message_id = ANY($1::uuid[])",
        [each.id for each in messages],
    )
    return messages


async def statuses(database, messages):
    """Of each message."""
    return [(await row_of(database, each.id))["status"] for each in messages]


async def test_more_than_a_page_of_one_instant_ends_whole(
    database, worker_pool, worker_engine, later, monkeypatch
):
    """A page ends between two instants and not within one."""
    monkeypatch.setattr(sweeping, "_LOOKED_AT", 3)
    messages = await some_sent(database, worker_pool, worker_engine, 8)
    assert await later(SILENCE - A_MINUTE) == 0
    assert await statuses(database, messages) == ["sent"] * 8
    assert await later(SILENCE + A_MINUTE) == 8
    assert await statuses(database, messages) == ["unknown"] * 8


async def test_two_sweeps_at_once_close_each_message_once(database, worker_pool, worker_engine, later):
    """Any number of schedulers may run."""
    messages = await some_sent(database, worker_pool, worker_engine, 20)
    closed = await asyncio.gather(*(later(SILENCE + A_MINUTE) for _ in range(3)))
    assert sum(closed) == 20
    told = "SELECT count(*) FROM events WHERE message_id = ANY($1::uuid[]) AND type = 'message.unknown'"
    assert await database.fetchval(told, [each.id for each in messages]) == 20


async def test_what_was_looked_at_is_not_looked_at_again(database, worker_pool, worker_engine, later):
    """A month of messages costs a round nothing: it goes on where the last one ended."""
    await some_sent(database, worker_pool, worker_engine, 3)
    await later(SILENCE + A_MINUTE)
    reached = await database.fetchval("SELECT reached FROM sweeps WHERE name = 'silent'")
    assert reached == await database.fetchval("SELECT max(known_at) FROM provider_messages")
    [young] = await some_sent(database, worker_pool, worker_engine, 1)
    assert await later(SILENCE - A_MINUTE) == 0
    assert await database.fetchval("SELECT reached FROM sweeps WHERE name = 'silent'") == reached
    assert await later(SILENCE + A_MINUTE) == 1
    assert await statuses(database, [young]) == ["unknown"]


async def test_a_sweep_that_is_cut_closes_all_of_a_page_or_nothing(
    database, worker_pool, worker_engine, later, monkeypatch
):
    """How far it came is written with what it did."""
    messages = await some_sent(database, worker_pool, worker_engine, 2)

    async def cut(*_args, **_kwargs):
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(sweeping, "save", cut)
        with pytest.raises(ConnectionResetError):
            await later(SILENCE + A_MINUTE)
    assert await statuses(database, messages) == ["sent"] * 2
    assert await later(SILENCE + A_MINUTE) == 2


async def test_a_text_that_was_sent_again_is_silent_when_its_second_is(
    database, worker_pool, worker_engine, ingest_pool, later
):
    """It is found under both ids, and waits three days for its last one."""
    [message] = await some_sent(database, worker_pool, worker_engine, 1)
    await database.execute(
        "UPDATE provider_messages SET known_at = known_at - interval '2 hours' WHERE message_id = $1",
        message.id,
    )
    async with worker_pool.acquire() as connection, connection.transaction():
        [state] = (await lock(connection, [message.id])).values()
        again = structs.replace(state, provider_message_id="aws-second", other_ids=True)
        await save(connection, [(state, again)], now=datetime.now(UTC))
    assert await later(SILENCE - A_MINUTE) == 0
    assert await statuses(database, [message]) == ["sent"]
    async with ingest_pool.acquire() as connection:
        for name in (f"aws-{message.id}", "aws-second"):
            bare = receipt("PENDING", provider_message_id=name)
            answer = await apply_batch(connection, [bare], now=datetime.now(UTC), platform_key=KEY)
            assert answer == ["applied"], name
    assert await later(SILENCE + A_MINUTE) == 1
    assert await statuses(database, [message]) == ["unknown"]
