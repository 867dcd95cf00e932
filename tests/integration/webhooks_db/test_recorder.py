"""A sender told to stop: what it has posted is written down, and a database that is away does not keep it."""

import asyncio

import asyncpg

from gateway.webhooks.recorder import Recorder
from tenants.ids import new_uuid
from tests.harness.waiting import until
from tests.harness.webhook_results import result_of

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


async def waits_for_lock(pool):
    """Whether somebody waits for the table."""
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'webhook_attempts'::regclass AND NOT granted"
    return await pool.fetchval(query)
