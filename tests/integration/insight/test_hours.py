"""The counted hours are what a recount of the messages says, whatever happened in between."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.clock import FixedClock
from gateway.insight.hours import COUNT, Hours
from tenants.ids import created_at, new_uuid
from tests.harness.stored import at_instant

STATUSES = ("queued", "sent", "delivered", "undelivered", "failed", "expired", "unknown", "canceled")
REASONS = {"undelivered": "spam", "failed": "throttled"}
_INSERT = """
    INSERT INTO messages (tenant_id, id, created_at, test, status, channel, type, country, recipient_hash,
        to_sealed, encoding, parts, unit, price_estimated, max_price_micros, sender_value, expires_at)
    VALUES ($1, $2, $3, $4, 'queued', 'sms', $5, $6, '\\x00', '\\x00', 'GSM', $7, 'micros', 6450, 1, 'X', $3)
"""
_MOVE = """
    UPDATE messages SET status = $2, reason_code = $3, feedback = $4,
        dispatched_at = CASE WHEN $2 IN ('queued', 'canceled') THEN NULL ELSE created_at END,
        final_at = CASE WHEN $2 IN ('queued', 'sent') THEN NULL ELSE created_at + interval '2 seconds' END
    WHERE id = $1
"""


@pytest.fixture
async def tenant(database) -> UUID:
    """A tenant, as far as its row matters here."""
    tenant_id = new_uuid()
    await database.execute(
        "INSERT INTO tenants (id, slug, name, model, countries, plan, data_key)"
        " VALUES ($1, $2, 'x', 2, '{}', '{}', '\\x00')",
        tenant_id,
        f"s-{tenant_id.hex[-12:]}",
    )
    return tenant_id


@pytest.fixture
def clock() -> FixedClock:
    """Stands at the present, so that partitions are there."""
    return FixedClock(datetime.now(UTC))


@pytest.fixture
async def hours(worker_pool, database, clock) -> Hours:
    """The counting, which has looked through everything before now."""
    await database.execute("DELETE FROM insight_progress")
    await database.execute("INSERT INTO insight_progress VALUES ('hours', $1)", clock.now())
    return Hours(worker_pool, clock)


async def tell(database, tenant_id, message_id, at) -> None:
    """Write an event of a message, as every change of it does."""
    event_id = at_instant(at)
    await database.execute(
        "INSERT INTO events (id, tenant_id, created_at, type, message_id, data)"
        " VALUES ($1, $2, $3, 'message.sent', $4, '{}')",
        event_id,
        tenant_id,
        created_at(event_id),
        message_id,
    )


async def recounted(database, tenant_id) -> list[tuple]:
    """The hours as the messages have them now."""
    rows = await database.fetch(COUNT.format(of="tenant_id = $1") + " ORDER BY 1, 2, 3, 4, 5", tenant_id)
    return [tuple(row.values()) for row in rows]


async def counted(database, tenant_id) -> list[tuple]:
    """The hours as they were counted."""
    rows = await database.fetch(
        "SELECT * FROM insight_hours WHERE tenant_id = $1 ORDER BY 1, 2, 3, 4, 5", tenant_id
    )
    return [tuple(row.values()) for row in rows]


async def counted_at(database, tenant_id) -> datetime:
    """When the tenant's only hour was counted last."""
    return await database.fetchval("SELECT counted_at FROM insight_marks WHERE tenant_id = $1", tenant_id)


async def test_counting_along_equals_counting_at_the_end(database, tenant, clock, hours) -> None:
    """Messages of three days move at random between rounds; each round late enough leaves the recount."""
    dice = random.Random(7)
    began = clock.now() - timedelta(hours=70)
    messages = []
    for _step in range(12):
        for _ in range(20):
            at = began + timedelta(seconds=dice.randrange(70 * 3600))
            message_id = at_instant(at)
            born = created_at(message_id)
            await database.execute(
                _INSERT, tenant, message_id, born, dice.random() < 0.1,
                dice.choice(("otp", "promotional")), dice.choice(("US", "GB")), dice.randint(1, 3),
            )  # fmt: skip
            messages.append(message_id)
            await tell(database, tenant, message_id, clock.now())
        for message_id in dice.sample(messages, 15):
            status = dice.choice(STATUSES)
            feedback = dice.choice((None, "pending", "received", "failed"))
            await database.execute(_MOVE, message_id, status, REASONS.get(status), feedback)
            await tell(database, tenant, message_id, clock.now())
        await hours.keep()
        clock.advance(timedelta(seconds=20))
    clock.advance(timedelta(hours=4))
    await hours.keep()
    assert await counted(database, tenant) == await recounted(database, tenant)
    assert len(await counted(database, tenant)) > 50


async def test_a_round_without_news_counts_nothing(database, tenant, clock, hours) -> None:
    """Idle hours cost nothing."""
    message_id = at_instant(clock.now())
    await database.execute(_INSERT, tenant, message_id, clock.now(), False, "otp", "US", 1)
    await tell(database, tenant, message_id, clock.now())
    await hours.keep()
    clock.advance(timedelta(minutes=3))
    await hours.keep()
    settled = await counted_at(database, tenant)
    clock.advance(timedelta(minutes=3))
    await hours.keep()
    assert await counted_at(database, tenant) == settled == clock.now() - timedelta(minutes=3)


@pytest.mark.parametrize("into", [timedelta(0), timedelta(minutes=31), timedelta(hours=1, milliseconds=-1)])
async def test_a_change_marks_the_hour_of_its_message_from_edge_to_edge(
    database, tenant, clock, hours, into
) -> None:
    """Messages are looked at four seconds at a time, which the turn of an hour may divide."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    await tell(database, tenant, at_instant(hour + into), clock.now())
    await hours.keep()
    marked = await database.fetch("SELECT hour FROM insight_marks WHERE tenant_id = $1", tenant)
    assert hour in {row["hour"] for row in marked}


async def test_an_old_hour_waits_before_it_is_counted_again(database, tenant, clock, hours) -> None:
    """A trickle of late receipts must not have a whole old hour counted by the second."""
    at = clock.now() - timedelta(hours=48)
    message_id = at_instant(at)
    await database.execute(_INSERT, tenant, message_id, at, False, "otp", "US", 1)
    await tell(database, tenant, message_id, clock.now())
    await hours.keep()
    (first,) = await counted(database, tenant)
    await database.execute(_MOVE, message_id, "delivered", None, None)
    clock.advance(timedelta(minutes=5))
    await tell(database, tenant, message_id, clock.now())
    await hours.keep()
    assert await counted(database, tenant) == [first]
    clock.advance(timedelta(hours=2, minutes=10))
    await hours.keep()
    assert await counted(database, tenant) == await recounted(database, tenant) != [first]


async def test_what_no_event_told_is_found_when_the_hour_settles(database, tenant, clock, hours) -> None:
    """A last count after 74 hours: whatever was missed is missed no longer."""
    at = clock.now() - timedelta(hours=70)
    message_id = at_instant(at)
    await database.execute(_INSERT, tenant, message_id, at, False, "otp", "US", 1)
    await tell(database, tenant, message_id, clock.now())
    await hours.keep()
    await database.execute(_MOVE, message_id, "unknown", "no_carrier_answer", None)
    clock.advance(timedelta(hours=5))
    await hours.keep()
    assert await counted(database, tenant) == await recounted(database, tenant)


async def test_hours_of_long_ago_are_forgotten(database, tenant, clock, hours) -> None:
    """After 400 days."""
    long_ago = clock.now() - timedelta(days=401)
    await database.execute("INSERT INTO insight_marks (tenant_id, hour) VALUES ($1, $2)", tenant, long_ago)
    await hours.forget()
    assert await database.fetchval("SELECT count(*) FROM insight_marks WHERE tenant_id = $1", tenant) == 0


async def test_the_first_round_ever_counts_what_is_there(database, tenant, clock, hours) -> None:
    """An installation with a past begins with it."""
    await database.execute("DELETE FROM insight_progress")
    for back in (1, 30):
        message_id = at_instant(clock.now() - timedelta(hours=back))
        await database.execute(_INSERT, tenant, message_id, created_at(message_id), False, "otp", "US", 1)
    await hours.keep()
    assert len(await counted(database, tenant)) == 2
    assert await counted(database, tenant) == await recounted(database, tenant)
