"""Money from receipts: late, twice, shuffled, above the hold, in another unit; always the same end."""

import asyncio
import os
import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from msgspec import structs

from gateway.db.transaction import worker_transaction
from gateway.messages.state import lock, save
from gateway.messages.usage import count_all
from gateway.receipts.apply import apply_batch
from gateway.receipts.batch import platform_key
from tenants.accounts.purse import change_unit
from tenants.credits import service
from tenants.errors import Conflict
from tests.harness.ledger import faults
from tests.harness.receipts import receipt
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, new_message, row_of

KEY = platform_key(SECRET_KEY)
RECEIPTS = int(os.environ.get("LEDGER_RECEIPTS", "1200"))
PER_MESSAGE = 4
BATCH = 128 if RECEIPTS < 100_000 else 512


@pytest.fixture
def apply(ingest_pool):
    """A function that applies receipts in one batch, as the role that may do nothing else."""

    async def run(*receipts):
        async with ingest_pool.acquire() as connection:
            return await apply_batch(connection, receipts, now=datetime.now(UTC), platform_key=KEY)

    return run


async def tenant_with(worker_engine, worker_pool, *, price=10, count=1, credit=10**9):
    """A tenant and its messages, as if AWS had taken them."""
    scope = await enrol(worker_engine, credit=credit)
    messages = []
    for start in range(0, count, BATCH):
        some = range(start, min(count, start + BATCH))
        messages += await accept(worker_pool, *(new_message(scope, price_estimated=price) for _ in some))
    return scope, messages


def lives(messages, rng):
    """Four receipts of each message; prices differ between them, and one in five ends badly."""
    made = []
    for message in messages:
        end = rng.choice(["DELIVERED"] * 4 + ["BLOCKED"])
        for second, name in enumerate(("QUEUED", "PENDING", "SUCCESSFUL", end)):
            price = rng.choice([0.00581, 0.00302, 0.0])
            made.append(
                receipt(name, message_id=message.id, provider_message_id=f"aws-{message.id}", second=second,
                        price=price)
            )  # fmt: skip
    return made


def as_it_comes(made, rng):
    """30 % twice, shuffled, and 1 % after everything else."""
    doubled = made + rng.sample(made, k=len(made) * 3 // 10)
    rng.shuffle(doubled)
    late = set(rng.sample(range(len(doubled)), k=len(doubled) // 100))
    return [r for n, r in enumerate(doubled) if n not in late] + [
        r for n, r in enumerate(doubled) if n in late
    ]


async def money(database, scope, messages):
    """What the receipts came to: the balance, the platform's accounts, each message's price and cost."""
    order = {message.id: number for number, message in enumerate(messages)}
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", scope.tenant_id
    )
    accounts = await database.fetchrow(
        "SELECT sum(revenue) AS revenue, sum(adjustment) AS adjustment, sum(cogs) AS cogs, "
        "sum(payable) AS payable FROM ledger_transfers WHERE tenant_id = $1",
        scope.tenant_id,
    )
    rows = await database.fetch(
        "SELECT id, status, price_final, price_excess, cost_micros FROM messages WHERE tenant_id = $1",
        scope.tenant_id,
    )
    prices = sorted((order[row["id"]], *list(row.values())[1:]) for row in rows)
    usage = await database.fetch(
        "SELECT sum(messages) AS m, sum(parts) AS p, sum(charged) AS c, sum(cost_micros) AS a "
        "FROM usage_days WHERE tenant_id = $1",
        scope.tenant_id,
    )
    return dict(balance), dict(accounts), prices, [dict(row) for row in usage]


async def test_a_price_above_the_hold_is_the_platforms_and_booked_in_full(
    apply, database, worker_engine, worker_pool
):
    """The tenant pays its hold; what AWS charged stands beside it, whatever it is."""
    scope, [message] = await tenant_with(worker_engine, worker_pool, price=10, credit=10)
    await apply(receipt("DELIVERED", message_id=message.id, price=9.5))
    row = await row_of(database, message.id)
    assert (row["price_final"], row["cost_micros"]) == (10, 9_502_600)
    balance = await database.fetchrow("SELECT * FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert (balance["posted"], balance["held"]) == (0, 0)
    assert await faults(database) == []


async def test_a_price_that_comes_late_and_twice_is_booked_once(apply, database, worker_engine, worker_pool):
    """By the difference to what is booked, under its own revision."""
    _, [message] = await tenant_with(worker_engine, worker_pool)
    await apply(receipt("DELIVERED", message_id=message.id, price=None, totalCarrierFee=None))
    late = receipt("SUCCESSFUL", message_id=message.id, second=-1)
    for _ in range(3):
        await apply(late)
    costs = await database.fetch(
        "SELECT revision, cogs, payable FROM ledger_transfers WHERE subject_id = $1 AND kind = 'cost'",
        message.id,
    )
    assert [tuple(row) for row in costs] == [(1, 8410, -8410)]
    assert await faults(database) == []


async def test_a_message_that_became_two_texts_costs_both_and_is_paid_once(
    apply, database, worker_engine, worker_pool
):
    """AWS bills each of its ids; in any order, the sum of both is what the platform owes."""
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        scope, [message] = await tenant_with(worker_engine, worker_pool, price=10, credit=10)
        story = [
            receipt("SUCCESSFUL", message_id=message.id, provider_message_id="first", price=0.005),
            receipt("DELIVERED", message_id=message.id, provider_message_id="first", price=0.006, second=1),
            receipt("DELIVERED", message_id=message.id, provider_message_id="second", attempt=2, second=2),
        ]
        for index in order:
            await apply(story[index])
        row = await row_of(database, message.id)
        assert (row["price_final"], row["cost_micros"]) == (10, 6000 + 2600 + 5810 + 2600)
        await database.execute("DELETE FROM receipts WHERE tenant_id = $1", scope.tenant_id)
        await database.execute("DELETE FROM ledger_transfers WHERE subject_id = $1 AND cogs <> 0", message.id)
        await database.execute("UPDATE messages SET cost_micros = 0 WHERE id = $1", message.id)
        await database.execute("DELETE FROM usage_batches WHERE tenant_id = $1", scope.tenant_id)
        await database.execute("DELETE FROM ledger_transfers WHERE tenant_id = $1", scope.tenant_id)
        await database.execute("DELETE FROM messages WHERE tenant_id = $1", scope.tenant_id)


async def test_a_late_receipt_after_the_plan_changed_its_unit_is_the_platforms(
    apply, database, worker_engine, worker_pool
):
    """A dollar has no price in credits: the balance stays, and the batch is not refused."""
    scope, [message] = await tenant_with(worker_engine, worker_pool, price=10, credit=10)
    await apply(receipt("BLOCKED", message_id=message.id, price=0.0))
    async with worker_transaction(worker_engine) as session:
        await service.adjust(scope, session, amount=-10)
        await change_unit(scope, session, "dollars")
        await service.top_up(scope, session, amount=500)
    assert await apply(receipt("DELIVERED", message_id=message.id, second=5)) == ["applied"]
    row = await row_of(database, message.id)
    assert (row["status"], row["price_final"], row["price_excess"]) == ("delivered", 0, 10)
    balance = await database.fetchrow("SELECT * FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert (balance["unit"], balance["posted"], balance["held"]) == ("micros", 500, 0)
    assert await faults(database) == []


@pytest.mark.parametrize(("by_hand", "together"), [(10, 20), (4, 20), (-3, 17)])
async def test_what_was_given_back_by_hand_is_not_given_back_again(
    apply, database, worker_engine, worker_pool, by_hand, together
):
    """A correction of a message and a late receipt that it cost nothing come to one refund."""
    scope, [message] = await tenant_with(worker_engine, worker_pool, price=10, credit=20)

    async def available():
        return await database.fetchval(
            "SELECT posted - held FROM balances WHERE tenant_id = $1", scope.tenant_id
        )

    await apply(receipt("SUCCESSFUL", message_id=message.id, price=0.0))
    async with worker_transaction(worker_engine) as session:
        await service.correct(scope, session, amount=by_hand, reason="a complaint", message_id=message.id)
    assert await available() == 10 + by_hand
    await apply(receipt("BLOCKED", message_id=message.id, price=0.0, second=5))
    assert await available() == together
    await apply(receipt("DELIVERED", message_id=message.id, price=0.0, second=9))
    assert await available() == 10 + by_hand
    await apply(receipt("BLOCKED", message_id=message.id, price=0.0, second=12))
    assert await available() == together
    more = 1 + max(0, -by_hand)
    async with worker_transaction(worker_engine) as session:
        with pytest.raises(Conflict):
            await service.correct(scope, session, amount=more, reason="again", message_id=message.id)
    await count_all(worker_pool)
    assert await faults(database) == []


async def test_a_hold_that_lapses_is_given_back_as_expired(database, worker_engine, worker_pool):
    """`release` says it cost less, `expire` that its time ran out."""
    scope, [message] = await tenant_with(worker_engine, worker_pool, price=10, credit=10)
    async with worker_pool.acquire() as connection, connection.transaction():
        [state] = (await lock(connection, [message.id])).values()
        await save(connection, [(state, structs.replace(state, status="expired"))], now=datetime.now(UTC))
    kinds = await database.fetch(
        "SELECT kind FROM ledger_transfers WHERE subject_id = $1 ORDER BY kind", message.id
    )
    assert [row["kind"] for row in kinds] == ["expire", "hold"]
    balance = await database.fetchrow("SELECT * FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert (balance["posted"], balance["held"]) == (10, 0)


async def test_what_one_message_gives_back_pays_for_anothers_late_charge_in_the_same_batch(
    apply, database, worker_engine, worker_pool
):
    """Whether the two come in one batch or in two must not decide who bears it."""
    ends = []
    for together in (False, True):
        scope, [first, second] = await tenant_with(worker_engine, worker_pool, price=10, count=2, credit=20)
        await apply(receipt("BLOCKED", message_id=second.id, provider_message_id="aws-2", price=0.0))
        async with worker_transaction(worker_engine) as session:
            await service.adjust(scope, session, amount=-10)
        story = [
            receipt("BLOCKED", message_id=first.id, provider_message_id="aws-1", price=0.0),
            receipt("DELIVERED", message_id=second.id, provider_message_id="aws-2", second=5),
        ]
        for batch in [story] if together else [[each] for each in story]:
            await apply(*batch)
        row = await row_of(database, second.id)
        available = await database.fetchval(
            "SELECT posted - held FROM balances WHERE tenant_id = $1", scope.tenant_id
        )
        ends.append((row["price_final"], row["price_excess"], available))
    assert ends == [(10, 0, 0)] * 2
    assert await faults(database) == []


@pytest.mark.parametrize("answered", [None, "a", "b", "x"])
async def test_one_attempt_that_became_three_texts_costs_all_three_in_any_order(
    apply, database, worker_engine, worker_pool, answered
):
    """A later price of the first id is an event like any other, and must not stand for all of them."""
    story = [("a", 0.0, 0), ("b", 0.01, 1), ("a", 0.01, 2), ("c", 0.002, 3), ("b", 0.003, 4), ("a", 0.004, 5)]
    rng = random.Random(11)
    for _ in range(6):
        _, [message] = await tenant_with(worker_engine, worker_pool)
        if answered is not None:
            async with worker_pool.acquire() as connection, connection.transaction():
                state = (await lock(connection, [message.id]))[message.id]
                sent = structs.replace(state, status="sent", provider_message_id=answered, attempts=1)
                await save(connection, [(state, sent)], now=datetime.now(UTC))
        for name, price, second in story:
            made = receipt(
                "SUCCESSFUL",
                message_id=message.id,
                provider_message_id=name,
                price=price,
                second=second,
                totalCarrierFee=0.0,
            )
            await apply(made)
        assert (await row_of(database, message.id))["cost_micros"] == 10_000 + 10_000 + 2_000
        rng.shuffle(story)
    assert await faults(database) == []


async def test_receipts_twice_shuffled_and_late_come_to_the_same_money(
    apply, database, worker_engine, worker_pool
):
    """`LEDGER_RECEIPTS` says how many; two tenants get the same story, one in order and one as SNS has it."""
    ends = []
    for shuffled in (False, True):
        rng = random.Random(7)
        scope, messages = await tenant_with(worker_engine, worker_pool, count=RECEIPTS // PER_MESSAGE)
        made = lives(messages, rng)
        if shuffled:
            made = as_it_comes(made, rng)
        for start in range(0, len(made), 2 * BATCH):
            halves = (made[start : start + BATCH], made[start + BATCH : start + 2 * BATCH])
            if shuffled:
                await asyncio.gather(*(apply(*half) for half in halves if half))
            else:
                for half in halves:
                    await apply(*half)
        await count_all(worker_pool)
        ends.append(await money(database, scope, messages))
    assert ends[0] == ends[1]
    assert ends[0][0]["held"] == 0
    assert len(Counter(price[1] for price in ends[0][2])) > 1
    assert await faults(database) == []
