"""Messages whose life ends while they stand in line."""

from datetime import UTC, datetime, timedelta

from gateway.clock import FixedClock
from gateway.dispatch.expiry import ExpirySweep
from tests.harness.tenants import LIFE, accept, enrol, new_message


async def test_a_message_that_outlived_its_life_in_line_is_closed_and_released(
    worker_pool, worker_engine, database
):
    """After an outage the old must neither go out nor hold credit nor stand before the fresh."""
    scope = await enrol(worker_engine, credit=2)
    await accept(worker_pool, new_message(scope))
    clock = FixedClock(datetime.now(UTC) + LIFE + timedelta(minutes=1))
    [fresh] = await accept(worker_pool, new_message(scope, expires_at=clock.now() + timedelta(hours=1)))
    assert await ExpirySweep(worker_pool, clock).sweep() == 1
    rows = await database.fetch("SELECT id, status FROM messages WHERE tenant_id = $1", scope.tenant_id)
    assert {row["status"] for row in rows if row["id"] != fresh.id} == {"expired"}
    assert {row["status"] for row in rows if row["id"] == fresh.id} == {"queued"}
    held = await database.fetchval("SELECT held FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert held == 1
    queued = await database.fetch(
        "SELECT message_id FROM dispatch_queue WHERE tenant_id = $1", scope.tenant_id
    )
    assert [row["message_id"] for row in queued] == [fresh.id]
