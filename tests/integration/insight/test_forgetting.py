"""The scheduler's rounds that take things away, as it runs them: on real stores, by the roles that it has."""

from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from gateway.admission.projection import tenant_prefix
from gateway.db.transaction import worker_transaction
from gateway.insight.erasing import begin
from gateway.settings import read_settings
from gateway.wiring.forgetting import forgetting_rounds
from gateway.wiring.resources import open_resources
from tenants.accounts import erasure
from tenants.accounts import service as accounts
from tenants.errors import Conflict
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, new_message, row_of

OVER = "UPDATE messages SET status = 'delivered', final_at = now(), price_final = 0 WHERE tenant_id = :id"
GONE = "DELETE FROM dispatch_queue WHERE tenant_id = :id"
LONG_AGO = "UPDATE tenant_erasures SET asked_at = now() - interval '1 minute' WHERE tenant_id = :id"


async def test_the_scheduler_erases_a_tenant_in_postgres_and_in_redis(
    database, database_url, redis_url, worker_engine, worker_pool
):
    """And each of its other rounds ends without a fault, which a missing grant would be."""
    scope = await enrol(worker_engine)
    stranger = await enrol(worker_engine)
    [message] = await accept(worker_pool, new_message(scope, price_estimated=0))
    now = datetime.now(UTC)
    async with worker_transaction(worker_engine) as session:
        await accounts.close(scope, session)
        with pytest.raises(Conflict, match="no final state"):
            await begin(scope, session, now=now)
        for change in (OVER, GONE):
            await session.execute(text(change), {"id": scope.tenant_id})
        await begin(scope, session, now=now)
        await session.execute(text(LONG_AGO), {"id": scope.tenant_id})

    settings = read_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "TOLLGATE_OPERATOR_KEY": "operator-key-for-tests",
            "TOLLGATE_SECRET_KEY": SECRET_KEY,
        }
    )
    async with Redis.from_url(redis_url) as client, open_resources(settings) as shared:
        for each in (scope, stranger):
            await client.set(f"{tenant_prefix(each.tenant_id)}:v", "x")
        rounds = {each.name: each for each in forgetting_rounds(shared)}
        for each in rounds.values():
            await each.work()
        assert await client.exists(f"{tenant_prefix(scope.tenant_id)}:v") == 0
        assert await client.exists(f"{tenant_prefix(stranger.tenant_id)}:v") == 1
        assert not await rounds["erasures"].work()

    assert (await row_of(database, message.id))["to_sealed"] == b""
    async with worker_transaction(worker_engine) as session:
        done = await erasure.progress(scope, session)
    assert done.finished_at is not None
    assert done.counts["messages"] == 1
