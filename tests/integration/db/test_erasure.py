"""
The erasure of a tenant, statement by statement: all of it goes but the books, and nobody else's row.

`neighbours` has a row in every table there is; a table that is added has to be put into the plan or be kept
for a reason.
"""

import asyncio

import asyncpg
import pytest
from redis.asyncio import Redis

from gateway.admission.projection import tenant_prefix
from gateway.db.engine import create_pool
from gateway.db.transaction import worker_transaction
from gateway.insight.erasure_tables import KEPT
from gateway.lanes.scripts import RedisScripts
from tenants.credits import service as credits_
from tenants.ids import new_uuid
from tests.harness.tenants import accept, enrol, new_message

BATCH = "SELECT tollgate_erase_batch($1, $2)"
CANARY = "a-name-that-must-go"


async def plan_of(database):
    """The plan as the database has it: what is done to each table, by name."""
    rows = await database.fetch("SELECT name, walked, blanks FROM tollgate_erasure_plan() ORDER BY place")
    return {row["name"]: row for row in rows}


async def leave(database, tenant_id, *, messages=0):
    """A tenant that was asked to be erased, with as many messages of a person."""
    await database.execute(
        "INSERT INTO tenants (id, slug, name, model, state, countries, plan, data_key) "
        "VALUES ($1, $2, 'erased', 2, 'closed', '{}', '{}', '')",
        tenant_id,
        f"e-{tenant_id.hex}",
    )
    await database.execute("INSERT INTO tenant_erasures (tenant_id) VALUES ($1)", tenant_id)
    for _ in range(messages):
        await database.execute(
            """
            INSERT INTO messages (tenant_id, id, created_at, test, status, channel, type, country,
                recipient_hash, to_sealed, body_sealed, context, client_reference, encoding, parts, unit,
                price_estimated, price_final, max_price_micros, sender_value, expires_at)
            VALUES ($1, $2, now(), false, 'delivered', 'sms', 'otp', 'US', 'hash', 'to', 'body', '{"a": "b"}',
                $3, 'GSM', 1, 'micros', 5, 5, 9, '+1', now())
            """,
            tenant_id,
            new_uuid(),
            CANARY,
        )


async def erase(pool, tenant_id, *, at_most=100):
    """Go on until nothing is left; returns how many batches that took."""
    batches = 0
    while more := await pool.fetchval(BATCH, tenant_id, at_most):
        batches += 1
    assert more is False
    return batches


async def left_of(database, tenant_id):
    """How many messages of a tenant still say whom they went to."""
    return await database.fetchval(
        "SELECT count(*) FROM messages WHERE tenant_id = $1 AND to_sealed <> ''", tenant_id
    )


async def test_every_table_of_tenants_is_erased_or_kept_for_a_reason(database, tenant_tables):
    """
    A table that is fenced is erased. One that has to stay is a decision: its migration calls `tollgate_keep`,
    and `gateway.insight.erasure_tables` says why.
    """
    erased = set(await plan_of(database))
    assert set(tenant_tables) - erased - set(KEPT) == set()
    assert erased & set(KEPT) == set()


async def test_a_table_that_is_fenced_later_is_erased_first_unless_it_is_kept(database):
    """It cannot be forgotten; and what refers to older rows has to go before them."""
    async with database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            for table in ("later_mothers", "later_daughters", "later_books"):
                await connection.execute(f"CREATE TABLE {table} (tenant_id UUID NOT NULL)")
                await connection.execute(f"SELECT tollgate_fence('{table}')")
            await connection.execute("SELECT tollgate_keep('later_books')")
            plan = list(await plan_of(connection))
            assert plan[:2] == ["later_daughters", "later_mothers"]
            assert "later_books" not in plan
        finally:
            await transaction.rollback()


async def test_a_tenant_is_erased_from_every_table_and_its_neighbour_from_none(
    database, worker_pool, tenant_tables, neighbours
):
    """What stays has the books' columns only; no text of the tenant is found anywhere."""
    gone, stays = neighbours
    for change in (
        "messages SET body_sealed = 'b', client_reference = $2, reason_detail = $2, carrier = $2",
        "receipts SET detail = jsonb_build_object('a', $2::text)",
        "audit_rows SET subject = $2, detail = jsonb_build_object('a', $2::text)",
        "ledger_transfers SET note = $2, subject_id = id",
        "monthly_fees SET note = $2, waived_why = $2",
    ):
        for tenant_id in neighbours:
            await database.execute(f"UPDATE {change} WHERE tenant_id = $1", tenant_id, CANARY)
    await database.execute("UPDATE tenants SET data_key = '' WHERE id = $1", gone)
    before = {table: await rows_of(database, table, stays) for table in tenant_tables}
    await erase(worker_pool, gone)
    plan = await plan_of(database)
    for table in tenant_tables:
        left = await rows_of(database, table, gone)
        kept_rows = table in KEPT or plan[table]["blanks"] is not None
        assert bool(left) == kept_rows, table
        assert CANARY not in str(left), table
        assert await rows_of(database, table, stays) == before[table], table
    message = await database.fetchrow("SELECT * FROM messages WHERE tenant_id = $1", gone)
    assert (message["to_sealed"], message["recipient_hash"], message["body_sealed"]) == (b"", b"", None)
    assert str(before).count(CANARY) == 9


async def test_the_ledger_keeps_its_amounts_and_rows_without_notes_are_not_written_anew(
    database, worker_pool, worker_engine
):
    """A correction has to say why, so a word stands where the operator's words stood."""
    scope = await enrol(worker_engine, credit=100)
    async with worker_transaction(worker_engine) as session:
        await credits_.adjust(scope, session, amount=-3, note=f"for {CANARY}")
        await credits_.correct(scope, session, amount=2, reason=f"after a call of {CANARY}")
    await accept(worker_pool, new_message(scope))
    read = "SELECT kind, available, note, xmin::text FROM ledger_transfers WHERE tenant_id = $1 ORDER BY id"
    before = await database.fetch(read, scope.tenant_id)
    await database.execute("UPDATE tenants SET data_key = '' WHERE id = $1", scope.tenant_id)
    await database.execute("INSERT INTO tenant_erasures (tenant_id) VALUES ($1)", scope.tenant_id)
    await erase(worker_pool, scope.tenant_id, at_most=1)
    after = await database.fetch(read, scope.tenant_id)
    assert [row["available"] for row in after] == [row["available"] for row in before]
    assert {row["kind"]: row["note"] for row in after} == {
        "top_up": None, "adjust": "erased", "correction": "erased", "hold": None
    }  # fmt: skip
    untouched = [old["xmin"] == new["xmin"] for old, new in zip(before, after, strict=True)]
    assert untouched == [row["note"] is None for row in before]


async def test_an_erasure_that_is_begun_anew_does_the_steps_that_came_since(database):
    """A migration that appends one lets erasures that were done go on; what they did is not done again."""
    tenant_id = new_uuid()
    async with database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await leave(connection, tenant_id, messages=1)
            await erase(connection, tenant_id)
            await connection.execute("UPDATE tenant_erasures SET finished_at = now()")
            await connection.execute("CREATE TABLE later (tenant_id UUID, id UUID, note TEXT)")
            await connection.execute("INSERT INTO later VALUES ($1, $1, 'a'), ($1, $1, NULL)", tenant_id)
            await connection.execute(
                "INSERT INTO erasure_steps SELECT max(place) + 1, 'later', 'id', 'note = ''erased''', "
                "'note IS NOT NULL' FROM erasure_steps"
            )
            await connection.execute("UPDATE tenant_erasures SET finished_at = NULL")
            assert await erase(connection, tenant_id) == 2, "its one row, and that there is no other"
            notes = await connection.fetch("SELECT note FROM later ORDER BY note NULLS LAST")
            assert [row["note"] for row in notes] == ["erased", None]
        finally:
            await transaction.rollback()


async def rows_of(database, table, tenant_id):
    """The rows of a tenant, each as one text."""
    owner = "id" if table == "tenants" else "tenant_id"
    rows = await database.fetch(f"SELECT t::text FROM {table} t WHERE {owner} = $1 ORDER BY 1", tenant_id)
    return [row[0] for row in rows]


async def test_an_erasure_goes_on_where_a_lost_process_left_it(database, database_url, worker_pool):
    """After each batch in turn one is cut short before its commit, as kill -9 does."""
    tenant_id = new_uuid()
    await leave(database, tenant_id, messages=3)
    for _ in range(14):  # past the messages; the rest of the plan is more of the same
        doomed = await asyncpg.connect(database_url)
        await doomed.execute("BEGIN")
        await doomed.fetchval(BATCH, tenant_id, 2)
        doomed.terminate()
        await until_free(database, tenant_id)
        await worker_pool.fetchval(BATCH, tenant_id, 2)
    await erase(worker_pool, tenant_id)
    assert await left_of(database, tenant_id) == 0
    counts = await database.fetchval("SELECT counts FROM tenant_erasures WHERE tenant_id = $1", tenant_id)
    assert '"messages": 3' in counts


async def until_free(database, tenant_id):
    """Wait until Postgres has noticed the loss: the row's lock is the signal."""
    async with asyncio.timeout(60):
        await database.execute("SELECT FROM tenant_erasures WHERE tenant_id = $1 FOR UPDATE", tenant_id)


async def test_two_processes_do_not_erase_the_same_tenant_at_once(database, worker_pool):
    """The second one has other work; it neither waits nor says that all is done."""
    tenant_id = new_uuid()
    await leave(database, tenant_id)
    async with worker_pool.acquire() as first, first.transaction():
        assert await first.fetchval(BATCH, tenant_id, 10) is True
        assert await worker_pool.fetchval(BATCH, tenant_id, 10) is None


async def test_a_tenant_that_has_its_key_is_not_erased(worker_pool, neighbours):
    """Whatever asks: without the request that took the key, the function does nothing."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="has its key"):
        await worker_pool.fetchval(BATCH, neighbours[1], 10)


@pytest.mark.parametrize("role", ["app", "ingest"])
async def test_only_the_workers_may_erase(database_url, neighbours, role):
    """A tenant's connection, and one that only takes receipts, cannot."""
    async with await create_pool(database_url, role, size=1) as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await pool.fetchval(BATCH, neighbours[0], 10)


async def test_an_owner_without_powers_can_erase(database, neighbours):
    """Migrations need not be run by a superuser: the owner is under FORCE, and has the one policy."""
    tenant_id = new_uuid()
    await leave(database, tenant_id, messages=2)
    owner = f"owner_{tenant_id.hex[:12]}"
    async with database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(f"CREATE ROLE {owner} NOSUPERUSER NOBYPASSRLS")
            await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {owner}")
            await connection.execute(f"ALTER FUNCTION tollgate_erase_batch(uuid, integer) OWNER TO {owner}")
            await connection.execute(f"GRANT SELECT ON erasure_steps TO {owner}")
            await connection.execute(f"GRANT EXECUTE ON FUNCTION tollgate_erasure_plan() TO {owner}")
            for table in [*await plan_of(connection), "tenant_erasures", "tenants"]:
                await connection.execute(f"ALTER POLICY erasure_owner ON {table} TO {owner}")
            while await connection.fetchval(BATCH, tenant_id, 10):
                pass
            assert await left_of(connection, tenant_id) == 0
        finally:
            await transaction.rollback()


async def test_what_redis_holds_of_a_tenant_goes_and_its_neighbours_stays(redis_url):
    """Every key of a tenant has its hash tag in front."""
    async with Redis.from_url(redis_url) as client:
        gone, stays = (tenant_prefix(new_uuid()) for _ in range(2))
        for prefix in (gone, stays):
            for name in ("", ":o:otp", ":v:1"):
                await client.set(prefix + name, "x")
        scripts = RedisScripts(client)
        await scripts.delete_prefixed(gone)
        assert sorted([key async for key in client.scan_iter(match=f"{gone}*")]) == []
        assert len([key async for key in client.scan_iter(match=f"{stays}*")]) == 3
