"""
Plans of the statements that name queue rows by their ids, with statistics from another hour.

A queue that was analyzed while everything in it was `queued` makes Postgres expect no row in any other state.
It then reads all rows that are in one, through the index of due times, to find the few that were named: 1.7 s
instead of 2 ms for a batch of records, when 90,000 were behind. Records that are late leave more of them, so
it never catches up. One that was analyzed while it was empty makes Postgres expect no row at all, so it reads
the whole queue where nothing but a join names the rows: 1.4 ms of Postgres for each message, of 16,000.
"""

import re
from datetime import UTC, datetime

import pytest

from gateway.dispatch import mark, quarantine, record, relane, rerouting, unknown
from gateway.webhooks import due
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROWS = 20_000
BATCH = 64
_COPIES = """
    INSERT INTO dispatch_queue (message_id, tenant_id, route, state, attempt, due_at, lane)
    SELECT gen_random_uuid(), q.tenant_id, 'plans', 'queued', 1, now(), q.lane
    FROM dispatch_queue q, generate_series(1, $2::int) WHERE q.message_id = $1
"""
_DELIVERIES = """
    INSERT INTO webhook_deliveries (tenant_id, id, created_at, endpoint_id, event_id, state, next_attempt_at)
    SELECT $1, gen_random_uuid(), now(), $1, $1, 'delivered', now() FROM generate_series(1, $2::int)
"""

ids, ones, texts = [new_uuid() for _ in range(BATCH)], [1] * BATCH, ["scheduled"] * BATCH
times, flags, objects = [NOW] * BATCH, [False] * BATCH, ["{}"] * BATCH
OF_QUEUE = {
    "done": (record._DELETE.format("$1", "$2"), (ids, ones)),
    "waiting": (
        record._WAIT.format(*(f"${number}" for number in range(1, 8))),
        (ids, times, texts, times, ones, texts, flags),
    ),
    "unmark": (mark._UNMARK, (ids, ids[0], NOW, NOW)),
    "lease over": (unknown._LEASES_OVER, (NOW, NOW - NOW, ids)),
    "unknown due": (unknown._DUE, (NOW, ids)),
    "failed again": (rerouting._FAILED_AGAIN, (ids, times)),
    "quarantined": (quarantine._MOVE, (ids, NOW, "x")),
}
BY_JOIN = {
    "mark": (mark._MARK, (ids, ids[0], NOW, NOW, NOW, ids, "acc_x")),
    "done": OF_QUEUE["done"],
    "waiting": OF_QUEUE["waiting"],
    "failed again": OF_QUEUE["failed again"],
    "moved": (relane._ROWS, (ids, objects, objects, ones, times, NOW)),
}


@pytest.fixture(scope="module")
async def queue(worker_pool, worker_engine, database):
    """Many rows, all of them queued when Postgres looked."""
    scope = await enrol(worker_engine, credit=1)
    [message] = await accept(worker_pool, new_message(scope, route="plans"))
    await database.execute(_COPIES, message.id, ROWS)
    await database.execute("ANALYZE dispatch_queue")


async def plan_of(database, sql, arguments):
    """How Postgres would run it."""
    rows = await database.fetch(f"EXPLAIN {sql}", *arguments)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(("sql", "arguments"), OF_QUEUE.values(), ids=OF_QUEUE)
async def test_rows_named_by_id_are_not_looked_for_among_all_that_are_due(database, queue, sql, arguments):
    """However few rows Postgres believes to be in that state."""
    plan = await plan_of(database, sql, arguments)
    assert "pk_dispatch_queue" in plan or "Seq Scan on dispatch_queue" in plan
    assert "ix_dispatch_queue_due_at" not in plan


@pytest.mark.parametrize(("sql", "arguments"), BY_JOIN.values(), ids=BY_JOIN)
async def test_rows_named_by_id_are_found_by_it_however_empty_the_queue_was(database, queue, sql, arguments):
    """Postgres looks when it has just been emptied, and the next campaign comes before it looks again."""
    async with database.acquire() as connection:
        looked = connection.transaction()
        await looked.start()
        await connection.execute("UPDATE pg_class SET reltuples = 0 WHERE relname = 'dispatch_queue'")
        plan = await plan_of(connection, sql, arguments)
        await looked.rollback()
    assert re.search(r"pk_dispatch_queue on [^\n]+\n *Index Cond: \(message_id = ", plan), plan


async def test_deliveries_named_by_id_are_not_looked_for_among_all_that_wait(database):
    """The same of webhooks: analyzed when all had been delivered, then an endpoint goes away."""
    await database.execute(_DELIVERIES, ids[0], ROWS)
    await database.execute("ANALYZE webhook_deliveries")
    plan = await plan_of(database, due._SET_NEXT, (ids, ids, times, NOW))
    assert not re.search("_due|_held|next_attempt_at_idx|endpoint_id_id_idx", plan)


async def test_the_index_of_due_times_answers_who_looks_for_what_is_due(database, queue):
    """What the statements above must not use is there for this one."""
    sql = "SELECT message_id FROM dispatch_queue WHERE state = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3"
    assert "ix_dispatch_queue_due_at" in await plan_of(database, sql, ("unknown", NOW, 10))
