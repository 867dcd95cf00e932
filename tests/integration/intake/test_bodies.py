"""Texts go when their time is over, and nothing else does."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from gateway.messages.bodies import Bodies, Keeping, keepings
from tests.harness.stored import message
from tests.harness.tenants import enrol, key_of, row_of

DAY = timedelta(days=1)
MONTH = 30 * DAY


def after(span):
    """A clock that stands so long after now."""
    return FixedClock(datetime.now(UTC) + span)


@pytest.fixture
def other():
    """A walk of this test alone, of every type but OTPs."""
    return Keeping(kind=f"other-{uuid4().hex}", kept=MONTH, default=MONTH)


@pytest.fixture
async def store(worker_engine):
    """A function that writes messages, of one tenant for each number of days in a plan; returns their ids."""
    owners = {}

    async def owner_of(days):
        if days not in owners:
            scope = await enrol(worker_engine, bodies_kept_days=days)
            owners[days] = (scope, await key_of(worker_engine, scope))
        return owners[days]

    async def put(*, days=None, **fields):
        scope, key = await owner_of(days)
        now = datetime.now(UTC)
        fields = {"type": "transactional", "status": "delivered", "final_at": now} | fields
        made = message(scope.tenant_id, key, **fields)
        async with worker_transaction(worker_engine) as session:
            session.add(made)
        return made.id

    return put


async def purge(pool, clock, keeping, **more):
    """One round."""
    return await Bodies(pool, clock).purge([keeping], **more)


async def has_text(database, message_id):
    """Whether a message has its text."""
    return (await row_of(database, message_id))["body_sealed"] is not None


async def test_a_text_is_taken_out_a_month_after_its_message_is_over(worker_pool, database, store, other):
    """Not before; and every other column stays as it is."""
    message_id = await store()
    before = dict(await row_of(database, message_id))
    await purge(worker_pool, after(MONTH - DAY), other)
    assert dict(await row_of(database, message_id)) == before
    await purge(worker_pool, after(MONTH + DAY), other)
    assert dict(await row_of(database, message_id)) == before | {"body_sealed": None}


async def test_otps_have_a_time_of_their_own(worker_pool, database, store, other):
    """A code is worth nothing a day later, but to whoever steals the table."""
    otp, text = await store(type="otp"), await store()
    await purge(worker_pool, after(2 * DAY), Keeping(kind="otp", kept=DAY, default=DAY))
    assert [await has_text(database, each) for each in (otp, text)] == [False, True]
    await purge(worker_pool, after(2 * MONTH), other)
    assert not await has_text(database, text)


async def test_what_was_scheduled_ahead_is_kept_from_its_end_on(worker_pool, database, store, other):
    """Its accept says nothing about when it was over."""
    now = datetime.now(UTC)
    message_id = await store(send_at=now + 20 * DAY, final_at=now + 20 * DAY)
    await purge(worker_pool, after(MONTH + DAY), other)
    assert await has_text(database, message_id)
    await purge(worker_pool, after(MONTH + 21 * DAY), other)
    assert not await has_text(database, message_id)
    assert await waiting(database, other) == []


async def test_a_message_that_is_not_over_keeps_its_text(worker_pool, database, store, other):
    """It may still have to be sent; it is looked at again until it is over for long enough."""
    message_id = await store(status="queued", final_at=None)
    for days in (31, 32, 33):
        await purge(worker_pool, after(days * DAY), other)
        assert await has_text(database, message_id)
    await database.execute(
        "UPDATE messages SET status = 'delivered', final_at = now() + interval '33 days' WHERE id = $1",
        message_id,
    )
    await purge(worker_pool, after(34 * DAY), other)
    assert await has_text(database, message_id)
    await purge(worker_pool, after(64 * DAY), other)
    assert not await has_text(database, message_id)
    assert await waiting(database, other) == []


async def waiting(database, keeping):
    """The messages that the walk has passed by."""
    return await database.fetch("SELECT * FROM late_bodies WHERE kind = $1", keeping.kind)


async def test_each_message_is_walked_past_once_in_batches_of_any_size(worker_pool, database, store, other):
    """The walk goes on where the last round ended."""
    ids = [await store() for _ in range(5)]
    assert await purge(worker_pool, after(2 * MONTH), other, at_once=2) >= 3
    assert not any([await has_text(database, each) for each in ids])
    assert await purge(worker_pool, after(2 * MONTH), other, at_once=2) == 0


async def test_a_second_scheduler_leaves_the_walk_to_the_first(worker_pool, database, store, other):
    """It neither waits nor walks twice."""
    message_id = await store()
    await purge(worker_pool, after(DAY), other)
    async with worker_pool.acquire() as first, first.transaction():
        await first.execute("SELECT FROM body_purges WHERE kind = $1 FOR UPDATE", other.kind)
        await purge(worker_pool, after(2 * MONTH), other)
        assert await has_text(database, message_id)
    await purge(worker_pool, after(2 * MONTH), other)
    assert not await has_text(database, message_id)


async def test_a_tenants_plan_says_for_how_long_its_texts_stay(worker_pool, database, store):
    """From no day to 90; who says nothing has the operator's time."""
    days = (0, 7, 90, None)
    ids = {each: await store(days=each) for each in days}
    left = {}
    for passed in (1, 8, 31, 91):
        kept = await keepings(worker_pool, otp=DAY, other=MONTH)
        await Bodies(worker_pool, after(passed * DAY)).purge(kept)
        left[passed] = [each for each in days if await has_text(database, ids[each])]
    assert left == {1: [7, 90, None], 8: [90, None], 31: [90], 91: []}


async def test_a_tenant_that_shortens_its_time_is_caught_up_with(worker_pool, database, store):
    """The walk of its new time has passed its older messages; that of a longer one comes by yet."""
    message_id = await store(days=90)
    kept = await keepings(worker_pool, otp=DAY, other=MONTH)
    await Bodies(worker_pool, after(20 * DAY)).purge(
        [*kept, Keeping(kind="other:5", kept=5 * DAY, default=MONTH)]
    )
    tenant_id = (await row_of(database, message_id))["tenant_id"]
    await database.execute(
        """UPDATE tenants SET plan = plan || '{"bodies_kept_days": 5}' WHERE id = $1""", tenant_id
    )
    kept = await keepings(worker_pool, otp=DAY, other=MONTH)
    await Bodies(worker_pool, after(20 * DAY)).purge(kept)
    assert await has_text(database, message_id)
    await Bodies(worker_pool, after(31 * DAY)).purge(kept)
    assert not await has_text(database, message_id)
