"""Cancelling what may have left already."""

from datetime import UTC, datetime

from gateway.intake.cancel import cancel_message
from gateway.intake.outcome import Declined
from tests.harness.tenants import accept, enrol, key_of, new_message


async def test_a_message_that_waits_for_its_resend_cannot_be_canceled(worker_pool, worker_engine, database):
    """Its first attempt has no answer: a text that may have arrived must not end as canceled and free."""
    scope = await enrol(worker_engine, credit=1)
    key = await key_of(worker_engine, scope)
    [message] = await accept(worker_pool, new_message(scope, data_key=key))
    await database.execute(
        "UPDATE dispatch_queue SET state = 'scheduled', attempt = 1, due_at = now() WHERE message_id = $1",
        message.id,
    )
    await database.execute("UPDATE messages SET status = 'dispatching' WHERE id = $1", message.id)
    answer = await cancel_message(worker_pool, scope, message.id, key, datetime.now(UTC))
    assert isinstance(answer, Declined)
