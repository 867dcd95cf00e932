"""What the reconciler finds it can put right: by new entries, with a reason, and never below zero."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from gateway.db.transaction import worker_transaction
from gateway.messages.corrections import post_corrections
from gateway.messages.reconcile import prove
from gateway.messages.state import lock, save
from gateway.messages.usage import count_all
from tenants.accounts import service as accounts
from tenants.credits import service as credits_
from tests.harness.tenants import accept, enrol, new_message

DAMAGES = {
    "a cached balance too high": "UPDATE balances SET posted = posted + 7 WHERE tenant_id = $1",
    "a cached balance too low": "UPDATE balances SET posted = posted - 7 WHERE tenant_id = $1",
    "a lost hold": (
        "WITH gone AS (DELETE FROM ledger_transfers WHERE tenant_id = $1 AND kind = 'hold' RETURNING *) "
        "UPDATE balances b SET held = b.held - 10 FROM gone WHERE b.tenant_id = $1 AND b.held >= 10"
    ),
    "a lost message": "DELETE FROM messages WHERE tenant_id = $1 AND price_final IS NULL",
    "a price that is not what was charged": (
        "UPDATE messages SET price_final = 4 WHERE tenant_id = $1 AND price_final IS NOT NULL"
    ),
    "a cost that AWS never charged": (
        "UPDATE receipts SET price_micros = 999 WHERE tenant_id = $1 AND price_micros IS NOT NULL"
    ),
    "a day of usage that was lost": "DELETE FROM usage_days WHERE tenant_id = $1",
    "a test message that was charged": (
        "UPDATE messages SET test = true WHERE tenant_id = $1 AND price_final > 0"
    ),
}


@pytest.fixture
async def scope(worker_engine: Any, worker_pool: Any, database: Any) -> Any:
    """A tenant with one message under way and one that was delivered and cost something."""
    scope = await enrol(worker_engine, credit=100)
    _, paid = await accept(
        worker_pool, new_message(scope, price_estimated=10), new_message(scope, price_estimated=10)
    )
    async with worker_pool.acquire() as connection, connection.transaction():
        state = (await lock(connection, [paid.id]))[paid.id]
        after = structs.replace(
            state, status="delivered", provider_message_id="aws-1", provider_price_micros=500, cost_micros=500
        )
        await save(connection, [(state, after)], now=datetime.now(UTC))
    await database.execute(
        "INSERT INTO receipts (tenant_id, message_id, message_at, event_key, event_type, event_at, detail, "
        "provider_message_id, price_micros) "
        "VALUES ($1, $2, $3, 'k', 'TEXT_DELIVERED', now(), '{}', 'aws-1', 500)",
        scope.tenant_id,
        paid.id,
        paid.created_at,
    )
    await count_all(worker_pool)
    assert (await prove(worker_pool)).differences == []
    yield scope
    for table in ("ledger_transfers", "messages", "receipts", "usage_days", "usage_batches", "balances"):
        await database.execute(f"DELETE FROM {table} WHERE tenant_id = $1", scope.tenant_id)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_what_is_found_is_put_right_by_new_entries(
    scope: Any, database: Any, worker_pool: Any, damage: str
) -> None:
    """Afterwards the proof finds nothing, no entry was changed, and each new one says why."""
    await database.execute(damage, scope.tenant_id)
    before = await database.fetch("SELECT * FROM ledger_transfers WHERE tenant_id = $1", scope.tenant_id)
    proof = await prove(worker_pool)
    assert proof.differences
    await post_corrections(worker_pool, proof.differences, reason="a test")
    again = await prove(worker_pool)
    assert again.differences == []
    after = await database.fetch("SELECT * FROM ledger_transfers WHERE tenant_id = $1", scope.tenant_id)
    assert {tuple(row) for row in before} <= {tuple(row) for row in after}
    made = [row for row in after if row not in before]
    assert {(row["kind"], row["note"]) for row in made} <= {("reconcile", "a test")}
    balance = await database.fetchrow("SELECT * FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert balance["posted"] - balance["held"] >= 0


async def test_a_correction_that_the_balance_does_not_bear_is_the_platforms(
    scope: Any, database: Any, worker_pool: Any
) -> None:
    """A balance that was spent twice over is lifted to zero, and the platform stands for it."""
    await database.execute(
        "WITH gone AS (DELETE FROM ledger_transfers WHERE tenant_id = $1 AND kind = 'top_up') SELECT 1",
        scope.tenant_id,
    )
    await post_corrections(worker_pool, (await prove(worker_pool)).differences, reason="a test")
    assert (await prove(worker_pool)).differences == []
    lifted = await database.fetchval(
        "SELECT sum(adjustment) FROM ledger_transfers WHERE tenant_id = $1 AND kind = 'reconcile'",
        scope.tenant_id,
    )
    assert lifted == -20


@pytest.mark.parametrize("price", [4, 17])
async def test_a_message_that_was_paid_in_another_unit_moves_no_balance(
    scope: Any, database: Any, worker_engine: Any, worker_pool: Any, price: int
) -> None:
    """A credit too much or too little is none of the dollars that the tenant has by now."""
    open_message, paid = await database.fetch(
        "SELECT id, price_final FROM messages WHERE tenant_id = $1 ORDER BY price_final NULLS FIRST",
        scope.tenant_id,
    )
    async with worker_pool.acquire() as connection, connection.transaction():
        state = (await lock(connection, [open_message["id"]]))[open_message["id"]]
        await save(connection, [(state, structs.replace(state, status="failed"))], now=datetime.now(UTC))
    async with worker_transaction(worker_engine) as session:
        await credits_.adjust(scope, session, amount=-90)
        await accounts.update_plan(scope, session, {"pricing": "dollars"})
        await credits_.top_up(scope, session, amount=5_000_000)
    await count_all(worker_pool)
    await database.execute("UPDATE messages SET price_final = $2 WHERE id = $1", paid["id"], price)
    await post_corrections(worker_pool, (await prove(worker_pool)).differences, reason="a test")
    assert (await prove(worker_pool)).differences == []
    balance = await database.fetchrow("SELECT * FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert (balance["unit"], balance["posted"], balance["held"]) == ("micros", 5_000_000, 0)
    entries = await database.fetch(
        "SELECT unit, available, revenue, adjustment FROM ledger_transfers "
        "WHERE tenant_id = $1 AND kind = 'reconcile'",
        scope.tenant_id,
    )
    assert [tuple(row) for row in entries] == [("credits", 0, price - 10, 10 - price)]
    message = await database.fetchrow("SELECT * FROM messages WHERE id = $1", paid["id"])
    assert (message["price_final"], message["price_excess"]) == (10, price - 10)
