"""Receipts on Postgres: once each, status and money together, early ones and strangers' kept."""

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec import structs

from gateway.carrier.ports import Sent
from gateway.clock import FixedClock
from gateway.dispatch.mark import mark
from gateway.dispatch.record import Recorder
from gateway.dispatch.unknown import UnknownSweep
from gateway.intake.cancel import cancel_message
from gateway.intake.outcome import Declined
from gateway.receipts.apply import Stray, apply_batch
from gateway.receipts.batch import create_receipts, platform_key
from gateway.receipts.sweep import SILENCE, ReceiptSweep
from tenants.ids import new_uuid
from tests.harness.ledger import faults
from tests.harness.receipts import receipt
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, key_of, new_message, queue_row, row_of

KEY = platform_key(SECRET_KEY)


@pytest.fixture
def now():
    """The real instant, since ids carry it."""
    return datetime.now(UTC)


@pytest.fixture
def apply(ingest_pool, now):
    """A function that applies receipts in one batch, as the role that may do nothing else."""

    async def run(*receipts):
        async with ingest_pool.acquire() as connection:
            return await apply_batch(connection, receipts, now=now, platform_key=KEY)

    return run


@pytest.fixture
def sent(worker_pool, worker_engine, database):
    """A function that makes a message AWS has taken, with its id there."""

    async def make(*, price=10, provider_message_id=None, record=True, **changes):
        scope = await enrol(worker_engine, credit=100)
        [message] = await accept(worker_pool, new_message(scope, price_estimated=price, **changes))
        async with worker_pool.acquire() as connection:
            [marked] = await mark(connection, [message.id], worker=new_uuid(), now=datetime.now(UTC))
        if record:
            await recorded(worker_pool, marked, provider_message_id or f"aws-{message.id}")
        return message

    return make


async def recorded(worker_pool, marked, provider_message_id):
    """Record a send."""
    recorder = Recorder(worker_pool, FixedClock(datetime.now(UTC)), unknown_wait=timedelta(seconds=90))
    recorder.put(marked, Sent(provider_message_id=provider_message_id))
    await recorder.drained()


async def standing(database, message):
    """All that receipts may move: the row, the balance, the sum of the ledger, the events."""
    row = dict(await row_of(database, message.id))
    for volatile in (
        "final_at",
        "id",
        "tenant_id",
        "created_at",
        "expires_at",
        "estimated_dispatch_at",
        "dispatched_at",
        "provider_message_id",
        "sequence",
        "to_sealed",
        "body_sealed",
    ):
        del row[volatile]
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", message.tenant_id
    )
    revenue = await database.fetchval(
        "SELECT sum(revenue) FROM ledger_transfers WHERE subject_id = $1", message.id
    )
    return row, dict(balance), revenue


def life(message, *names, **changes):
    """The receipts of one message."""
    return [
        receipt(
            name, message_id=message.id, provider_message_id=f"aws-{message.id}", second=second, **changes
        )
        for second, name in enumerate(names)
    ]


async def test_every_permutation_ends_with_the_same_status_and_money(apply, database, sent):
    """24 orders of a life, one by one: the row, the balance and the revenue are those of the right order."""
    ends = []
    for order in itertools.permutations(range(4)):
        message = await sent()
        receipts = life(message, "QUEUED", "PENDING", "SUCCESSFUL", "DELIVERED")
        for index in order:
            await apply(receipts[index])
        ends.append(await standing(database, message))
    assert all(end == ends[0] for end in ends)
    assert ends[0][1:] == ({"posted": 90, "held": 0}, 10)
    assert await faults(database) == []


async def test_a_failure_and_a_delivery_settle_alike_in_both_orders(apply, database, sent):
    """A correction moves the ledger by the difference, never by another price."""
    ends = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]):
        message = await sent()
        receipts = life(message, "UNKNOWN", "BLOCKED", "DELIVERED", price=0.0)
        for index in order:
            await apply(receipts[index])
        ends.append(await standing(database, message))
    assert all(end == ends[0] for end in ends)
    assert await faults(database) == []


async def test_ten_copies_in_one_batch_and_over_ten_change_nothing(apply, database, sent):
    """Duplicates inside a batch, across batches, and racing on two connections."""
    message = await sent()
    receipts = life(message, "QUEUED", "DELIVERED")
    assert (await apply(*receipts * 5))[:2] == ["applied", "applied"]
    before = await standing(database, message)
    answers = await asyncio.gather(*(apply(*receipts) for _ in range(10)))
    assert {answer for each in answers for answer in each} == {"repeated"}
    assert await standing(database, message) == before
    stored = await database.fetchval("SELECT count(*) FROM receipts WHERE message_id = $1", message.id)
    delivered = await database.fetchval(
        "SELECT count(*) FROM events WHERE message_id = $1 AND type = 'message.delivered'", message.id
    )
    assert (stored, delivered) == (2, 1)


async def test_racing_batches_of_the_same_messages_never_deadlock(ingest_pool, database, sent, now):
    """Flushers of several processes get the same messages in different orders."""
    messages = [await sent() for _ in range(12)]
    receipts = [each for message in messages for each in life(message, "QUEUED", "PENDING", "DELIVERED")]
    commit = create_receipts(ingest_pool, FixedClock(now), KEY)
    running = asyncio.create_task(commit.run(flushers=4))
    shuffled = [receipts[(number * 7) % len(receipts)] for number in range(len(receipts))] * 2
    async with asyncio.timeout(60):
        await asyncio.gather(*(commit.submit(each) for each in shuffled))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [(await row_of(database, message.id))["status"] for message in messages] == ["delivered"] * 12
    assert await faults(database) == []


async def test_a_receipt_before_the_record_settles_the_message_and_takes_its_queue_row(
    apply, database, worker_pool, sent
):
    """The receipt names our message, so it need not wait for a record that may never come."""
    message = await sent(record=False)
    assert await apply(*life(message, "QUEUED", "DELIVERED")) == ["applied", "applied"]
    assert await queue_row(database, message.id) is None
    row = await row_of(database, message.id)
    assert (row["status"], row["provider_message_id"]) == ("delivered", f"aws-{message.id}")
    assert await faults(database) == []


async def test_a_record_after_the_receipt_adds_nothing_twice(apply, database, worker_pool, worker_engine):
    """The usual race, the other way round: the end is the same."""
    scope = await enrol(worker_engine, credit=100)
    [message] = await accept(worker_pool, new_message(scope, price_estimated=10))
    async with worker_pool.acquire() as connection:
        [marked] = await mark(connection, [message.id], worker=new_uuid(), now=datetime.now(UTC))
    await apply(*life(message, "QUEUED", "DELIVERED"))
    await recorded(worker_pool, marked, f"aws-{message.id}")
    row = await row_of(database, message.id)
    assert (row["status"], row["attempts"]) == ("delivered", 1)
    assert await faults(database) == []


async def test_a_receipt_without_our_context_is_parked_until_the_record_names_it(
    apply, database, worker_pool, ingest_pool, worker_engine, now
):
    """An event that is too early for its message is kept, sealed, and joined when AWS's id is known."""
    scope = await enrol(worker_engine, credit=100)
    [message] = await accept(worker_pool, new_message(scope, price_estimated=10))
    early = receipt("DELIVERED", provider_message_id=f"aws-{message.id}")
    assert await apply(early) == ["parked"]
    body = await database.fetchval(
        "SELECT body_sealed FROM parked_receipts WHERE event_key = $1", early.event_key
    )
    assert b"2065550199" not in body
    sweep = ReceiptSweep(worker_pool, FixedClock(now), KEY)
    assert await sweep.join_parked() == 0
    async with worker_pool.acquire() as connection:
        [marked] = await mark(connection, [message.id], worker=new_uuid(), now=now)
    await recorded(worker_pool, marked, f"aws-{message.id}")
    assert await sweep.join_parked() == 1
    assert (await row_of(database, message.id))["status"] == "delivered"
    assert (
        await database.fetchval("SELECT count(*) FROM parked_receipts WHERE event_key = $1", early.event_key)
        == 0
    )
    assert await faults(database) == []


async def test_a_stranger_and_an_unreadable_event_are_kept_and_move_nothing(apply, database):
    """Authentic but nobody's: parked once, however often it comes; never a crash loop."""
    nobody = receipt("DELIVERED", message_id=new_uuid(), provider_message_id="aws-nobody")
    stray = Stray(event_key=b"k" * 32, raw=b"{}", reason="unreadable")
    for _ in range(3):
        assert await apply(nobody, stray) == ["parked", "parked"]
    parked = await database.fetch(
        "SELECT reason FROM parked_receipts WHERE event_key = ANY ($1)", [nobody.event_key, stray.event_key]
    )
    assert sorted(row["reason"] for row in parked) == ["no_message", "unreadable"]


async def test_the_stored_event_holds_no_number(apply, database, sent):
    """Receipts are kept for years; numbers are not."""
    message = await sent()
    await apply(*life(message, "DELIVERED"))
    detail = await database.fetchval("SELECT detail::text FROM receipts WHERE message_id = $1", message.id)
    assert "2065550" not in detail
    assert json.loads(detail)["messageStatus"] == "DELIVERED"


async def test_three_days_of_silence_end_unknown_and_a_late_receipt_corrects_it(
    apply, database, worker_pool, sent, now
):
    """Nobody waits for ever, and the truth is still welcome afterwards."""
    message = await sent()
    clock = FixedClock(now)
    sweep = ReceiptSweep(worker_pool, clock, KEY)
    clock.advance(SILENCE - timedelta(minutes=1))
    assert await sweep.close_silent() == 0
    clock.advance(timedelta(minutes=2))
    assert await sweep.close_silent() >= 1
    row, balance, revenue = await standing(database, message)
    assert (row["status"], row["reason_code"]) == ("unknown", "no_carrier_answer")
    assert (balance, revenue) == ({"posted": 90, "held": 0}, 10), "AWS took it, so it is paid"
    await apply(*life(message, "DELIVERED"))
    assert (await row_of(database, message.id))["status"] == "delivered"
    assert await faults(database) == []


async def test_a_late_receipt_of_an_unknown_send_charges_what_it_must(apply, database, worker_pool, sent):
    """It ended unknown and free; the receipt proves that AWS took it."""
    message = await sent(record=False)
    await database.execute(
        "UPDATE dispatch_queue SET state = 'unknown', due_at = now() - interval '1 s' WHERE message_id = $1",
        message.id,
    )
    await database.execute("UPDATE messages SET type = 'promotional' WHERE id = $1", message.id)
    await UnknownSweep(worker_pool, FixedClock(datetime.now(UTC)), wait=timedelta(0)).sweep()
    assert (await row_of(database, message.id))["status"] == "unknown"
    await apply(*life(message, "DELIVERED"))
    row, balance, revenue = await standing(database, message)
    assert (row["status"], balance, revenue) == ("delivered", {"posted": 90, "held": 0}, 10)
    assert await faults(database) == []


async def test_the_ingest_role_can_do_nothing_but_receive(ingest_pool, sent):
    """The process that speaks with strangers holds the smallest key."""
    message = await sent()
    for forbidden in (
        "SELECT * FROM api_keys",
        "SELECT * FROM opt_outs",
        "DELETE FROM messages",
        "UPDATE tenants SET live = true",
        "UPDATE dispatch_queue SET state = 'queued'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ingest_pool.execute(forbidden)
    assert message


async def test_a_batch_tells_the_neighbour_of_a_tenant_that_was_erased(apply, database, sent):
    """From the request on, while its rows are not gone yet: both are settled, and one is named and told."""
    gone, stays = await sent(), await sent()
    await database.execute("UPDATE tenants SET data_key = '' WHERE id = $1", gone.tenant_id)
    telling = {"carrierName": "Anna's Phones", "mcc": "310"}
    assert await apply(*(life(each, "DELIVERED", **telling)[0] for each in (gone, stays))) == ["applied"] * 2
    for message, carrier, told in ((gone, None, 0), (stays, "Anna's Phones", 1)):
        row = await row_of(database, message.id)
        assert (row["status"], row["price_final"], row["carrier"]) == ("delivered", 10, carrier)
        events = "SELECT count(*) FROM events WHERE message_id = $1 AND type = 'message.delivered'"
        assert await database.fetchval(events, message.id) == told
        detail = await database.fetchval("SELECT detail FROM receipts WHERE message_id = $1", message.id)
        assert ("Anna" in detail) == (told == 1)
    assert await faults(database, of_tenant=gone.tenant_id) == []


@pytest.mark.parametrize("context", [True, False])
async def test_what_a_tenants_own_account_publishes_moves_no_other_tenants_message(
    apply, sent, database, worker_pool, now, context
):
    """Whoever owns a topic publishes on it what he likes, under any ids; nor does another look believe it."""
    message = await sent()
    named = {"message_id": message.id} if context else {}
    forged = receipt("DELIVERED", provider_message_id=f"aws-{message.id}", **named)
    before = await standing(database, message)
    assert await apply(structs.replace(forged, owner=new_uuid())) == ["parked"]
    assert await ReceiptSweep(worker_pool, FixedClock(now), KEY).join_parked() == 0
    assert await standing(database, message) == before
    assert await apply(structs.replace(forged, owner=message.tenant_id)) == ["applied"]


async def test_a_receipt_of_a_message_that_stands_in_line_takes_it_out(
    apply, database, worker_pool, worker_engine
):
    """Such as after an attempt that looked refused: AWS has it, so it is neither sent again nor cancelled."""
    scope = await enrol(worker_engine, credit=100)
    [message] = await accept(worker_pool, new_message(scope, price_estimated=10))
    await apply(receipt("DELIVERED", message_id=message.id, provider_message_id=f"aws-{message.id}"))
    assert (await row_of(database, message.id))["status"] == "delivered"
    assert await queue_row(database, message.id) is None
    key = await key_of(worker_engine, scope)
    answer = await cancel_message(worker_pool, scope, message.id, key, datetime.now(UTC))
    assert isinstance(answer, Declined)
    assert await faults(database) == []


@pytest.mark.parametrize("at_once", [True, False], ids=["one_batch", "one_by_one"])
@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("DELIVERED", "SPAM", "delivered"),
        ("SUCCESSFUL", "UNREACHABLE", "delivered"),
        ("BLOCKED", "DELIVERED", "delivered"),
        ("UNREACHABLE", "SPAM", "undelivered"),
    ],
)
async def test_a_message_that_became_two_texts_arrived_if_one_of_them_did(
    apply, database, sent, first, second, status, at_once
):
    """A second copy that comes to nothing, and later, takes nothing away from the one on the phone."""
    ends = []
    for order in itertools.permutations(range(4)):
        message = await sent()
        one = {"message_id": message.id, "provider_message_id": f"aws-{message.id}"}
        two = {"message_id": message.id, "provider_message_id": f"again-{message.id}", "attempt": 2}
        story = [
            receipt("QUEUED", **one),
            receipt(first, second=1, **one),
            receipt("PENDING", second=2, **two),
            receipt(second, second=3, **two),
        ]
        for batch in [order] if at_once else [[index] for index in order]:
            await apply(*(story[index] for index in batch))
        ends.append(await standing(database, message))
    assert all(end == ends[0] for end in ends)
    row, balance, revenue = ends[0]
    assert (row["status"], row["reason_code"] is None) == (status, status == "delivered")
    assert (balance, revenue) == ({"posted": 90, "held": 0}, 10)
    assert await faults(database) == []


async def test_the_events_of_what_was_sent_twice_are_read_once(ingest_pool, sent, now):
    """Its state and its cost are asked of the same rows; each read them for itself, in one transaction."""
    message, asked = await sent(), []
    again = receipt(
        "DELIVERED", message_id=message.id, provider_message_id=f"again-{message.id}", attempt=2, second=1
    )
    async with ingest_pool.acquire() as connection:
        connection.add_query_logger(asked.append)
        await apply_batch(connection, [again], now=now, platform_key=KEY)
        connection.remove_query_logger(asked.append)
    assert sum("FROM receipts" in each.query for each in asked) == 1
