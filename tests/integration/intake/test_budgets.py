"""Monthly budgets on a real Postgres: never passed, given back, told once."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from sqlalchemy import text

from gateway.db.transaction import worker_transaction
from gateway.intake.batch import create_intake
from gateway.intake.commit import NoCredit, OverBudget, Stored, commit_batch
from gateway.messages.balance_notices import BalanceNotices
from gateway.messages.spend_notices import SpendNotices
from gateway.messages.state import lock, save
from tenants.accounts import service as accounts
from tenants.accounts.plan import AutoTopUp
from tenants.budgets import service
from tenants.budgets.budget import PLATFORM, Budget, counts_of, month_of, names_of
from tenants.budgets.recount import KNOWN_AFTER, recount, recount_due
from tenants.credits import service as credits_
from tenants.errors import InvalidInput
from tenants.ids import encode
from tenants.scope import TenantScope
from tests.harness.ledger import faults
from tests.harness.tenants import enrol, new_message
from tests.harness.waiting import until


class Silent:
    """Hears of commits and does nothing."""

    def committed(self, messages, decisions):
        """Take no notice."""


class Stopped:
    """A clock that stands."""

    def now(self):
        """Return one instant."""
        return datetime.now(UTC)


@pytest.fixture
async def intake(worker_pool):
    """A running intake with two flushers."""
    made = create_intake(worker_pool, Silent(), queue_size=2000)
    running = asyncio.create_task(made.run(flushers=2))
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def counted(scope, *budgets, platform=(), **changes):
    """A send that counts against budgets."""
    message = new_message(scope, cost_estimated=7, **changes)
    names = names_of(country="US", type_=message.type, account_id=None)
    month = month_of(message.created_at)
    own = counts_of(budgets, names, owner=scope.tenant_id, month=month, amount=message.hold)
    theirs = counts_of(platform, names, owner=PLATFORM, month=month, amount=message.cost_estimated)
    return structs.replace(message, counts=own + theirs)


async def used(database, owner, name="all"):
    """What a counter says."""
    return await database.fetchval(
        "SELECT used FROM spend_counters WHERE tenant_id = $1 AND name = $2", owner.tenant_id, name
    )


async def set_budgets(engine, scope, *budgets):
    """Set budgets as the operator does."""
    async with worker_transaction(engine) as session:
        return await service.put_budgets(scope, session, budgets, now=datetime.now(UTC))


async def recount_all_due(engine):
    """Recount what is due as the scheduler does, and return how many."""
    recounted, was_due = 0, True
    while was_due:
        async with worker_transaction(engine) as session:
            was_due = await recount_due(session)
        recounted += was_due
    return recounted


@pytest.mark.parametrize("cap", [0, 1, 77, 200])
async def test_64_clients_spend_exactly_the_budget(intake, database, worker_engine, cap):
    """A cap of k: k are stored, never one more, whatever the credit; the rest learn which budget it was."""
    scope = await enrol(worker_engine, credit=1000)
    budget = Budget("all", cap)

    async def client():
        return [await intake.submit(counted(scope, budget)) for _ in range(4)]

    answers = await asyncio.gather(*(client() for _ in range(64)))
    decisions = [decision for each in answers for decision in each]
    assert sum(isinstance(decision, Stored) for decision in decisions) == cap
    refused = [decision for decision in decisions if isinstance(decision, OverBudget)]
    assert len(refused) == 256 - cap
    assert {over.budget.name for over in refused} == {"all"}
    assert await used(database, scope) == cap
    assert await faults(database) == []


async def test_the_platforms_budget_is_shared_by_all_tenants(intake, database, worker_engine):
    """Many tenants' sends through one account never pass its cap together."""
    scopes = [await enrol(worker_engine, credit=1000) for _ in range(5)]
    await database.execute("DELETE FROM spend_counters WHERE tenant_id = $1", PLATFORM)
    cap = Budget("all", 7 * 60)

    async def client(number):
        return [await intake.submit(counted(scopes[number % 5], platform=(cap,))) for _ in range(4)]

    answers = await asyncio.gather(*(client(number) for number in range(64)))
    decisions = [decision for each in answers for decision in each]
    assert sum(isinstance(decision, Stored) for decision in decisions) == 60
    assert await used(database, TenantScope(tenant_id=PLATFORM)) == 7 * 60
    assert await faults(database) == []


async def test_a_send_that_fits_one_budget_and_not_another_counts_against_neither(
    worker_pool, database, worker_engine
):
    """Refused means that nothing moved."""
    scope = await enrol(worker_engine, credit=10)
    wide, narrow = Budget("all", 10), Budget("country:US", 0)
    async with worker_pool.acquire() as connection:
        (decision,) = await commit_batch(connection, [counted(scope, wide, narrow)])
    assert isinstance(decision, OverBudget)
    assert decision.budget.name == "country:US"
    assert await used(database, scope) == 0
    async with worker_pool.acquire() as connection:
        (decision,) = await commit_batch(connection, [counted(scope, wide, price_estimated=11)])
    assert isinstance(decision, OverBudget | NoCredit)
    assert await used(database, scope) == 0


@pytest.mark.parametrize(("status", "left"), [("failed", 0), ("canceled", 0), ("delivered", 1)])
async def test_what_costs_nothing_after_all_is_given_back(worker_pool, database, worker_engine, status, left):
    """The tenant's budget and the platform's follow the settlement."""
    scope = await enrol(worker_engine, credit=10)
    await database.execute("DELETE FROM spend_counters WHERE tenant_id = $1", PLATFORM)
    message = counted(
        scope, Budget("all", 5), Budget("type:otp", 5), platform=(Budget("all", 100),), type="otp"
    )
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [message])
        async with connection.transaction():
            state = (await lock(connection, [message.id]))[message.id]
            after = structs.replace(state, status=status)
            await save(connection, [(state, after)], now=datetime.now(UTC))
    assert [await used(database, scope), await used(database, scope, "type:otp")] == [left, left]
    assert await used(database, TenantScope(tenant_id=PLATFORM)) == 7 * left
    assert await faults(database) == []


async def test_a_late_receipt_counts_again_what_was_given_back(worker_pool, database, worker_engine):
    """Given up for lost, then delivered: it costs, so it counts."""
    scope = await enrol(worker_engine, credit=10)
    message = counted(scope, Budget("all", 5))
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [message])
        for status in ("unknown", "delivered", "delivered"):
            async with connection.transaction():
                state = (await lock(connection, [message.id]))[message.id]
                await save(
                    connection, [(state, structs.replace(state, status=status))], now=datetime.now(UTC)
                )
    assert await used(database, scope) == 1
    assert await faults(database) == []


async def test_a_budget_set_in_the_middle_of_a_month_begins_with_what_was_spent(
    worker_pool, database, worker_engine
):
    """Otherwise a new cap would allow its whole sum once more."""
    scope = await enrol(worker_engine, credit=10)
    messages = [new_message(scope) for _ in range(3)]
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, messages)
        async with connection.transaction():
            state = (await lock(connection, [messages[0].id]))[messages[0].id]
            await save(connection, [(state, structs.replace(state, status="failed"))], now=datetime.now(UTC))
    (use,) = await set_budgets(worker_engine, scope, Budget("country:US", 5))
    assert (use.used, use.left) == (2, 3)
    assert await set_budgets(worker_engine, scope) == []


async def test_a_recount_agrees_with_what_was_counted(worker_pool, database, worker_engine):
    """Two ways to the same number: send by send, and from the messages."""
    scope = await enrol(worker_engine, credit=100)
    budget = Budget("all", 100)
    await set_budgets(worker_engine, scope, budget)
    messages = [counted(scope, budget) for _ in range(9)]
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, messages)
        for number, status in enumerate(
            ("failed", "unknown", "delivered", "canceled", "sent", "undelivered")
        ):
            async with connection.transaction():
                state = (await lock(connection, [messages[number].id]))[messages[number].id]
                await save(
                    connection, [(state, structs.replace(state, status=status))], now=datetime.now(UTC)
                )
    before = await used(database, scope)
    async with worker_transaction(worker_engine) as session:
        assert await recount(scope, session, budget) == before == 5


@pytest.mark.parametrize(
    "end",
    [
        {"status": "undelivered", "receipt_name": "FILE_INACCESSIBLE", "receipt_rank": 5},
        {"status": "undelivered", "receipt_name": "NO_ANSWER", "channel": "voice", "call_seconds": 0},
    ],
)
async def test_a_recount_leaves_out_what_aws_took_and_nobody_pays(worker_pool, database, worker_engine, end):
    """A file that could not be read, a call of no length: both are given back, and stay so."""
    scope = await enrol(worker_engine, credit=100)
    budget = Budget("all", 50)
    await set_budgets(worker_engine, scope, budget)
    message = counted(scope, budget, channel=end.get("channel", "mms"), price_estimated=5)
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [message])
    async with worker_pool.acquire() as connection, connection.transaction():
        before = (await lock(connection, [message.id]))[message.id]
        after = structs.replace(before, provider_message_id="aws-1", **end)
        await save(connection, [(before, after)], now=datetime.now(UTC))
    assert await used(database, scope) == 0
    async with worker_transaction(worker_engine) as session:
        assert await recount(scope, session, budget) == 0


async def test_a_budget_is_counted_once_more_when_every_process_must_know_it(
    worker_pool, database, worker_engine
):
    """What was accepted by a process that had not yet heard of the budget counts, too."""
    scope = await enrol(worker_engine, credit=100)
    budget = Budget("all", 100)
    await set_budgets(worker_engine, scope, budget)
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [new_message(scope)])
    await database.execute(
        "UPDATE budgets SET set_at = now() - $2::interval - interval '1 s' WHERE tenant_id = $1",
        scope.tenant_id,
        KNOWN_AFTER,
    )
    assert await used(database, scope) == 0
    assert await recount_all_due(worker_engine) >= 1
    assert await used(database, scope) == 1
    assert await recount_all_due(worker_engine) == 0


async def test_a_recount_and_a_send_wait_for_each_other_in_one_order(worker_pool, database, worker_engine):
    """A send has its tenant's balance when it counts against the platform's budget; so has a recount."""
    scope = await enrol(worker_engine, credit=100)
    platform = TenantScope(tenant_id=PLATFORM)
    await set_budgets(worker_engine, scope, Budget("all", 100))
    await set_budgets(worker_engine, platform, Budget("all", 10**9))

    try:
        await database.execute(
            "UPDATE budgets SET set_at = now() - $1::interval - interval '1 s', counted = false", KNOWN_AFTER
        )
        async with worker_pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "SELECT 1 FROM balances WHERE tenant_id = $1 FOR UPDATE", scope.tenant_id
            )
            recount_ = asyncio.create_task(recount_all_due(worker_engine))
            own = await connection.fetchval("SELECT pg_backend_pid()")
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
            await until(lambda: database.fetchval(blocked, own))
            await connection.execute(
                "UPDATE spend_counters SET used = used + 1 WHERE tenant_id = $1 AND name = 'all'", PLATFORM
            )
        await recount_
    finally:
        await set_budgets(worker_engine, platform)


async def test_budgets_are_set_while_one_of_them_is_recounted(database, worker_engine):
    """Who sets them has the balance and wants the budget; a recount that had it would want the balance."""
    scope = await enrol(worker_engine, credit=100)
    await set_budgets(worker_engine, scope, Budget("all", 100), Budget("type:otp", 50))
    await database.execute(
        "UPDATE budgets SET set_at = now() - $2::interval - interval '1 s' WHERE tenant_id = $1",
        scope.tenant_id,
        KNOWN_AFTER,
    )
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    async with worker_transaction(worker_engine) as session:
        await credits_.unit_to_move(scope, session)
        own = await session.scalar(text("SELECT pg_backend_pid()"))
        recount_ = asyncio.create_task(recount_all_due(worker_engine))
        await until(lambda: database.fetchval(blocked, own))
        changed = [Budget("all", 90), Budget("type:otp", 40)]
        await service.put_budgets(scope, session, changed, now=datetime.now(UTC))
    await recount_
    async with worker_transaction(worker_engine) as session:
        found = await service.uses(scope, session, now=datetime.now(UTC))
    assert [(each.name, each.cap) for each in found] == [("all", 90), ("type:otp", 40)]


@pytest.mark.parametrize("owner", ["tenant", "platform"])
async def test_of_two_who_set_budgets_at_once_the_later_one_holds_whole(database, worker_engine, owner):
    """Each replaces all of them: what holds then is what somebody asked for, and no mixture."""
    platform = TenantScope(tenant_id=PLATFORM)
    scope = platform if owner == "platform" else await enrol(worker_engine, credit=100)
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    await set_budgets(worker_engine, scope)
    try:
        async with worker_transaction(worker_engine) as session:
            await service.put_budgets(scope, session, [Budget("all", 10**9)], now=datetime.now(UTC))
            own = await session.scalar(text("SELECT pg_backend_pid()"))
            later = asyncio.create_task(set_budgets(worker_engine, scope, Budget("type:otp", 10**9)))

            async def waits_or_is_done():
                return later.done() or await database.fetchval(blocked, own)

            await until(waits_or_is_done)
        await later
        async with worker_transaction(worker_engine) as session:
            found = await service.uses(scope, session, now=datetime.now(UTC))
        assert [each.name for each in found] == ["type:otp"]
    finally:
        await set_budgets(worker_engine, platform)


async def told(database, scope, event):
    """The levels a tenant was told, in order."""
    rows = await database.fetch(
        "SELECT data ->> 'percent' AS percent FROM events WHERE tenant_id = $1 AND type = $2 ORDER BY id",
        scope.tenant_id,
        event,
    )
    return [int(row["percent"]) for row in rows]


async def test_budgets_do_not_outlive_the_unit_that_they_count_in(worker_pool, database, worker_engine):
    """A cap of five dollars would be one of five million credits, and a dollar spent a million of them."""
    scope = await enrol(worker_engine, credit=0)
    async with worker_transaction(worker_engine) as session:
        await accounts.update_plan(scope, session, {"pricing": "dollars"})
        await credits_.top_up(scope, session, amount=7)
    dollars = new_message(scope, unit="micros", price_estimated=7)
    async with worker_pool.acquire() as connection:
        assert [type(each) for each in await commit_batch(connection, [dollars])] == [Stored]
    async with worker_pool.acquire() as connection, connection.transaction():
        before = (await lock(connection, [dollars.id]))[dollars.id]
        await save(connection, [(before, structs.replace(before, status="delivered"))], now=datetime.now(UTC))
    await set_budgets(worker_engine, scope, Budget("all", 5_000_000))
    async with worker_transaction(worker_engine) as session:
        with pytest.raises(InvalidInput) as refused:
            await accounts.update_plan(scope, session, {"pricing": "credits"})
        assert (refused.value.field, refused.value.code) == ("/plan/pricing", "budgets_set")
        assert (await credits_.balance(scope, session)).unit == "micros"
    await set_budgets(worker_engine, scope)
    async with worker_transaction(worker_engine) as session:
        await accounts.update_plan(scope, session, {"pricing": "credits"})
    (use,) = await set_budgets(worker_engine, scope, Budget("all", 5))
    assert (use.used, use.left) == (0, 5)


async def test_what_was_paid_in_another_unit_is_not_given_back_to_a_budget(
    worker_pool, database, worker_engine
):
    """Seven million micro-dollars that turn out to cost nothing are not seven million credits to spend."""
    scope = await enrol(worker_engine, credit=0)
    price = 7_000_000
    async with worker_transaction(worker_engine) as session:
        await accounts.update_plan(scope, session, {"pricing": "dollars"})
        await credits_.top_up(scope, session, amount=price)
    dollars = new_message(scope, unit="micros", price_estimated=price)
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [dollars])
    await end(worker_pool, dollars, status="delivered", provider_message_id="aws-1")
    async with worker_transaction(worker_engine) as session:
        await accounts.update_plan(scope, session, {"pricing": "credits"})
        await credits_.top_up(scope, session, amount=100)
    budget = Budget("all", 50)
    await set_budgets(worker_engine, scope, budget)
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [counted(scope, budget, price_estimated=20)])
    await end(worker_pool, dollars, status="undelivered", provider_price_micros=0)
    assert await used(database, scope) == 20
    async with worker_transaction(worker_engine) as session:
        assert await recount(scope, session, budget) == 20


async def end(pool, message, **changes):
    """Save a state as dispatch and receipts do."""
    async with pool.acquire() as connection, connection.transaction():
        before = (await lock(connection, [message.id]))[message.id]
        await save(connection, [(before, structs.replace(before, **changes))], now=datetime.now(UTC))


async def test_each_share_of_a_budget_is_told_once_a_month(worker_pool, database, worker_engine):
    """50, 80 and 100 %, however often the round looks and whatever is given back meanwhile."""
    scope = await enrol(worker_engine, credit=100)
    budget, notices = Budget("all", 10), SpendNotices(worker_pool)
    await set_budgets(worker_engine, scope, budget)
    for sends, expected in (
        (4, []),
        (2, [50]),
        (2, [50, 80]),
        (1, [50, 80]),
        (1, [50, 80, 100]),
        (1, [50, 80, 100]),
    ):
        async with worker_pool.acquire() as connection:
            for _ in range(sends):
                await commit_batch(connection, [counted(scope, budget)])
        await notices.tell()
        await notices.tell()
        assert await told(database, scope, "spend.threshold") == expected


async def test_a_raised_budget_is_told_of_again(worker_pool, database, worker_engine):
    """Sends stop at the new cap, too: its owner hears of it before they do, and of no share twice."""
    scope = await enrol(worker_engine, credit=100)
    small, large, notices = Budget("all", 10), Budget("all", 20), SpendNotices(worker_pool)

    async def spend(budget, amount):
        async with worker_pool.acquire() as connection:
            await commit_batch(connection, [counted(scope, budget, price_estimated=amount)])
        await notices.tell()
        return await told(database, scope, "spend.threshold")

    await set_budgets(worker_engine, scope, small)
    assert await spend(small, 10) == [50, 80, 100]
    await set_budgets(worker_engine, scope, large)
    await notices.tell()
    assert await spend(large, 5) == [50, 80, 100]
    assert await spend(large, 5) == [50, 80, 100, 80, 100]
    await set_budgets(worker_engine, scope, Budget("all", 15))
    await notices.tell()
    assert await told(database, scope, "spend.threshold") == [50, 80, 100, 80, 100]


async def test_a_refused_send_is_the_end_of_a_budget_that_is_not_quite_used(
    worker_pool, database, worker_engine
):
    """Its owner is told when sends stop, not when the last cent is gone."""
    scope = await enrol(worker_engine, credit=100)
    budget = Budget("all", 10)
    await set_budgets(worker_engine, scope, budget)
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [counted(scope, budget, price_estimated=9)])
        await commit_batch(connection, [counted(scope, budget, price_estimated=2)])
    await SpendNotices(worker_pool).tell()
    assert await told(database, scope, "spend.threshold") == [50, 80, 100]


async def test_a_low_balance_is_told_once_per_crossing(worker_pool, database, worker_engine):
    """At 50, 20 and 10 % of the last top-up and at empty; a top-up arms them again."""
    scope = await enrol(worker_engine, credit=100)
    notices = BalanceNotices(worker_pool, Stopped())

    async def spend(amount):
        async with worker_pool.acquire() as connection:
            (decision,) = await commit_batch(connection, [new_message(scope, price_estimated=amount)])
        await notices.tell()
        await notices.tell()
        return decision

    await spend(49)
    assert await told(database, scope, "credits.low") == []
    await spend(1)
    assert await told(database, scope, "credits.low") == [50]
    await spend(42)
    assert await told(database, scope, "credits.low") == [50, 20, 10]
    assert isinstance(await spend(9), NoCredit)
    assert await told(database, scope, "credits.low") == [50, 20, 10, 0]
    async with worker_transaction(worker_engine) as session:
        await credits_.top_up(scope, session, amount=10)
    await notices.tell()
    await spend(16)
    assert await told(database, scope, "credits.low") == [50, 20, 10, 0, 50, 20]


async def test_what_the_operator_gives_ends_a_refusal_for_want_of_credit(
    worker_pool, database, worker_engine
):
    """An adjustment fills a balance as a top-up does; what it falls to afterwards is told again."""
    scope = await enrol(worker_engine, credit=100)
    notices = BalanceNotices(worker_pool, Stopped())
    async with worker_pool.acquire() as connection:
        (refused,) = await commit_batch(connection, [new_message(scope, price_estimated=101)])
    assert isinstance(refused, NoCredit)
    await notices.tell()
    assert await told(database, scope, "credits.low") == [50, 20, 10, 0]
    async with worker_transaction(worker_engine) as session:
        await credits_.adjust(scope, session, amount=100)
    await notices.tell()
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [new_message(scope, price_estimated=150)])
    await notices.tell()
    assert await told(database, scope, "credits.low") == [50, 20, 10, 0, 50]


async def test_tenants_that_wish_to_be_asked_do_not_keep_others_from_being_told(
    worker_pool, database, worker_engine
):
    """A round is bounded; however many tenants have `auto_top_up` and enough credit, it reaches the next."""
    wish = AutoTopUp(below="10", amount="50")
    await enrol(worker_engine, credit=100, auto_top_up=wish)
    scope = await enrol(worker_engine, credit=100)
    notices = BalanceNotices(worker_pool, Stopped())
    while await notices.tell():
        pass  # what other tests left to be told
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [new_message(scope, price_estimated=60)])
    await notices.tell(at_once=1)
    assert await told(database, scope, "credits.low") == [50]


async def test_a_balance_is_not_measured_by_a_top_up_in_another_unit(worker_pool, database, worker_engine):
    """Five hundred credits are not little beside ten million micro-dollars; none at all is empty."""
    scope = await enrol(worker_engine)
    notices = BalanceNotices(worker_pool, Stopped())
    async with worker_transaction(worker_engine) as session:
        await accounts.update_plan(scope, session, {"pricing": "dollars"})
        await credits_.top_up(scope, session, amount=10_000_000)
        await credits_.adjust(scope, session, amount=-10_000_000)
        await accounts.update_plan(scope, session, {"pricing": "credits"})
        await credits_.adjust(scope, session, amount=500)
    await notices.tell()
    assert await told(database, scope, "credits.low") == []
    async with worker_transaction(worker_engine) as session:
        await credits_.adjust(scope, session, amount=-500)
    await notices.tell()
    rows = await database.fetch(
        "SELECT data FROM events WHERE tenant_id = $1 AND type = 'credits.low' ORDER BY id", scope.tenant_id
    )
    assert {(data["last_top_up"], data["unit"]) for data in (json.loads(row["data"]) for row in rows)} == {
        ("0", "credits")
    }
    assert (await told(database, scope, "credits.low"))[-1] == 0


async def test_a_balance_beyond_all_others_is_no_trouble(worker_pool, database, worker_engine):
    """Hundreds of top-ups of the largest amount; the round goes on for everybody."""
    scope = await enrol(worker_engine, credit=10**12)
    async with worker_transaction(worker_engine) as session:
        for _ in range(3):
            await credits_.adjust(scope, session, amount=3 * 10**17)
    await BalanceNotices(worker_pool, Stopped()).tell()
    assert await told(database, scope, "credits.low") == []


async def test_a_top_up_is_asked_for_once_and_again_after_it_came(worker_pool, database, worker_engine):
    """The burst guard: one request at a time, and so many a day."""
    wish = AutoTopUp(below="10", amount="50", most_per_day=2)
    scope = await enrol(worker_engine, credit=20, auto_top_up=wish)
    notices = BalanceNotices(worker_pool, Stopped())

    async def asked(spent):
        async with worker_pool.acquire() as connection:
            await commit_batch(connection, [new_message(scope, price_estimated=spent)])
        for _ in range(3):
            await notices.tell()
        return await database.fetchval(
            "SELECT count(*) FROM events WHERE tenant_id = $1 AND type = 'credits.top_up_requested'",
            scope.tenant_id,
        )

    assert await asked(5) == 0
    assert await heard_by_operator(database, scope) == []
    await listen_as_operator(database)
    assert await asked(5) == 1
    assert await heard_by_operator(database, scope) == ["credits.top_up_requested"]
    for expected in (2, 2):
        async with worker_transaction(worker_engine) as session:
            await credits_.top_up(scope, session, amount=50)
        assert await asked(50) == expected


async def listen_as_operator(database):
    """Give the operator an endpoint of its own."""
    await database.execute(
        "INSERT INTO webhook_endpoints (tenant_id, id, url, description, events, secret_sealed) "
        "VALUES ($1, $2, 'https://operator.example/', '', '{}', 'sealed')",
        UUID(int=0),
        uuid4(),
    )


async def heard_by_operator(database, scope):
    """What was told of a tenant to the operator, in order."""
    rows = await database.fetch(
        "SELECT type FROM events WHERE tenant_id = $1 AND data ->> 'tenant' = $2 AND type <> 'credits.low' "
        "ORDER BY id",
        UUID(int=0),
        encode("ten", scope.tenant_id),
    )
    return [row["type"] for row in rows]


@pytest.mark.parametrize("state", ["enabled", "disabled"])
async def test_the_operator_hears_of_every_low_balance_once_it_listens(
    worker_pool, database, worker_engine, state
):
    """
    One endpoint for the billing of all tenants; each event says of whom, the tenant's own does not.

    What comes while it is disabled is kept, to be replayed.
    """
    await listen_as_operator(database)
    await database.execute("UPDATE webhook_endpoints SET state = $2 WHERE tenant_id = $1", UUID(int=0), state)
    scope = await enrol(worker_engine, credit=100)
    async with worker_pool.acquire() as connection:
        await commit_batch(connection, [new_message(scope, price_estimated=60)])
    await BalanceNotices(worker_pool, Stopped()).tell()
    rows = await database.fetch(
        "SELECT tenant_id, data FROM events WHERE type = 'credits.low' "
        "AND (tenant_id = $1 OR data ->> 'tenant' = $2)",
        scope.tenant_id,
        encode("ten", scope.tenant_id),
    )
    said = {row["tenant_id"]: json.loads(row["data"]) for row in rows}
    own = said[scope.tenant_id]
    assert own["percent"] == 50
    assert said == {
        scope.tenant_id: own, UUID(int=0): own | {"tenant": encode("ten", scope.tenant_id)}
    }  # fmt: skip
