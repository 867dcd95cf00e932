"""A sender told to stop: what it has posted is written down, and a database that is away does not keep it."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from msgspec import structs
from prometheus_client import REGISTRY

from gateway.webhooks.recorder import Recorder
from gateway.webhooks.results import write_results
from gateway.webhooks.schedule import Failed
from tenants.ids import new_uuid
from tests.harness.waiting import until
from tests.harness.webhook_results import result_of

REFUSED = "tollgate_webhook_results_refused_total"
NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"


async def test_a_result_whose_writing_was_cut_off_is_written_at_the_end(worker_pool, database):
    """Every deploy stops senders; a result that went with the cancelled write would be posted once more."""
    recorder, result = Recorder(worker_pool), result_of(new_uuid())
    running = asyncio.create_task(recorder.run())
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE webhook_attempts IN ACCESS EXCLUSIVE MODE")
        recorder.add(result)
        await until(lambda: waits_for_lock(worker_pool))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await recorder.finish()
    query = "SELECT count(*) FROM webhook_attempts WHERE delivery_id = $1"
    assert await database.fetchval(query, result.delivery.id) == 1


async def test_a_database_that_is_away_does_not_keep_a_sender_from_ending():
    """It tried for ever once, and had to be killed."""
    async with asyncpg.create_pool(NOBODY_LISTENS, min_size=0, max_size=1) as pool:
        recorder = Recorder(pool)
        recorder.add(result_of(new_uuid()))
        await recorder.finish(within_s=0.01)


async def test_a_result_that_postgres_refuses_does_not_hold_up_the_others(worker_pool, database):
    """One was tried again for ever, and what all tenants' endpoints had answered waited behind it."""
    before = REGISTRY.get_sample_value(REFUSED)
    bad = structs.replace(result_of(new_uuid()), at=datetime(2150, 1, 1, tzinfo=UTC))
    good = [result_of(new_uuid()) for _ in range(3)]
    recorder = Recorder(worker_pool)
    for each in (good[0], bad, *good[1:]):
        await owed(database, each.delivery)
        recorder.add(each)
    await recorder.finish(within_s=5)
    assert [(await told(database, each.delivery))["state"] for each in good] == ["delivered"] * 3
    row = await told(database, bad.delivery)
    assert (row["state"], row["attempts"]) == ("delivered", 1), "or it would be posted again each minute"
    assert REGISTRY.get_sample_value(REFUSED) == before + 1


async def test_a_failure_that_is_refused_keeps_its_turns(worker_pool, database):
    """The tenant gets the tries that it was promised, and no others."""
    bad = structs.replace(failed(result_of(new_uuid())), at=datetime(2150, 1, 1, tzinfo=UTC))
    recorder = Recorder(worker_pool)
    await owed(database, bad.delivery)
    recorder.add(bad)
    await recorder.finish(within_s=5)
    row = await told(database, bad.delivery)
    assert (row["state"], row["attempts"], row["error"]) == ("pending", 1, "timeout")
    assert row["next_attempt_at"] > bad.at


async def test_a_delivery_of_which_nothing_else_can_be_written_is_ended(worker_pool, database):
    """What became of its post is lost by a fault of ours; its receiver does not hear of that each minute."""
    result = result_of(new_uuid())
    await owed(database, result.delivery)
    unwritable = structs.replace(result.delivery, attempts=2**15)
    recorder = Recorder(worker_pool)
    recorder.add(structs.replace(result, delivery=unwritable))
    await recorder.finish(within_s=5)
    row = await told(database, result.delivery)
    assert (row["state"], row["error"]) == ("failed", "result_refused")


async def waits_for_lock(pool):
    """Whether somebody waits for the table."""
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'webhook_attempts'::regclass AND NOT granted"
    return await pool.fetchval(query)


def failed(result, **changes):
    """The same post, had it failed; with other members of its delivery, if any."""
    answer = Failed(
        kind="timeout", status=None, retry_after_s=None, detail="", body_excerpt="", duration_ms=15_000
    )
    delivery = structs.replace(result.delivery, **changes)
    return structs.replace(result, delivery=delivery, attempt=answer, reply_sealed=None)


@pytest.mark.parametrize("attempts", [0, 9])
async def test_a_late_word_of_failure_does_not_undo_a_delivery(worker_pool, database, attempts):
    """A sender whose lease ran out while the database was away writes after the one that delivered."""
    good = result_of(new_uuid())
    good = structs.replace(good, delivery=structs.replace(good.delivery, attempts=attempts))
    await owed(database, good.delivery)
    for result in (good, failed(good)):
        async with worker_pool.acquire() as connection, connection.transaction():
            await write_results(connection, [result])
    row = await told(database, good.delivery)
    assert (row["state"], row["attempts"], row["error"]) == ("delivered", attempts + 1, None)


async def test_a_late_word_of_success_counts(worker_pool, database):
    """What the receiver has confirmed is not posted again because another sender's post failed."""
    good = result_of(new_uuid())
    await owed(database, good.delivery)
    for result in (failed(good), failed(good, attempts=1), good):
        async with worker_pool.acquire() as connection, connection.transaction():
            await write_results(connection, [result])
    assert (await told(database, good.delivery))["state"] == "delivered"


async def owed(database, delivery):
    """Have the delivery wait, as it was leased."""
    await database.execute(
        "INSERT INTO webhook_deliveries (tenant_id, id, created_at, endpoint_id, event_id, attempts)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        delivery.tenant_id,
        delivery.id,
        delivery.created_at,
        delivery.endpoint.id,
        delivery.event.id,
        delivery.attempts,
    )


async def told(database, delivery):
    """The delivery's row."""
    return await database.fetchrow("SELECT * FROM webhook_deliveries WHERE id = $1", delivery.id)
