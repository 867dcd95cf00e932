"""Cancel against dispatch: the queue row decides, and whoever loses is told the truth."""

import asyncio
from datetime import UTC, datetime, timedelta

from gateway.dispatch.mark import mark
from gateway.intake.cancel import cancel_message
from gateway.intake.outcome import Declined
from gateway.messages.view import MessageView
from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tests.harness.ledger import faults
from tests.harness.tenants import accept, enrol, key_of, new_message, row_of

NOW = datetime.now(UTC)


async def test_a_cancel_and_a_mark_at_once_have_one_winner(worker_pool, database, worker_engine):
    """Sixty races: either it is canceled and never sent, or sent and the cancel is declined."""
    scope = await enrol(worker_engine, credit=100)
    key = await key_of(worker_engine, scope)
    messages = await accept(worker_pool, *(new_message(scope, data_key=key) for _ in range(60)))

    async def marked(message):
        async with worker_pool.acquire() as connection:
            return bool(await mark(connection, [message.id], worker=new_uuid(), now=NOW))

    async def race(message):
        return await asyncio.gather(cancel_message(worker_pool, scope, message.id, key, NOW), marked(message))

    outcomes = await asyncio.gather(*(race(message) for message in messages))
    for message, (answer, sent) in zip(messages, outcomes, strict=True):
        assert isinstance(answer, Declined) == sent
        assert (await row_of(database, message.id))["status"] == ("queued" if sent else "canceled")
    assert await faults(database) == []
    held = await database.fetchval("SELECT held FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert held == sum(sent for _, sent in outcomes)


async def test_canceling_twice_at_once_releases_once(worker_pool, database, worker_engine):
    """A double click must not pay back twice."""
    scope = await enrol(worker_engine, credit=1)
    key = await key_of(worker_engine, scope)
    [message] = await accept(worker_pool, new_message(scope, data_key=key))
    answers = await asyncio.gather(
        *(cancel_message(worker_pool, scope, message.id, key, NOW) for _ in range(8))
    )
    assert {answer.status for answer in answers} == {"canceled"}
    events = await database.fetchval(
        "SELECT count(*) FROM events WHERE type = 'message.canceled' AND message_id = $1", message.id
    )
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", scope.tenant_id
    )
    assert (events, dict(balance)) == (1, {"posted": 1, "held": 0})


async def test_a_message_of_someone_else_or_of_the_other_mode_is_not_there(worker_pool, worker_engine):
    """A foreign id and a test key's view of a live message are both nothing."""
    owner, stranger = await enrol(worker_engine, credit=5), await enrol(worker_engine)
    key = await key_of(worker_engine, owner)
    [message] = await accept(worker_pool, new_message(owner, data_key=key))
    other_mode = TenantScope(tenant_id=owner.tenant_id, live=False)
    assert await cancel_message(worker_pool, stranger, message.id, key, NOW) is None
    assert await cancel_message(worker_pool, other_mode, message.id, key, NOW) is None
    assert isinstance(await cancel_message(worker_pool, owner, message.id, key, NOW), MessageView)


async def test_a_scheduled_message_is_canceled_before_its_time(worker_pool, database, worker_engine):
    """The hold of a message that never left comes back whole."""
    scope = await enrol(worker_engine, credit=3)
    key = await key_of(worker_engine, scope)
    later = new_message(
        scope, data_key=key, price_estimated=3, status="scheduled", send_at=NOW + timedelta(hours=1)
    )
    await accept(worker_pool, later)
    answer = await cancel_message(worker_pool, scope, later.id, key, NOW)
    assert isinstance(answer, MessageView)
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", scope.tenant_id
    )
    assert dict(balance) == {"posted": 3, "held": 0}
    assert await faults(database) == []
