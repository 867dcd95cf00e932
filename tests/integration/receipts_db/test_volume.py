"""
Many receipts, twice, shuffled and late, leave what the same receipts leave in order: status, money, all.

VOLUME_RECEIPTS is how many events there are, before copies.
"""

import asyncio
import os
import random
from datetime import UTC, datetime, timedelta

from gateway.clock import FixedClock
from gateway.receipts.apply import apply_batch
from gateway.receipts.batch import create_receipts, platform_key
from gateway.receipts.parked import MOST_RETRIED, ParkedEvents
from gateway.receipts.reading import kept
from gateway.receipts.sweep import ReceiptSweep
from tests.harness.ledger import faults
from tests.harness.receipts import receipt
from tests.harness.stack import SECRET_KEY
from tests.harness.stored import sent
from tests.harness.tenants import accept, enrol, new_message

KEY = platform_key(SECRET_KEY)
RECEIPTS = int(os.environ.get("VOLUME_RECEIPTS", "3000"))
BATCH = 500
STORY = ("QUEUED", "PENDING", "SENT", "UNKNOWN", "SUCCESSFUL")
ENDS = ("DELIVERED", "DELIVERED", "BLOCKED", "TTL_EXPIRED", "SPAM")
STANDING = """
    SELECT m.status, m.reason_code, m.provider_status, m.receipt_rank, m.receipt_at, m.receipt_name,
        m.carrier, m.mcc, m.mnc, m.provider_parts, m.provider_encoding, m.provider_price_micros,
        m.provider_fee_micros,
        m.price_final, m.price_excess, m.cost_micros,
        (SELECT count(*) FROM receipts r WHERE r.message_id = m.id AND r.message_at = m.created_at)
    FROM messages m WHERE m.tenant_id = $1 ORDER BY m.id
"""


async def tenant_with(worker_engine, worker_pool, count):
    """A tenant and its messages, as if AWS had taken them."""
    scope = await enrol(worker_engine, credit=10**9)
    messages = []
    for start in range(0, count, BATCH):
        some = range(start, min(count, start + BATCH))
        messages += await accept(worker_pool, *(new_message(scope, price_estimated=10) for _ in some))
    return scope, messages


def lives(messages, seed):
    """Six events of each message; what they say besides the status differs, and may be absent."""
    dice = random.Random(seed)
    made = []
    for number, message in enumerate(messages):
        for second, name in enumerate((*STORY, dice.choice(ENDS))):
            made.append(
                receipt(
                    name,
                    message_id=message.id,
                    provider_message_id=f"aws-{seed}-{number}",
                    second=second,
                    price=dice.choice([None, 0.0, 0.00302, 0.00581]),
                    carrierName=dice.choice([None, "A", "B"]),
                    messageEncoding=dice.choice([None, "GSM", "UNICODE"]),
                    totalMessageParts=dice.choice([None, 1, 2]),
                )
            )
    return made


def as_it_comes(made):
    """30 % twice, all shuffled, 1 % after everything else."""
    dice = random.Random(7)
    doubled = made + dice.sample(made, k=len(made) * 3 // 10)
    dice.shuffle(doubled)
    cut = len(doubled) // 100
    return doubled[cut:] + doubled[:cut]


async def standing(database, scope):
    """All that receipts may move, message by message, and the balance."""
    rows = [tuple(row) for row in await database.fetch(STANDING, scope.tenant_id)]
    balance = await database.fetchrow(
        "SELECT posted, held FROM balances WHERE tenant_id = $1", scope.tenant_id
    )
    return rows, tuple(balance)


async def test_disorder_copies_and_lateness_leave_what_order_leaves(
    database, ingest_pool, worker_pool, worker_engine
):
    """Two tenants live the same lives; one hears of them as AWS tells, the other as they happened."""
    count = RECEIPTS // (len(STORY) + 1)
    ends = []
    for shuffled in (False, True):
        scope, messages = await tenant_with(worker_engine, worker_pool, count)
        made = lives(messages, seed=11)
        events = as_it_comes(made) if shuffled else made
        strangers = [receipt("DELIVERED", provider_message_id=f"aws-nobody-{n}") for n in range(count // 20)]
        async with ingest_pool.acquire() as connection:
            for start in range(0, len(events), BATCH):
                batch = [*events[start : start + BATCH], *strangers[start // BATCH :: 64]]
                await apply_batch(connection, batch, now=datetime.now(UTC), platform_key=KEY)
        ends.append(await standing(database, scope))
    assert ends[0] == ends[1]
    assert len(ends[0][0]) == count
    assert await faults(database) == []


async def test_old_parked_events_are_joined_although_no_scheduler_ran_for_days(
    database, ingest_pool, worker_pool, worker_engine
):
    """The quick look sees the last hour; the thorough one, all that is parked."""
    _, [message] = await tenant_with(worker_engine, worker_pool, 1)
    early = receipt("DELIVERED", provider_message_id="aws-of-old")
    now = datetime.now(UTC)
    async with ingest_pool.acquire() as connection:
        assert await apply_batch(connection, [early], now=now, platform_key=KEY) == ["parked"]
    await database.execute(
        "UPDATE parked_receipts SET received_at = $2 WHERE event_key = $1",
        early.event_key,
        now - timedelta(days=5),
    )
    await sent(database, message.id, provider_id="aws-of-old")
    sweep = ReceiptSweep(worker_pool, FixedClock(now), KEY)
    assert await sweep.join_parked() == 0
    assert await sweep.join_old() == 1
    assert (await database.fetchval("SELECT status FROM messages WHERE id = $1", message.id)) == "delivered"


async def test_an_event_of_another_message_than_its_context_names_is_set_aside(
    database, ingest_pool, worker_pool, worker_engine
):
    """It stays as evidence, and is not looked at again every two seconds."""
    _, [message] = await tenant_with(worker_engine, worker_pool, 1)
    _, [gone] = await tenant_with(worker_engine, worker_pool, 1)
    await database.execute("DELETE FROM messages WHERE id = $1", gone.id)
    strange = receipt("DELIVERED", message_id=gone.id, provider_message_id="aws-strange")
    now = datetime.now(UTC)
    async with ingest_pool.acquire() as connection:
        await apply_batch(connection, [strange], now=now, platform_key=KEY)
    await sent(database, message.id, provider_id="aws-strange")
    sweep = ReceiptSweep(worker_pool, FixedClock(now), KEY)
    assert await sweep.join_parked() == 0
    reason = "SELECT reason FROM parked_receipts WHERE event_key = $1"
    assert await database.fetchval(reason, strange.event_key) == "foreign"


async def test_a_thousand_hopeless_events_do_not_keep_the_others_from_another_try(
    database, ingest_pool, worker_pool, worker_engine
):
    """Those that were tried least come first: asking on gets to the end."""
    _, [message] = await tenant_with(worker_engine, worker_pool, 1)
    good = receipt("DELIVERED", message_id=message.id, provider_message_id=f"aws-{message.id}")
    await database.execute("DELETE FROM parked_receipts")
    hopeless = [kept(f"not an event {n} {message.id}", "unreadable") for n in range(MOST_RETRIED)]
    now = datetime.now(UTC)
    async with ingest_pool.acquire() as connection:
        await apply_batch(connection, hopeless, now=now, platform_key=KEY)
        await apply_batch(connection, [kept(good.raw, "unreadable")], now=now, platform_key=KEY)
    commit = create_receipts(ingest_pool, FixedClock(now), KEY)
    flushing = asyncio.create_task(commit.run(flushers=1))
    try:
        parked = ParkedEvents(worker_pool, commit, KEY)
        assert (await parked.retry("unreadable")).applied == 0
        assert (await parked.retry("unreadable")).applied == 1
    finally:
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
    assert (await database.fetchval("SELECT status FROM messages WHERE id = $1", message.id)) == "delivered"
