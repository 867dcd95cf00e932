"""A changed quota reaches what is queued, and an older one never replaces it."""

from uuid import UUID

import pytest

from gateway.lanes.entry import DailyCap, LaneTerms, RateGate


def terms(world, **fields):
    values = {
        "route": world.route,
        "identity": UUID(int=1),
        "country": "US",
        "tenant_id": UUID(int=1),
        "identity_rate": 10.0,
        "version": 2,
    }
    return LaneTerms(**(values | fields))


async def test_a_new_rate_holds_for_what_is_queued_already(world):
    """The increase was approved while the campaign waited."""
    await world.push(*world.entries(20, identity_rate=0.1, version=1))
    await world.take()
    await world.lanes.agree([terms(world)])
    assert len(await world.drain(until_ms=8_000)) >= 10


async def test_what_went_at_an_old_rate_holds_nobody_up_at_the_new_one(world):
    """From one part in a hundred seconds to two a second: the next waits for half a second, not for 17."""
    gate = (RateGate("campaign", 0.01),)
    slow = {"identity_rate": 0.01, "tenant_rate": 0.01, "shared_gates": gate, "version": 1}
    await world.push(*world.entries(5, **slow))
    await world.take()
    two = {"identity_rate": 2.0, "tenant_rate": 2.0, "shared_gates": (RateGate("campaign", 2.0),)}
    await world.lanes.agree([terms(world, **two)])
    times = [at for at, _ in await world.drain()]
    assert times == pytest.approx([0.515, 1.03, 1.545, 2.06], abs=0.05)


async def test_a_lowered_rate_holds_for_whom_the_last_message_was_just_before(world):
    """From two a second to one in two seconds, which AWS counts from the message that just went."""
    await world.push(*world.entries(3, identity_rate=2.0, version=1))
    await world.take()
    await world.lanes.agree([terms(world, identity_rate=0.5)])
    assert [at for at, _ in await world.drain()] == pytest.approx([2.06, 4.12], abs=0.05)


async def test_an_older_version_never_replaces_a_newer_one(world):
    """A process that has not heard of the change goes on pushing what it knows."""
    await world.push(*world.entries(5, identity_rate=0.1, version=1))
    await world.lanes.agree([terms(world, tenant_rate=10.0)])
    await world.push(*world.entries(5, identity_rate=0.1, tenant_rate=0.1, version=1))
    assert len(await world.drain(until_ms=3_000)) == 10


async def test_terms_alone_queue_nothing(world):
    """A channel without messages is none of Redis's business."""
    await world.lanes.agree([terms(world)])
    assert (await world.claim()).next_open_ms is None
    assert await world.lanes.backlog(world.route) == {}


async def test_a_plan_without_a_limit_lifts_the_one_that_was(world):
    """Back to the defaults is a change, too."""
    await world.push(*world.entries(5, identity_rate=100.0, tenant_rate=0.01, version=1))
    await world.take()
    await world.lanes.agree([terms(world, identity_rate=100.0)])
    assert len(await world.drain(until_ms=1_000)) == 4


async def test_a_campaigns_ceiling_is_not_raised_by_more_numbers(world):
    """Three numbers of 1 MPS under a ceiling of 0.5."""
    gate = (RateGate("campaign", 0.5),)
    for identity in (1, 2, 3):
        await world.push(*world.entries(3, identity=identity, shared_gates=gate))
    times = [at for at, _ in await world.drain()]
    assert times[-1] >= 8 * 2.06 - 0.1


async def test_every_daily_cap_of_a_lane_holds(world):
    """The campaign's is the smaller one today, the brand's may be tomorrow."""
    caps = (DailyCap("campaign", 3), DailyCap("brand", 5))
    await world.push(*world.entries(4, identity=1, identity_rate=50.0, daily_caps=caps))
    await world.push(*world.entries(4, identity=2, identity_rate=50.0, daily_caps=caps[1:]))
    assert len(await world.drain(until_ms=2_000)) == 5
