"""What was told while the connection that listens was lost is caught up with when there is one again."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from gateway.admission.gate import AdmissionGate
from gateway.admission.projection import tenant_prefix
from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.intake.notices import _RECENT, _RECENT_OVERRIDES, _REMOVED, PolicyNotices
from gateway.intake.policies import Policies
from gateway.intake.reader import SnapshotReader
from gateway.lanes.scripts import RedisScripts, connect
from tenants.optouts import service as opt_outs
from tenants.protection import overrides
from tenants.protection import service as protection
from tests.harness.numbers import us_number
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import enrol, key_of
from tests.harness.waiting import until

EVERY_QUERY = (
    (_REMOVED, "ix_opt_out_changes_at"),
    (_RECENT, "ix_opt_outs_created_at"),
    (_RECENT_OVERRIDES, "ix_protect_overrides_updated_at"),
)
A_DAY = timedelta(days=1)


class Process:
    """A process that follows notices, with a Redis to tell, and the changes, which others make."""

    def __init__(self, redis, scope, key, engine, database_url, policies) -> None:
        self.redis, self.scope, self.key, self.engine = redis, scope, key, engine
        self.policies = policies
        self.notices = PolicyNotices(database_url, policies)
        self.number = us_number()

    async def change(self, act) -> None:
        """Put the number on the list or take it off, in Postgres alone."""
        async with worker_transaction(self.engine) as session:
            await act(self.scope, session, self.key, number=self.number)

    async def refuses(self) -> bool:
        """Whether admission's copy has the number."""
        listed = f"{tenant_prefix(self.scope.tenant_id)}:optout:all"
        return bool(await self.redis.sismember(listed, self.key.recipient_hash(self.number)))

    async def allows(self) -> bool:
        """Whether it has not."""
        return not await self.refuses()

    @asynccontextmanager
    async def listening(self):
        """Listen for the length of a block."""
        running = asyncio.create_task(self.notices.run())
        try:
            yield
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def process(redis_url, app_engine, worker_engine, database_url):
    """A process whose tenant is projected."""
    scope = await enrol(worker_engine)
    async with connect(redis_url) as redis:
        reader = SnapshotReader(app_engine, worker_engine, SECRET_KEY, SystemClock())
        policies = Policies(
            read=reader.snapshot,
            read_recipients=reader.recipients,
            read_lists_of=reader.lists_of,
            read_override=reader.override_of,
            read_holds=reader.holds,
            gate=AdmissionGate(RedisScripts(redis)),
            clock=SystemClock(),
        )
        assert await policies.project(scope.tenant_id, opt_outs=True)
        key = await key_of(worker_engine, scope)
        yield Process(redis, scope, key, worker_engine, database_url, policies)


async def test_a_removal_that_nobody_heard_of_is_followed(process):
    """Whoever asked for messages again was refused until something else wrote the whole list anew."""
    async with process.listening():
        await process.change(opt_outs.put)
        await until(process.refuses, within_s=10)
    await process.change(opt_outs.remove)
    assert await process.refuses()
    async with process.listening():
        await until(process.allows, within_s=10)


async def test_whoever_opted_out_again_stays_out(process):
    """The last word counts, not that there was a removal."""
    async with process.listening():
        await process.change(opt_outs.put)
        await until(process.refuses, within_s=10)
    await process.change(opt_outs.remove)
    await process.change(opt_outs.put)
    other = us_number()
    async with worker_transaction(process.engine) as session:
        await opt_outs.put(process.scope, session, process.key, number=other)
    async with process.listening():
        process.number, first = other, process.number
        await until(process.refuses, within_s=10)
        process.number = first
        assert await process.refuses()


async def test_what_nobody_heard_of_for_long_is_followed_too(process, database):
    """A process that was cut off for an hour has an hour to catch up with."""

    async def heard():
        return process.notices._heard_at

    async with process.listening():
        await process.change(opt_outs.put)
        await until(process.refuses, within_s=10)
        await until(heard, within_s=10)
    process.number, known = us_number(), process.number
    await process.change(opt_outs.put)
    await database.execute(
        "UPDATE opt_outs SET created_at = created_at - $2::interval WHERE tenant_id = $1",
        process.scope.tenant_id,
        A_DAY,
    )
    process.notices._heard_at -= A_DAY
    async with process.listening():
        await until(process.refuses, within_s=10)
    process.number = known
    assert await process.refuses()


async def test_an_override_that_was_taken_away_unheard_is_over(process):
    """Its number would be blocked, or let through, until something else wrote all of them anew."""
    clock = SystemClock()
    async with worker_transaction(process.engine) as session:
        made = await protection.create(process.scope, session, name="default")
    place = f"{tenant_prefix(process.scope.tenant_id)}:override:{made.id.hex}"

    async def said():
        return await process.redis.hget(place, process.key.recipient_hash(process.number))

    async def blocked_for_good():
        return await said() == b"B0"

    async def over():
        found = await said()
        return found is None or 0 < int(found[1:]) <= clock.now().timestamp() * 1000

    about = {"number": process.number}
    async with process.listening():
        async with worker_transaction(process.engine) as session:
            given = about | {"action": "ALWAYS_BLOCK", "now": clock.now()}
            await overrides.put(process.scope, session, process.key, **given)
        await until(blocked_for_good, within_s=10)
    async with worker_transaction(process.engine) as session:
        await overrides.remove(process.scope, session, process.key, **about, now=clock.now())
    assert await blocked_for_good()
    async with process.listening():
        await until(over, within_s=10)


@pytest.mark.parametrize(("query", "index"), EVERY_QUERY)
async def test_catching_up_reads_no_table_from_end_to_end(database, query, index):
    """Opt-outs are kept for good; a deploy starts many processes, and each of them catches up."""
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch("EXPLAIN " + query.replace("$1", "NULL::timestamptz"))
    assert any(index in row[0] for row in plan)
