"""Attempts that nobody answered for: the rule, and the sweep on Postgres under a clock that is told."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.dispatch.expiry import ExpirySweep
from gateway.dispatch.mark import LEASE
from gateway.dispatch.record import Expired
from gateway.dispatch.unknown import MIN_LIFE_LEFT, UnknownSweep, verdict
from gateway.receipts.apply import apply_batch
from gateway.receipts.batch import platform_key
from tests.harness.ledger import faults
from tests.harness.receipts import receipt
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import LIFE, accept, enrol, new_message, queue_row, row_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WAIT = timedelta(seconds=90)
TICK = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("kind", "attempt", "life", "allowed", "expected"),
    [
        ("otp", 1, timedelta(hours=1), True, "resend"),
        ("otp", 1, timedelta(hours=1), False, "resend"),
        ("otp", 2, timedelta(hours=1), True, "give_up"),
        ("otp", 1, MIN_LIFE_LEFT, True, "resend"),
        ("otp", 1, MIN_LIFE_LEFT - TICK, True, "give_up"),
        ("otp", 1, -TICK, True, "give_up"),
        ("transactional", 1, timedelta(hours=1), True, "resend"),
        ("transactional", 1, timedelta(hours=1), False, "give_up"),
        ("transactional", 2, timedelta(hours=1), True, "give_up"),
        ("promotional", 1, timedelta(hours=1), True, "give_up"),
        ("promotional", 1, timedelta(hours=1), False, "give_up"),
    ],
)
def test_an_unknown_is_resent_only_where_a_second_text_is_the_lesser_evil(
    kind, attempt, life, allowed, expected
):
    """A code once, a receipt if its tenant wants, an advertisement never."""
    assert (
        verdict(
            message_type=kind, attempt=attempt, expires_at=NOW + life, now=NOW, resend_transactional=allowed
        )
        == expected
    )


@pytest.fixture
def sweep(worker_pool, clock):
    """The scheduler's round."""
    return UnknownSweep(worker_pool, clock, wait=WAIT)


@pytest.fixture
def unanswered(worker_pool, worker_engine, marked, recorder, clock):
    """A function that makes a message whose only attempt has no answer."""

    async def make(**changes):
        scope = await enrol(worker_engine, credit=1, resend_unknown_transactional=changes.pop("resend", True))
        [message] = await accept(worker_pool, new_message(scope, **changes))
        [mine] = await marked(message.id, now=clock.now())
        recorder.put(mine, Unknown(reason="ReadTimeoutError"))
        await recorder.drained()
        return message

    return make


async def test_nothing_is_decided_before_the_wait_is_over(database, unanswered, sweep, clock):
    """A receipt may still come and make the question moot."""
    message = await unanswered(type="otp")
    clock.advance(WAIT - TICK)
    await sweep.sweep()
    assert (await queue_row(database, message.id))["state"] == "unknown"
    assert (await row_of(database, message.id))["status"] == "dispatching"


async def test_a_code_is_sent_once_more_flagged_and_never_a_third_time(
    database, unanswered, sweep, clock, marked, recorder
):
    """One resend is the hard cap, whatever happens to it."""
    message = await unanswered(type="otp")
    clock.advance(WAIT + TICK)
    await sweep.sweep()
    row = await queue_row(database, message.id)
    assert (row["state"], row["attempt"]) == ("scheduled", 1)
    assert (await row_of(database, message.id))["resend_of_unknown"] is True

    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    [again] = await marked(message.id, now=clock.now())
    assert again.attempt == 2
    recorder.put(again, Unknown(reason="ReadTimeoutError"))
    await recorder.drained()
    clock.advance(WAIT + TICK)
    await sweep.sweep()
    assert await queue_row(database, message.id) is None
    row = await row_of(database, message.id)
    assert row["status"] == "unknown"
    assert "not sent again" not in row["reason_detail"]  # a support desk would send it a third time
    assert await faults(database) == []


@pytest.mark.parametrize(
    "changes", [{"type": "promotional"}, {"resend": False}, {"type": "otp", "expires_at": None}], ids=str
)
async def test_what_may_not_be_resent_ends_unknown_and_costs_nothing(
    database, unanswered, sweep, clock, changes
):
    """Nobody knows that AWS took it, so nobody pays; a late receipt still corrects both."""
    if "expires_at" in changes:
        changes = changes | {"expires_at": clock.now() + WAIT + timedelta(seconds=20)}
    message = await unanswered(**changes)
    clock.advance(WAIT + TICK)
    await sweep.sweep()
    row = await row_of(database, message.id)
    assert (row["status"], row["reason_code"]) == ("unknown", "no_answer_from_carrier")
    assert "not sent again" in row["reason_detail"]
    assert await queue_row(database, message.id) is None
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", message.tenant_id
    )
    assert dict(balance) == {"posted": 1, "held": 0}
    assert await faults(database) == []


async def test_an_event_of_a_kind_that_nobody_knows_proves_that_aws_has_the_text(
    database, ingest_pool, unanswered, sweep, clock
):
    """AWS invents names; whatever one means, the text it speaks of must not be sent again."""
    message = await unanswered(type="otp")
    strange = receipt("TELEPATHY", message_id=message.id, provider_message_id=f"aws-{message.id}")
    async with ingest_pool.acquire() as connection:
        await apply_batch(connection, [strange], now=clock.now(), platform_key=platform_key(SECRET_KEY))
    clock.advance(WAIT + TICK)
    await sweep.sweep()
    row = await row_of(database, message.id)
    assert (row["status"], row["resend_of_unknown"]) == ("sent", False)
    assert await queue_row(database, message.id) is None


async def test_a_dead_workers_mark_becomes_unknown_after_its_lease(
    database, worker_pool, worker_engine, marked, sweep, clock
):
    """Nobody can say whether it was sent; the lease, then the wait, then the rule."""
    scope = await enrol(worker_engine, credit=1)
    [message] = await accept(worker_pool, new_message(scope, type="otp"))
    await marked(message.id, now=clock.now())
    clock.advance(LEASE - TICK)
    await sweep.sweep()
    assert (await queue_row(database, message.id))["state"] == "dispatching"
    clock.advance(TICK * 2)
    await sweep.sweep()
    assert (await queue_row(database, message.id))["state"] == "unknown"
    assert (await row_of(database, message.id))["status"] == "dispatching"
    clock.advance(WAIT)
    await sweep.sweep()
    assert (await queue_row(database, message.id))["state"] == "scheduled"
    assert (await row_of(database, message.id))["resend_of_unknown"] is True


async def test_the_wait_begins_when_the_store_can_hear_again(
    database, worker_pool, worker_engine, marked, recorder, sweep, clock
):
    """An outage longer than lease and wait has kept out the very receipts and records that are waited for."""
    scope = await enrol(worker_engine, credit=1)
    [message] = await accept(worker_pool, new_message(scope, type="otp"))
    [mine] = await marked(message.id, now=clock.now())
    clock.advance(LEASE + WAIT + TICK)
    await sweep.sweep()
    assert (await queue_row(database, message.id))["state"] == "unknown"
    recorder.put(mine, Sent(provider_message_id="aws-1"))
    await recorder.drained()
    assert await queue_row(database, message.id) is None
    row = await row_of(database, message.id)
    assert (row["status"], row["resend_of_unknown"]) == ("sent", False)


async def waiting_to_be_resent(database, worker_pool, worker_engine, marked, sweep, clock, state):
    """A message whose first attempt counts as unknown, and that attempt as its worker has it."""
    scope = await enrol(worker_engine, credit=1)
    [message] = await accept(worker_pool, new_message(scope, type="otp"))
    [first] = await marked(message.id, now=clock.now())
    for later in (LEASE + TICK, WAIT + TICK):
        clock.advance(later)
        await sweep.sweep()
    await database.execute("UPDATE dispatch_queue SET state = $2 WHERE message_id = $1", message.id, state)
    assert (await row_of(database, message.id))["resend_of_unknown"] is True
    return message, first


@pytest.mark.parametrize("state", ["scheduled", "queued", "quarantined"])
@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Sent(provider_message_id="aws-1"), "sent"),
        (Refused(code="invalid_destination", detail="x"), "failed"),
        (Expired(), "expired"),
    ],
    ids=["sent", "refused", "expired"],
)
async def test_a_late_record_ends_the_wait_for_a_second_attempt(
    database, worker_pool, worker_engine, marked, recorder, sweep, clock, state, result, status
):
    """The worker had stood still, or could not reach the store: now it is known what became of the first."""
    message, first = await waiting_to_be_resent(
        database, worker_pool, worker_engine, marked, sweep, clock, state
    )
    recorder.put(first, result)
    await recorder.drained()
    assert (await row_of(database, message.id))["status"] == status
    assert await marked(message.id, now=clock.now()) == []
    assert await queue_row(database, message.id) is None
    assert await faults(database) == []


@pytest.mark.parametrize(
    "result", [NotSent(reason="throttled", retry_after_ms=0), Unknown(reason="timeout")], ids=str
)
async def test_a_message_known_to_be_sent_is_not_tried_a_third_time(
    database, worker_pool, worker_engine, marked, recorder, sweep, clock, result
):
    """The first attempt's record comes while the second is under way, and that one does not leave."""
    message, first = await waiting_to_be_resent(
        database, worker_pool, worker_engine, marked, sweep, clock, "queued"
    )
    [second] = await marked(message.id, now=clock.now())
    for attempt, said in ((first, Sent(provider_message_id="aws-1")), (second, result)):
        recorder.put(attempt, said)
        await recorder.drained()
    assert await queue_row(database, message.id) is None
    assert (await row_of(database, message.id))["status"] == "sent"


@pytest.mark.parametrize("second", [Sent(provider_message_id="aws-2"), Unknown(reason="timeout")], ids=str)
@pytest.mark.parametrize("first_comes", ["while_it_is_made", "after_it"])
@pytest.mark.parametrize(
    "result", [Refused(code="opted_out", detail="It did not leave."), Expired()], ids=["refused", "expired"]
)
async def test_what_became_of_the_first_attempt_does_not_deny_the_second(
    database, worker_pool, worker_engine, marked, recorder, sweep, clock, result, first_comes, second
):
    """Its worker stood still while the second was made, and finds that it may not send any more."""
    message, first = await waiting_to_be_resent(
        database, worker_pool, worker_engine, marked, sweep, clock, "queued"
    )
    [again] = await marked(message.id, now=clock.now())
    said = [(first, result), (again, second)]
    for attempt, outcome in said if first_comes == "while_it_is_made" else said[::-1]:
        recorder.put(attempt, outcome)
        await recorder.drained()
    row = await row_of(database, message.id)
    assert row["status"] == ("sent" if isinstance(second, Sent) else "dispatching")
    assert (await queue_row(database, message.id) is None) == isinstance(second, Sent)
    assert await faults(database) == []


@pytest.mark.parametrize(
    "result", [Refused(code="opted_out", detail="It did not leave."), Expired()], ids=["refused", "expired"]
)
async def test_the_end_of_a_second_attempt_does_not_deny_the_first(
    database, worker_pool, worker_engine, marked, recorder, sweep, clock, result
):
    """It may well have arrived, and be why the recipient has opted out."""
    message, _ = await waiting_to_be_resent(
        database, worker_pool, worker_engine, marked, sweep, clock, "queued"
    )
    [second] = await marked(message.id, now=clock.now())
    recorder.put(second, result)
    await recorder.drained()
    row = await row_of(database, message.id)
    assert (row["status"], row["reason_code"]) == ("unknown", "no_answer_from_carrier")
    assert await queue_row(database, message.id) is None
    assert await faults(database) == []


async def test_a_second_attempt_whose_life_ends_in_line_does_not_deny_the_first(
    database, worker_pool, worker_engine, marked, sweep, clock
):
    """Nobody knows that it did not arrive."""
    message, _ = await waiting_to_be_resent(
        database, worker_pool, worker_engine, marked, sweep, clock, "queued"
    )
    clock.advance(LIFE)
    assert await ExpirySweep(worker_pool, clock).sweep() == 1
    assert (await row_of(database, message.id))["status"] == "unknown"


async def test_many_sweeps_at_once_decide_each_message_once(database, worker_pool, unanswered, clock):
    """Any number of schedulers may run."""
    messages = [await unanswered(type="promotional") for _ in range(10)]
    clock.advance(WAIT + TICK)
    sweeps = [UnknownSweep(worker_pool, clock, wait=WAIT) for _ in range(6)]
    await asyncio.gather(*(sweep.sweep() for sweep in sweeps))
    ended = await database.fetchval(
        "SELECT count(*) FROM events WHERE type = 'message.unknown' AND message_id = ANY ($1)",
        [message.id for message in messages],
    )
    assert ended == 10
    assert await faults(database) == []


async def test_sweeps_and_receipts_at_once_never_wait_for_each_other_in_a_circle(
    database, worker_pool, ingest_pool, unanswered, clock
):
    """Both lock the message first: a receipt that comes as the wait ends is neither lost nor delayed."""
    messages = [await unanswered(type="otp") for _ in range(24)]
    clock.advance(WAIT + TICK)
    key = platform_key(SECRET_KEY)

    async def receive(message):
        arrived = receipt("DELIVERED", message_id=message.id, provider_message_id=f"aws-{message.id}")
        async with ingest_pool.acquire() as connection:
            await apply_batch(connection, [arrived], now=clock.now(), platform_key=key)

    sweeps = [UnknownSweep(worker_pool, clock, wait=WAIT).sweep() for _ in range(8)]
    async with asyncio.timeout(60):
        await asyncio.gather(*sweeps, *(receive(message) for message in reversed(messages)))
    ids = [message.id for message in messages]
    statuses = await database.fetch("SELECT DISTINCT status FROM messages WHERE id = ANY ($1)", ids)
    assert [row["status"] for row in statuses] == ["delivered"]
    assert await faults(database) == []
