"""A message's way from the accept to its receipt touches no index of `messages`, and bad ends are found."""

from datetime import UTC, datetime

import pytest
from msgspec import structs

from gateway.messages.state import lock, save
from gateway.receipts.apply import apply_batch
from gateway.receipts.batch import platform_key
from tests.harness.receipts import receipt
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, new_message, row_of

KEY = platform_key(SECRET_KEY)
_UPDATES = """
    SELECT sum(n_tup_upd) AS updates, sum(n_tup_hot_upd) AS hot FROM pg_stat_xact_user_tables
    WHERE relname LIKE 'messages\\_%'
"""
"""Of the transaction."""


@pytest.fixture
async def message(worker_engine, worker_pool):
    """An accepted message."""
    scope = await enrol(worker_engine, credit=100)
    [made] = await accept(worker_pool, new_message(scope, price_estimated=10))
    return made


async def moved(connection, message, **changes):
    """Change its state."""
    [state] = (await lock(connection, [message.id])).values()
    await save(connection, [(state, structs.replace(state, **changes))], now=datetime.now(UTC))


async def updates_of_a_life(connection, message):
    """Send a message and let its four events come; how many updates that took, and how many were HOT."""
    await moved(connection, message, status="sent", provider_message_id="aws-1", attempts=1)
    for name in ("QUEUED", "PENDING", "SUCCESSFUL", "DELIVERED"):
        event = receipt(name, message_id=message.id, second=5)
        await apply_batch(connection, [event], now=datetime.now(UTC), platform_key=KEY)
    row = await connection.fetchrow(_UPDATES)
    return row["updates"], row["hot"]


async def test_sent_and_delivered_are_hot_updates(worker_pool, message):
    """Each update that is not is an entry in all of the indexes, and a write of each one's page."""
    async with worker_pool.acquire() as connection, connection.transaction():
        updates, hot = await updates_of_a_life(connection, message)
    assert updates >= 3
    assert hot == updates


@pytest.mark.parametrize("on", ["(status)", "(created_at) WHERE status = 'sent'", "(provider_message_id)"])
async def test_an_index_on_what_every_message_changes_is_found_out(database, worker_pool, message, on):
    """As there were three."""
    await database.execute(f"CREATE INDEX broken ON messages {on}")
    try:
        async with worker_pool.acquire() as connection, connection.transaction():
            updates, hot = await updates_of_a_life(connection, message)
    finally:
        await database.execute("DROP INDEX broken")
    assert hot < updates


@pytest.mark.parametrize("status", ["undelivered", "failed", "expired", "unknown", "delivered"])
async def test_a_bad_end_stands_in_its_own_column_until_it_is_corrected(
    database, worker_pool, message, status
):
    """By which a search finds it."""
    async with worker_pool.acquire() as connection, connection.transaction():
        await moved(connection, message, status=status)
    assert (await row_of(database, message.id))["bad_end"] == (None if status == "delivered" else status)
    async with worker_pool.acquire() as connection, connection.transaction():
        await moved(connection, message, status="delivered", sequence=7)
    assert (await row_of(database, message.id))["bad_end"] is None


@pytest.mark.parametrize("written", ["status = 'failed'", "status = 'failed', bad_end = 'expired'"])
async def test_a_bad_end_follows_from_the_status_whoever_writes_it(database, message, written):
    """As processes of the version before do, while versions roll over."""
    await database.execute(f"UPDATE messages SET {written} WHERE id = $1", message.id)
    assert (await row_of(database, message.id))["bad_end"] == "failed"
    await database.execute("UPDATE messages SET bad_end = NULL WHERE id = $1", message.id)
    assert (await row_of(database, message.id))["bad_end"] == "failed"


async def test_an_id_of_aws_is_known_once_whoever_writes_it(database, message):
    """However often the row is written."""
    for written in (
        "attempts = 1",
        "provider_message_id = 'aws-1'",
        "provider_message_id = 'aws-1', attempts = 2",
    ):
        await database.execute(f"UPDATE messages SET {written} WHERE id = $1", message.id)
    rows = await database.fetch("SELECT * FROM provider_messages WHERE message_id = $1", message.id)
    assert [(row["tenant_id"], row["message_at"], row["provider_message_id"]) for row in rows] == [
        (message.tenant_id, (await row_of(database, message.id))["created_at"], "aws-1")
    ]
