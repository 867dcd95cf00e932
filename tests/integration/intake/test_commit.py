"""The group commit of sends on a real Postgres: races, poison, lost connections."""

import asyncio

import asyncpg
import pytest

from gateway.db.group_commit import GroupCommit
from gateway.errors import Overloaded, Unavailable
from gateway.intake.batch import create_intake
from gateway.intake.commit import KeyMismatch, NoCredit, Replay, Stored, commit_batch
from gateway.telemetry import metrics
from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tests.harness.ledger import faults
from tests.harness.tenants import accept, enrol, new_message
from tests.harness.waiting import until

KILL_WRITERS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'tollgate-worker' AND state <> 'idle'
"""


class Pushed:
    """Hears of commits, as the lane pusher does."""

    def __init__(self):
        self.ids = []

    def committed(self, messages, decisions):
        """Keep the ids of what was stored."""
        self.ids += [m.id for m, d in zip(messages, decisions, strict=True) if isinstance(d, Stored)]


@pytest.fixture
async def intake(worker_pool):
    """A running intake with two flushers."""
    made = create_intake(worker_pool, Pushed(), queue_size=2000)
    running = asyncio.create_task(made.run(flushers=2))
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def stored_of(database, *scopes):
    """How many messages the tenants have."""
    return await database.fetchval(
        "SELECT count(*) FROM messages WHERE tenant_id = ANY ($1::uuid[])",
        [scope.tenant_id for scope in scopes],
    )


async def clients(intake, make, *, count, each):
    """Let `count` clients submit `each` sends one after the other, all at once."""

    async def client():
        return [await intake.submit(make()) for _ in range(each)]

    return [
        decision
        for answers in await asyncio.gather(*(client() for _ in range(count)))
        for decision in answers
    ]


class Heard:
    """A connection that keeps what it is told."""

    def __init__(self):
        self.columns = ()

    async def execute(self, _statement, *columns):
        """Keep the arguments."""
        self.columns = columns


async def test_the_ids_of_a_batch_travel_once():
    """Five of the tables that a send is written to name it; the driver would write each of them."""
    scope, connection = TenantScope(tenant_id=new_uuid()), Heard()
    batch = [new_message(scope) for _ in range(3)]
    await commit_batch(connection, batch)
    ids = [message.id for message in batch]
    arrays = [list(column) for column in connection.columns if isinstance(column, list | tuple)]
    assert arrays.count(ids) == 1


@pytest.mark.parametrize("budget", [0, 1, 77, 200])
async def test_64_clients_spend_exactly_the_credit_there_is(intake, database, worker_engine, budget):
    """Credit for k of n: k are stored, never one more, and the rest are told."""
    scope = await enrol(worker_engine, credit=budget)
    decisions = await clients(intake, lambda: new_message(scope), count=64, each=4)
    assert sum(isinstance(decision, Stored) for decision in decisions) == budget
    assert sum(isinstance(decision, NoCredit) for decision in decisions) == 256 - budget
    assert await stored_of(database, scope) == budget
    assert await faults(database) == []


async def test_64_clients_of_several_tenants_never_spend_each_others_credit(intake, database, worker_engine):
    """Batches mix tenants and lock their balances in one order: no deadlock, no overspending."""
    scopes = [await enrol(worker_engine, credit=budget) for budget in (3, 40, 0, 11, 100)]
    made = iter([new_message(scopes[n % 5]) for n in range(64 * 5)])
    decisions = await clients(intake, lambda: next(made), count=64, each=5)
    assert [await stored_of(database, scope) for scope in scopes] == [3, 40, 0, 11, 64]
    assert sum(isinstance(decision, Stored) for decision in decisions) == 118
    assert await faults(database) == []


async def test_prices_of_different_size_fill_the_budget_and_never_pass_it(intake, database, worker_engine):
    """Multi-part sends race with small ones for the last credits."""
    scope = await enrol(worker_engine, credit=50)
    sizes = iter([1, 2, 3, 7] * 64)
    await clients(intake, lambda: new_message(scope, price_estimated=next(sizes)), count=64, each=4)
    row = await database.fetchrow("SELECT posted, held FROM balances WHERE tenant_id = $1", scope.tenant_id)
    assert dict(row) == {"posted": 50, "held": 50}
    assert await faults(database) == []


async def test_100_parallel_sends_with_one_key_make_one_message(intake, database, worker_engine):
    """A double submit is one message; each of the hundred learns which."""
    scope = await enrol(worker_engine, credit=500)
    decisions = await clients(intake, lambda: new_message(scope, key="same"), count=100, each=1)
    [message_id] = [
        row["id"]
        for row in await database.fetch("SELECT id FROM messages WHERE tenant_id = $1", scope.tenant_id)
    ]
    assert sum(isinstance(decision, Stored) for decision in decisions) == 1
    assert decisions.count(Replay(message_id)) == 99
    assert await faults(database) == []


async def test_the_same_key_for_another_request_is_a_mismatch_in_any_race(intake, database, worker_engine):
    """Two bodies under one key: one is stored, the other is never sent."""
    scope = await enrol(worker_engine, credit=500)
    prints = iter([b"one", b"two"] * 50)
    decisions = await clients(
        intake, lambda: new_message(scope, key="same", fingerprint=next(prints)), count=100, each=1
    )
    assert await stored_of(database, scope) == 1
    assert decisions.count(KeyMismatch()) == 50
    assert sum(isinstance(decision, Replay) for decision in decisions) == 49


async def test_an_expired_key_may_be_used_for_something_new(worker_pool, database, worker_engine):
    """A key is kept for its promise, not for good."""
    scope = await enrol(worker_engine, credit=5)
    await accept(worker_pool, new_message(scope, key="k"))
    await database.execute(
        "UPDATE idempotency_keys SET expires_at = now() - interval '1 s' WHERE tenant_id = $1",
        scope.tenant_id,
    )
    [again] = await accept(worker_pool, new_message(scope, key="k", fingerprint=b"new"))
    stored = await database.fetchrow(
        "SELECT message_id, fingerprint FROM idempotency_keys WHERE tenant_id = $1", scope.tenant_id
    )
    assert (stored["message_id"], stored["fingerprint"]) == (again.id, b"new")


@pytest.mark.parametrize(
    "poison",
    [
        {"client_reference": "nul \x00"},
        {"context": {"k": "nul \x00"}},
        {"parts": 0},
        {"type": "nonsense"},
    ],
    ids=str,
)
async def test_a_poison_row_fails_alone(intake, database, worker_engine, poison):
    """63 others of the batch are stored; the one that the database refuses is told so, and holds nothing."""
    scope = await enrol(worker_engine, credit=500)
    batch = [new_message(scope) for _ in range(63)]
    batch.insert(31, new_message(scope, **poison))
    answers = await asyncio.gather(*(intake.submit(message) for message in batch), return_exceptions=True)
    assert isinstance(answers[31], Unavailable)
    assert sum(isinstance(answer, Stored) for answer in answers) == 63
    assert await stored_of(database, scope) == 63
    assert await faults(database) == []


async def test_a_killed_flusher_answers_the_truth_or_unavailable(database, worker_pool, worker_engine):
    """Backends are terminated under load: whoever got Stored is stored, nobody hangs, nothing is half."""
    intake = create_intake(worker_pool, Pushed(), queue_size=5000)
    running = asyncio.create_task(intake.run(flushers=2))
    scope = await enrol(worker_engine, credit=1_000_000)
    answers = {}

    async def client():
        sent = 0
        while sent < 40 or not kills:
            message, sent = new_message(scope), sent + 1
            try:
                answers[message.id] = await intake.submit(message)
            except Unavailable:
                answers[message.id] = None

    async def kill_a_writer_every_fifty_answers():
        while len(kills) < 10:
            last = len(answers)
            await until(lambda last=last: _as_answer(len(answers) >= last + 50))
            kills.append(await until(lambda: database.fetchval(KILL_WRITERS)))

    kills = []
    killer = asyncio.create_task(kill_a_writer_every_fifty_answers())
    async with asyncio.timeout(60):
        await asyncio.gather(*(client() for _ in range(50)))
    running.cancel()
    killer.cancel()
    await asyncio.gather(killer, running, return_exceptions=True)
    rows = {
        row["id"]
        for row in await database.fetch("SELECT id FROM messages WHERE tenant_id = $1", scope.tenant_id)
    }
    told = {message_id for message_id, answer in answers.items() if isinstance(answer, Stored)}
    assert kills, "no writer was caught at work"
    assert told - rows == set(), "a 202 without a message"
    assert len(told) > 1000
    assert await faults(database) == []


async def test_a_commit_whose_answer_was_lost_is_found_again(worker_pool, database, worker_engine):
    """The transaction committed, the connection died before it could say so: the caller gets Stored."""
    scope = await enrol(worker_engine, credit=5)

    async def commit_and_die(connection, batch):
        await commit_batch(connection, batch)
        await database.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await connection.fetchval("SELECT 1")

    intake = create_intake(worker_pool, Pushed(), queue_size=10)
    intake._write = commit_and_die
    running = asyncio.create_task(intake.run(flushers=1))
    message = new_message(scope)
    answer = await asyncio.wait_for(intake.submit(message), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert answer == Stored(batch_id=None), "the relay owes the push"
    assert await stored_of(database, scope) == 1
    assert await database.fetchval(
        "SELECT count(*) FROM outbox_batches WHERE $1 = ANY (message_ids)", message.id
    )


async def test_a_full_line_is_refused_at_once(worker_pool, worker_engine):
    """Memory is bounded: what cannot be stored in time is told to come again."""
    scope = await enrol(worker_engine, credit=5)
    intake = create_intake(worker_pool, Pushed(), queue_size=3)
    waiting = [asyncio.create_task(intake.submit(new_message(scope))) for _ in range(3)]
    await until(lambda: _as_answer(len(intake._line) == 3))
    with pytest.raises(Overloaded):
        await intake.submit(new_message(scope))
    running = asyncio.create_task(intake.run(flushers=1))
    assert all(isinstance(answer, Stored) for answer in await asyncio.gather(*waiting))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_stopping_process_tells_everyone_who_waits(worker_pool, worker_engine):
    """Nobody hangs on a process that is going away."""
    scope = await enrol(worker_engine, credit=500)
    stuck = asyncio.Event()

    async def never(_connection, _batch):
        stuck.set()
        await asyncio.Event().wait()

    intake = GroupCommit(
        worker_pool,
        never,
        queue_size=10,
        max_batch=1,
        sizes=metrics.INTAKE_BATCH_MESSAGES,
        seconds=metrics.INTAKE_COMMIT_SECONDS,
    )
    running = asyncio.create_task(intake.run(flushers=1))
    waiting = [asyncio.create_task(intake.submit(new_message(scope))) for _ in range(3)]
    await stuck.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    with pytest.raises(Overloaded):
        await intake.submit(new_message(scope))


async def test_the_ledger_checker_notices_each_kind_of_damage(database, worker_pool, worker_engine):
    """Money that was moved behind the ledger's back must not pass as sound."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope))
    damages = [
        "UPDATE balances SET posted = posted + 1 WHERE tenant_id = $1",
        "DELETE FROM ledger_transfers WHERE tenant_id = $1 AND kind = 'hold'",
        "UPDATE messages SET status = 'delivered' WHERE tenant_id = $1",
        "DELETE FROM messages WHERE tenant_id = $1",
    ]
    assert await faults(database) == []
    for damage in damages:
        async with database.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(damage, scope.tenant_id)
            assert await faults(connection) != [], damage
            await transaction.rollback()
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute(
            "UPDATE ledger_transfers SET held = held + 1 WHERE subject_id = $1", message.id
        )


async def _as_answer(value):
    return value


async def test_a_batch_of_a_thousand_is_one_transaction(intake, database, worker_engine):
    """A reader sees all of it or nothing: every row was written by one transaction."""
    scope = await enrol(worker_engine, credit=1000)
    decisions = await intake.submit_together([new_message(scope) for _ in range(1000)])
    assert all(isinstance(decision, Stored) for decision in decisions)
    written_by = "SELECT count(DISTINCT xmin::text) FROM messages WHERE tenant_id = $1"
    assert await database.fetchval(written_by, scope.tenant_id) == 1
    assert await faults(database) == []


async def test_a_batch_beyond_the_credit_is_decided_item_by_item_in_one_transaction(
    intake, database, worker_engine
):
    """The first ones are stored and the rest are told, still by one commit; a used key is replayed."""
    scope = await enrol(worker_engine, credit=7)
    first = new_message(scope, key="item-0")
    assert isinstance(await intake.submit(first), Stored)
    again = new_message(scope, key="item-0")
    decisions = await intake.submit_together([again, *(new_message(scope) for _ in range(9))])
    assert decisions[0] == Replay(first.id)
    assert [type(decision) for decision in decisions[1:]] == [Stored] * 6 + [NoCredit] * 3
    written_by = "SELECT count(DISTINCT xmin::text) FROM messages WHERE tenant_id = $1"
    assert await database.fetchval(written_by, scope.tenant_id) == 2
    assert await faults(database) == []
