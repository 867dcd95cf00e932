"""Health on Postgres: counted by every process, judged by one, seen by all."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import FixedClock
from gateway.routing.checkup import Checkup
from gateway.routing.health import HOLD, LEAST_PROBES, PROBE_BUCKETS
from gateway.routing.health_view import HealthView
from gateway.routing.tally import BUCKET, CallTally
from tenants.ids import new_uuid


@pytest.fixture
def clock():
    """At the beginning of a bucket."""
    return FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))


async def state(pool, subject):
    """Where a subject stands."""
    return await pool.fetchval("SELECT state FROM health_states WHERE subject_id = $1", subject)


async def test_counts_of_many_processes_are_added_and_make_one_ill_then_probed_then_well(worker_pool, clock):
    """The whole life of an illness, seen from memory as the road of a send sees it."""
    sender, other = new_uuid(), new_uuid()
    tallies = [CallTally(worker_pool, clock) for _ in range(3)]
    checkup, view = Checkup(worker_pool, clock), HealthView(worker_pool)
    for tally in tallies:
        for _ in range(5):
            tally.count((sender, other), "failed")
            tally.count((other,), "answered")
            tally.count((other,), "answered")
    await asyncio.gather(*(tally.flush() for tally in tallies))
    assert await checkup.look() == 0  # fifteen calls of the first say nothing yet
    for _ in range(5):
        tallies[0].count((sender,), "failed")
    await tallies[0].flush()
    await asyncio.gather(checkup.look(), checkup.look())
    assert (await state(worker_pool, sender), await state(worker_pool, other)) == ("unhealthy", None)
    await view.refresh()
    assert {each: ill.state for each, ill in view.ill().items()} == {sender: "unhealthy"}
    assert "20 calls failed" in view.ill()[sender].reason

    clock.advance(HOLD)
    await checkup.look()
    assert await state(worker_pool, sender) == "probing"
    clock.advance(BUCKET)
    for _ in range(LEAST_PROBES):
        tallies[1].count((sender,), "answered")
    await tallies[1].flush()
    await checkup.look()
    assert await state(worker_pool, sender) == "healthy"
    await checkup.look()
    assert await state(worker_pool, sender) == "healthy"  # what made it ill lies before
    await view.refresh()
    assert view.ill() == {}


@pytest.fixture
async def probing(worker_pool, clock):
    """A sender whose hold has just ended; what was counted of it goes with it."""
    sender = new_uuid()
    await worker_pool.execute(
        "INSERT INTO health_states (subject_id, kind, state, reason, since, hold_seconds) "
        "VALUES ($1, 'sender', 'probing', 'x', $2, 30)",
        sender,
        clock.now(),
    )
    yield sender
    for table in ("health_states", "health_tallies"):
        await worker_pool.execute(f"DELETE FROM {table} WHERE subject_id = $1", sender)


async def probed(pool, clock, subject, results, *, every):
    """Make a probe at a time, with a look and a clean-up after each; returns where that leads."""
    tally, checkup = CallTally(pool, clock), Checkup(pool, clock)
    for result in results:
        clock.advance(every)
        tally.count((subject,), result)
        await tally.flush()
        await checkup.look()
        await checkup.forget()
    return await state(pool, subject)


@pytest.mark.parametrize("every", [timedelta(seconds=20), timedelta(minutes=5), timedelta(hours=5)])
async def test_a_sender_with_little_traffic_is_well_after_as_few_probes_as_a_busy_one(
    worker_pool, clock, probing, every
):
    """Probes are a twentieth of its messages: it may take a day to make five, and no window holds them."""
    assert await probed(worker_pool, clock, probing, ["answered"] * 4, every=every) == "probing"
    assert await probed(worker_pool, clock, probing, ["answered"], every=every) == "healthy"


async def test_few_probes_that_fail_make_it_rest_again_and_for_longer(worker_pool, clock, probing):
    """Else a dead sender with little traffic would be tried for ever."""
    results = ["answered", "answered", "failed", "failed", "failed"]
    assert await probed(worker_pool, clock, probing, results, every=timedelta(minutes=5)) == "unhealthy"
    hold_s = await worker_pool.fetchval(
        "SELECT hold_seconds FROM health_states WHERE subject_id = $1", probing
    )
    assert hold_s == 2 * HOLD.total_seconds()


async def test_between_the_limits_it_goes_on_probing_until_its_newest_probes_are_well(
    worker_pool, clock, probing
):
    """A fifth failing neither cures nor condemns; what failed a day ago is forgiven at last."""
    every = timedelta(minutes=20)
    bad = ["failed", "answered", "answered", "answered", "answered"] * 6
    assert await probed(worker_pool, clock, probing, bad, every=every) == "probing"
    assert await probed(worker_pool, clock, probing, ["answered"] * 12, every=every) == "healthy"


async def test_of_a_long_probing_only_what_it_is_judged_by_is_kept(worker_pool, clock, probing):
    """The table does not grow with the time that a sender is neither well nor ill."""
    bad = ["failed", "answered", "answered", "answered", "answered"] * 6
    await probed(worker_pool, clock, probing, bad, every=timedelta(minutes=20))
    kept = await worker_pool.fetchval("SELECT count(*) FROM health_tallies WHERE subject_id = $1", probing)
    assert kept == PROBE_BUCKETS


async def test_old_counts_are_forgotten(worker_pool, clock):
    """The table stays as small as an hour's traffic of senders."""
    tally = CallTally(worker_pool, clock)
    tally.count((new_uuid(),), "answered")
    await tally.flush()
    clock.advance(timedelta(hours=2))
    await Checkup(worker_pool, clock).forget()
    assert await worker_pool.fetchval("SELECT count(*) FROM health_tallies") == 0
