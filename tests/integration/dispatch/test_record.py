"""Marks and records on Postgres: one worker per attempt, money with the status, nothing lost on the way."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.dispatch import record as record_module
from gateway.dispatch.record import Expired, Recorder
from tests.harness.ledger import faults
from tests.harness.tenants import accept, enrol, new_message, queue_row, row_of
from tests.harness.waiting import until
from tests.integration.dispatch.conftest import UNKNOWN_WAIT


async def test_of_many_workers_one_gets_the_message(worker_pool, worker_engine, marked):
    """An entry that stands twice in a lane is sent once."""
    scope = await enrol(worker_engine, credit=50)
    ids = [message.id for message in await accept(worker_pool, *(new_message(scope) for _ in range(50)))]
    claims = await asyncio.gather(*(marked(*ids) for _ in range(8)))
    assert sorted(each.message_id for claim in claims for each in claim) == sorted(ids)


async def test_a_mark_finds_messages_of_any_age_together(worker_pool, worker_engine, marked):
    """The query is bounded by the ids' own instants, which must cover the oldest and the newest."""
    scope = await enrol(worker_engine, credit=2)
    old, new = new_message(scope), new_message(scope)
    await accept(worker_pool, old, new)
    assert {each.message_id for each in await marked(new.id, old.id)} == {old.id, new.id}


@pytest.mark.parametrize(
    ("result", "status", "posted", "held", "queue"),
    [
        (Sent(provider_message_id="aws-x"), "sent", 5, 5, None),
        (Refused(code="no_originator", detail="none"), "failed", 5, 0, None),
        (Expired(), "expired", 5, 0, None),
        (NotSent(reason="throttled", retry_after_ms=10), "queued", 5, 5, "scheduled"),
        (Unknown(reason="timeout"), "dispatching", 5, 5, "unknown"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_result_moves_status_money_and_queue_together(
    worker_pool, database, worker_engine, marked, recorder, result, status, posted, held, queue
):
    """What was refused or expired costs nothing; what may be out stays held."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope, price_estimated=5))
    [mine] = await marked(message.id)
    recorder.put(mine, result)
    await recorder.drained()
    row, waiting = await row_of(database, message.id), await queue_row(database, message.id)
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", scope.tenant_id
    )
    assert (row["status"], dict(balance)) == (status, {"posted": posted, "held": held})
    assert (waiting["state"] if waiting else None) == queue
    assert await faults(database) == []


async def test_a_record_written_twice_changes_nothing_the_second_time(
    worker_pool, database, worker_engine, marked, recorder
):
    """A recorder that lost its connection after the commit writes its batch again."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope))
    [mine] = await marked(message.id)
    for _ in range(2):
        recorder.put(mine, Refused(code="opted_out", detail="x"))
        await recorder.drained()
    events = await database.fetchval(
        "SELECT count(*) FROM events WHERE type = 'message.failed' AND message_id = $1", message.id
    )
    assert events == 1
    assert await faults(database) == []


async def test_a_record_of_an_old_attempt_does_not_touch_the_new_ones_queue_row(
    worker_pool, database, worker_engine, marked, recorder
):
    """A worker that wakes up after its lease must not take the row of the attempt that replaced it."""
    scope = await enrol(worker_engine, credit=5)
    [message] = await accept(worker_pool, new_message(scope))
    [first] = await marked(message.id)
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    [second] = await marked(message.id)
    assert (first.attempt, second.attempt) == (1, 2)
    recorder.put(first, NotSent(reason="mark_too_old", retry_after_ms=0))
    await recorder.drained()
    row = await queue_row(database, message.id)
    assert (row["state"], row["attempt"]) == ("dispatching", 2)


async def test_results_are_written_although_the_database_was_away_for_a_moment(
    worker_pool, database, worker_engine, marked, recorder
):
    """A result that is dropped would turn a sure send into an unknown one."""
    scope = await enrol(worker_engine, credit=20)
    ids = [message.id for message in await accept(worker_pool, *(new_message(scope) for _ in range(20)))]
    claimed = await marked(*ids)
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'tollgate-worker'"
    )
    for number, mine in enumerate(claimed):
        recorder.put(mine, Sent(provider_message_id=f"aws-{number}"))
    await asyncio.wait_for(recorder.drained(), 10)
    assert (
        await database.fetchval("SELECT count(*) FROM messages WHERE id = ANY ($1) AND status = 'sent'", ids)
        == 20
    )


async def test_results_put_after_the_stop_are_still_written(
    worker_pool, database, worker_engine, marked, clock
):
    """On SIGTERM all tasks are cancelled at once; the calls under way end later and must be recorded."""
    scope = await enrol(worker_engine, credit=2)
    before, after = await accept(worker_pool, new_message(scope), new_message(scope))
    recorder = Recorder(worker_pool, clock, unknown_wait=timedelta(seconds=90))
    running = asyncio.create_task(recorder.run())
    claimed = {each.message_id: each for each in await marked(before.id, after.id)}
    recorder.put(claimed[before.id], Sent(provider_message_id="aws-before"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recorder.put(claimed[after.id], Sent(provider_message_id="aws-after"))
    await asyncio.wait_for(recorder.drained(), 5)
    statuses = await database.fetch("SELECT status FROM messages WHERE tenant_id = $1", scope.tenant_id)
    assert [row["status"] for row in statuses] == ["sent", "sent"]


async def test_a_message_whose_life_is_over_is_never_called(worker_pool, worker_engine, marked):
    """The mark carries the end of life, so the dispatcher can refuse to send a stale code."""
    scope = await enrol(worker_engine, credit=1)
    end = datetime.now(UTC) + timedelta(seconds=2)
    [message] = await accept(worker_pool, new_message(scope, expires_at=end))
    [mine] = await marked(message.id)
    assert abs((mine.expires_at - end).total_seconds()) < 0.001


async def test_a_recorder_rests_only_while_less_than_a_commits_worth_waits(
    worker_pool, database, worker_engine, marked, clock, monkeypatch
):
    """One that rests after each batch falls behind a dispatcher that sends more in that time."""
    monkeypatch.setattr(record_module, "WORTH_A_COMMIT", 2)
    monkeypatch.setattr(record_module, "MAX_BATCH", 2)
    monkeypatch.setattr(record_module, "_LINGER_S", 60.0)
    scope = await enrol(worker_engine, credit=6)
    messages = await accept(worker_pool, *(new_message(scope) for _ in range(6)))
    recorder = Recorder(worker_pool, clock, unknown_wait=UNKNOWN_WAIT)
    for mine in await marked(*(message.id for message in messages)):
        recorder.put(mine, Refused(code="opted_out", detail="x"))

    async def written():
        return not await database.fetchval(
            "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1", scope.tenant_id
        )

    running = asyncio.create_task(recorder.run())
    await until(written, within_s=20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
