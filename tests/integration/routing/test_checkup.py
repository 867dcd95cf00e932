"""Health on Postgres: counted by every process, judged by one, seen by all."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import FixedClock
from gateway.routing.checkup import Checkup
from gateway.routing.health import HOLD, LEAST_PROBES
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


async def test_old_counts_are_forgotten(worker_pool, clock):
    """The table stays as small as an hour's traffic of senders."""
    tally = CallTally(worker_pool, clock)
    tally.count((new_uuid(),), "answered")
    await tally.flush()
    clock.advance(timedelta(hours=2))
    await Checkup(worker_pool, clock).forget()
    assert await worker_pool.fetchval("SELECT count(*) FROM health_tallies") == 0
