"""A record that is written twice must not touch the attempt that came after it."""

from datetime import UTC, datetime, timedelta

from gateway.carrier.ports import NotSent
from gateway.dispatch.mark import mark
from gateway.dispatch.record import Recorded, record_batch
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message, queue_row


async def test_a_repeated_record_of_not_sent_leaves_the_next_attempt_alone(
    worker_pool, worker_engine, database
):
    """The answer to its first COMMIT was lost; meanwhile another worker has the text on the wire."""
    scope = await enrol(worker_engine, credit=1)
    [message] = await accept(worker_pool, new_message(scope))
    now, wait = datetime.now(UTC), timedelta(seconds=90)
    async with worker_pool.acquire() as connection:
        [first] = await mark(connection, [message.id], worker=new_uuid(), now=now)
        record = [Recorded(message=first, result=NotSent(reason="throttled", retry_after_ms=0), at=now)]
        await record_batch(connection, record, unknown_wait=wait, now=now)
        await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
        later = now + timedelta(seconds=1)
        assert await mark(connection, [message.id], worker=new_uuid(), now=later)
        await record_batch(connection, record, unknown_wait=wait, now=later)
    assert (await queue_row(database, message.id))["state"] == "dispatching"
