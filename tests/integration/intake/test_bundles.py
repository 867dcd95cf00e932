"""A month's bundle on a real Postgres: never overrun, never left lying, given back, proven."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec import structs

from gateway.db.transaction import worker_transaction
from gateway.intake.allowance import Guesses
from gateway.intake.batch import create_intake
from gateway.intake.cancel import cancel_message
from gateway.intake.commit import NoCredit, Stored, commit_batch
from gateway.messages.corrections import post_corrections
from gateway.messages.month import month_of as calendar_month
from gateway.messages.reconcile import every_difference
from gateway.messages.state import lock, save
from gateway.messages.statements import statement
from gateway.messages.usage import count_all
from tenants.accounts import service as accounts
from tenants.budgets.budget import BUNDLE, Budget, Count, counts_of, month_of, names_of
from tenants.ids import created_at, new_uuid
from tests.harness.ledger import faults
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import enrol, new_message, row_of

PRICE = 5
"""Of a part."""


class Silent:
    """Hears of commits and does nothing."""

    def committed(self, messages, decisions):
        """Take no notice."""


@pytest.fixture
async def intake(worker_pool):
    """A running intake with two flushers."""
    made = create_intake(worker_pool, Silent(), queue_size=2000)
    running = asyncio.create_task(made.run(flushers=2))
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def drawing(scope, included, *, parts=1, by_message=False, budgets=(), **changes):
    """A send of a tenant whose plan includes so much a month."""
    message = new_message(scope, parts=parts, price_estimated=PRICE * parts, **changes)
    month = month_of(message.created_at)
    bundle = Count(
        owner=scope.tenant_id, name=BUNDLE, month=month, amount=1 if by_message else parts, cap=included
    )
    names = names_of(country="US", type_=message.type, account_id=None)
    counts = counts_of(budgets, names, owner=scope.tenant_id, month=month, amount=message.hold)
    return structs.replace(message, bundle=bundle, counts=counts)


async def drawn(database, scope, month=None):
    """What the month's counter says."""
    return await database.fetchval(
        "SELECT used FROM spend_counters WHERE tenant_id = $1 AND name = 'bundle' AND month = $2",
        scope.tenant_id,
        month or month_of(datetime.now(UTC)),
    )


async def send(pool, *messages, guesses=None):
    """Commit as the API does."""
    async with pool.acquire() as connection:
        return await commit_batch(connection, messages, guesses)


async def end(pool, message, status, **changes):
    """Save a state as dispatch and receipts do."""
    async with pool.acquire() as connection, connection.transaction():
        state = (await lock(connection, [message.id]))[message.id]
        after = structs.replace(state, status=status, **changes)
        await save(connection, [(state, after)], now=datetime.now(UTC))


@pytest.mark.parametrize("included", [1, 77, 300, 100_000])
async def test_64_clients_draw_exactly_the_bundle(intake, database, worker_engine, included):
    """Every part is either included or paid, to the last one; a message may be both."""
    scope = await enrol(worker_engine, credit=10**6)
    rng = random.Random(included)
    sizes = [[rng.randint(1, 4) for _ in range(4)] for _ in range(64)]

    async def client(number):
        return [await intake.submit(drawing(scope, included, parts=size)) for size in sizes[number]]

    answers = [decision for each in await asyncio.gather(*map(client, range(64))) for decision in each]
    assert all(isinstance(decision, Stored) for decision in answers)
    parts = sum(map(sum, sizes))
    covered = min(parts, included)
    assert sum(decision.included for decision in answers) == covered == await drawn(database, scope)
    held = await database.fetchval("SELECT held FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert held == PRICE * (parts - covered)
    assert await faults(database) == []


async def test_tenants_with_and_without_a_bundle_share_their_commits(intake, database, worker_engine):
    """A spent bundle beside a fresh one, beside none: each pays its own."""
    scopes = [await enrol(worker_engine, credit=10**6) for _ in range(3)]
    allowances = (10, 10**6, None)

    async def client(number):
        scope, included = scopes[number % 3], allowances[number % 3]
        make = (lambda: drawing(scope, included)) if included else (lambda: new_message(scope))
        return [await intake.submit(make()) for _ in range(5)]

    await asyncio.gather(*map(client, range(60)))
    helds = [
        await database.fetchval("SELECT held FROM balances WHERE tenant_id = $1", scope.tenant_id)
        for scope in scopes
    ]
    assert helds == [PRICE * 90, 0, 100]
    assert await faults(database) == []


async def test_a_bundle_of_messages_covers_them_whole(worker_pool, database, worker_engine):
    """However many parts: one message is one."""
    scope = await enrol(worker_engine, credit=100)
    batch = [drawing(scope, 2, parts=3, by_message=True) for _ in range(3)]
    assert [d.included for d in await send(worker_pool, *batch)] == [1, 1, 0]
    assert [(await row_of(database, m.id))["price_estimated"] for m in batch] == [0, 0, 15]
    assert await faults(database) == []


async def test_overage_without_credit_is_refused_and_draws_nothing(worker_pool, database, worker_engine):
    """The rest of a bundle is not eaten by a message that was not accepted."""
    scope = await enrol(worker_engine, credit=4)
    first, second, small = (drawing(scope, 3, parts=parts) for parts in (2, 2, 1))
    assert [d.included for d in await send(worker_pool, first)] == [2]
    (refused,) = await send(worker_pool, second)
    assert isinstance(refused, NoCredit)
    assert refused.needed == PRICE, "only the part beyond the bundle needs credit"
    assert await drawn(database, scope) == 2
    assert [d.included for d in await send(worker_pool, small)] == [1]
    assert await faults(database) == []


async def test_a_budget_counts_only_the_overage(worker_pool, database, worker_engine):
    """What is included costs nothing, so no cap stops it."""
    scope = await enrol(worker_engine, credit=100)
    cap = Budget("all", PRICE)
    batch = [drawing(scope, 3, parts=2, budgets=(cap,)) for _ in range(3)]
    decisions = await send(worker_pool, *batch)
    assert [getattr(decision, "included", None) for decision in decisions] == [2, 1, None]
    used = await database.fetchval(
        "SELECT used FROM spend_counters WHERE tenant_id = $1 AND name = 'all'", scope.tenant_id
    )
    assert used == PRICE
    assert await faults(database) == []


async def test_what_costs_nothing_after_all_is_included_again_at_once(worker_pool, database, worker_engine):
    """Also where every process believes the bundle spent: the belief is checked with each commit."""
    scope, guesses = await enrol(worker_engine, credit=100), Guesses()
    first, second, third, fourth = (drawing(scope, 1) for _ in range(4))
    for message, included in ((first, 1), (second, 0), (third, 0)):
        (decision,) = await send(worker_pool, message, guesses=guesses)
        assert decision.included == included
    await end(worker_pool, first, "failed")
    assert await drawn(database, scope) == 0
    (decision,) = await send(worker_pool, fourth, guesses=guesses)
    assert decision.included == 1
    assert await faults(database) == []


async def test_a_canceled_message_gives_back_what_it_drew_and_counted(worker_pool, database, worker_engine):
    """The tenant's own cancel takes the same way back as a refusal by AWS."""
    scope = await enrol(worker_engine, credit=100)
    async with worker_transaction(worker_engine) as session:
        key = accounts.data_key_of(await accounts.get(scope, session), SECRET_KEY)
    message = drawing(scope, 1, parts=3, budgets=(Budget("all", 50),), data_key=key)
    await send(worker_pool, message)
    await cancel_message(worker_pool, scope, message.id, key, datetime.now(UTC))
    counters = await database.fetch(
        "SELECT name, used FROM spend_counters WHERE tenant_id = $1 ORDER BY name", scope.tenant_id
    )
    assert [tuple(row) for row in counters] == [("all", 0), ("bundle", 0)]
    assert await faults(database) == []


async def test_a_late_receipt_takes_back_what_others_were_given_since(worker_pool, database, worker_engine):
    """It was accepted as included, so it stays so; what is above the bundle is the platform's."""
    scope = await enrol(worker_engine, credit=100)
    lost, other = drawing(scope, 1), drawing(scope, 1)
    await send(worker_pool, lost)
    await end(worker_pool, lost, "unknown")
    assert [d.included for d in await send(worker_pool, other)] == [1]
    for status in ("delivered", "delivered"):
        await end(worker_pool, lost, status, provider_message_id="aws-1", receipt_rank=5)
    await end(worker_pool, other, "delivered", provider_message_id="aws-2", receipt_rank=5)
    assert await drawn(database, scope) == 2
    paid = await database.fetchval("SELECT posted FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert paid == 100
    assert await faults(database) == []


def in_month(scope, included, at):
    """A send that was made at this instant."""
    message_id = UUID(int=new_uuid().int & ((1 << 80) - 1) | int(at.timestamp() * 1000) << 80)
    made = drawing(scope, included)
    month = month_of(created_at(message_id))
    return structs.replace(
        made,
        id=message_id,
        created_at=created_at(message_id),
        bundle=structs.replace(made.bundle, month=month),
    )


async def test_a_message_in_flight_over_the_turn_of_the_month_belongs_to_its_own(
    worker_pool, database, worker_engine
):
    """It draws on the month in which it was accepted, and gives back to that one."""
    scope = await enrol(worker_engine, credit=100)
    now = datetime.now(UTC)
    following = calendar_month(now).following.begin
    old, new = in_month(scope, 1, now), in_month(scope, 1, following)
    assert [d.included for d in await send(worker_pool, old, new)] == [1, 1]
    await end(worker_pool, old, "failed")
    assert [await drawn(database, scope), await drawn(database, scope, following.date())] == [0, 1]
    assert [d.included for d in await send(worker_pool, in_month(scope, 1, following))] == [0]
    assert await faults(database) == []


async def test_a_plan_that_changes_with_messages_in_flight_keeps_what_was_used(
    worker_pool, database, worker_engine
):
    """Lowered, raised, both in one commit, taken away: what was accepted keeps its price."""
    scope, guesses = await enrol(worker_engine, credit=1000), Guesses()

    async def included(*messages):
        return [d.included for d in await send(worker_pool, *messages, guesses=guesses)]

    kept = drawing(scope, 5, parts=4)
    assert await included(kept) == [4]
    assert await included(drawing(scope, 2, parts=2)) == [0], "lowered below what is used"
    assert await included(drawing(scope, 8, parts=3)) == [3], "raised: 4 are used"
    assert await included(drawing(scope, 8), drawing(scope, 9), drawing(scope, 8)) == [1, 1, 0]
    assert await included(new_message(scope)) == [0], "no bundle any more"
    await end(worker_pool, kept, "delivered", provider_message_id="aws", receipt_rank=5)
    assert (await row_of(database, kept.id))["price_final"] == 0
    assert await drawn(database, scope) == 9
    assert await faults(database) == []


async def test_the_statement_itemises_what_was_included_and_what_was_overage(
    worker_pool, database, worker_engine
):
    """Included parts cost nothing, the rest its price; both are on the line, also before it is counted."""
    scope = await enrol(worker_engine, credit=100)
    batch = [drawing(scope, 4, parts=3) for _ in range(3)]
    await send(worker_pool, *batch)
    for message, status in zip(batch, ("delivered", "delivered", "failed"), strict=True):
        await end(worker_pool, message, status, provider_message_id="aws", receipt_rank=5)
    now = datetime.now(UTC)
    for counting in (False, True):
        if counting:
            await count_all(worker_pool)
        async with worker_transaction(worker_engine) as session:
            found = await statement(scope, session, calendar_month(now), now=now)
        (account,) = found.accounts
        assert (account.bundle.included, account.bundle.used) == (4, 4)
        assert [(x.messages, x.parts, x.included, x.charged) for x in account.lines] == [(3, 9, 4, 10)]
        assert account.closing == 90
    assert await faults(database) == []


async def test_a_counter_that_is_wrong_is_found_and_put_right(worker_pool, database, worker_engine):
    """The reconciler proves bundles as it proves money."""
    scope = await enrol(worker_engine, credit=100)
    await send(worker_pool, drawing(scope, 10, parts=3))
    await database.execute(
        "UPDATE spend_counters SET used = 9 WHERE tenant_id = $1 AND name = 'bundle'", scope.tenant_id
    )
    found = [each for each in await every_difference(database) if each.tenant_id == scope.tenant_id]
    assert [(d.rule, d.expected, d.found) for d in found] == [("bundle_is_what_messages_drew", 3, 9)]
    assert await post_corrections(worker_pool, found, reason="a test") == []
    assert await faults(database) == []
