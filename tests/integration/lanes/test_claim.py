"""One claim: which messages may leave now, and when the next one may."""

import itertools
from uuid import UUID

import pytest

from gateway.lanes.entry import DailyCap, Priority, RateGate
from gateway.lanes.lanes import Lanes
from tests.harness.waiting import until


async def test_a_message_comes_back_as_it_was_pushed(world):
    """The packed form must lose nothing that the dispatcher needs."""
    entry = world.entry(tenant=7, identity=9, country="DE", parts=4, attempt=3, recipient=0xFFEE)
    await world.push(entry)
    [message] = (await world.claim()).messages
    assert (message.message_id, message.tenant_id, message.identity) == (
        entry.message_id,
        UUID(int=7),
        UUID(int=9),
    )
    assert (message.country, message.parts, message.attempt, message.claims) == ("DE", 4, 3, 1)
    assert (message.priority, message.recipient_hash) == (entry.priority, entry.recipient_hash)


async def test_an_empty_route_says_that_nothing_waits(world):
    """A dispatcher without work sleeps until it is woken."""
    claimed = await world.claim()
    assert claimed.messages == []
    assert claimed.next_open_ms is None


async def test_one_tenants_messages_leave_in_the_order_in_which_they_came(world):
    """Inside a flow the order is the tenant's own."""
    entries = world.entries(20, identity_rate=100.0)
    await world.push(*entries)
    assert [each.message_id for _, each in await world.drain()] == [each.message_id for each in entries]


async def test_a_closed_identity_tells_when_it_opens(world):
    """A part at 1 part/s costs 1.03 s: a second, and what two calls may be late by more than each other."""
    await world.push(*world.entries(2))
    assert len((await world.claim()).messages) == 1
    claimed = await world.claim()
    assert (claimed.messages, claimed.next_open_ms) == ([], 1030)


@pytest.mark.parametrize(
    "limits",
    [
        {"identity_rate": 1.0},
        {"identity_rate": 20.0},
        {"identity_rate": 100.0, "tenant_rate": 0.1},
        {"identity_rate": 100.0, "shared_gates": (RateGate("campaign", 0.5),)},
        {"identity_rate": 100.0, "daily_caps": (DailyCap("brand", 1),)},
    ],
    ids=str,
)
async def test_what_falls_away_leaves_its_place_to_the_next(world, limits):
    """A campaign that was canceled in line must not hold up what was sent after it."""
    entries = world.entries(60, **limits)
    await world.push(*entries)
    for expected in entries[:-1]:
        [message] = (await world.claim(1)).messages
        assert message.message_id == expected.message_id
        await world.lanes.settle(world.route, [message.message_id])
        assert await world.lanes.fell_away([message]) > 0
    [last] = (await world.claim(1)).messages
    assert (last.message_id, last.send_at_us) == (entries[-1].message_id, world.now_us)


async def test_what_falls_away_late_gives_back_what_is_left_of_its_place(world):
    """A mark that took longer than the gates remember must neither fail nor open them into the past."""
    await world.push(*world.entries(3, identity_rate=0.05))
    [message] = (await world.claim(1)).messages
    await world.lanes.settle(world.route, [message.message_id])
    world.advance_ms(10_000)
    assert await world.lanes.fell_away([message]) == 1
    claimed = await world.claim()
    assert [each.send_at_us for each in claimed.messages] == [world.now_us]
    world.advance_ms(120_000)
    assert await world.lanes.fell_away(claimed.messages) >= 0
    assert [each.send_at_us for each in (await world.claim()).messages] == [world.now_us]


async def test_what_others_came_after_stays_charged(world):
    """They keep the instants that they were given, and nobody is let in between."""
    await world.push(*world.entries(3, identity_rate=100.0))
    [first] = (await world.claim()).messages
    world.advance_ms(20)
    [second] = (await world.claim()).messages
    assert await world.lanes.fell_away([first]) == 0
    claimed = await world.claim()
    assert (claimed.messages, claimed.next_open_ms) == ([], 10)
    assert await world.lanes.fell_away([second]) == 1
    [third] = (await world.claim()).messages
    assert third.send_at_us == second.send_at_us


async def test_parts_are_charged_not_messages(world):
    """AWS counts parts: four of them close a 1 part/s number for four seconds."""
    await world.push(world.entry(parts=4), world.entry())
    first, second = [at for at, _ in await world.drain()]
    assert 4.11 <= second - first <= 4.13


async def test_a_message_longer_than_the_rate_still_leaves(world):
    """A four-part text on a toll-free number waits for ever in a bucket of three."""
    await world.push(world.entry(parts=4, identity_rate=3.0))
    assert len((await world.claim()).messages) == 1


async def test_a_closed_identity_does_not_stop_another(world):
    """Lanes share no queue."""
    await world.push(*world.entries(3, identity=1), *world.entries(3, identity=2))
    assert {each.identity.int for each in (await world.claim()).messages} == {1, 2}


async def test_a_closed_country_does_not_stop_another_of_the_same_identity(world):
    """AWS grants a sender id its rate per country."""
    await world.push(*world.entries(3, country="DE"), *world.entries(3, country="FR"))
    assert {each.country for each in (await world.claim()).messages} == {"DE", "FR"}


@pytest.mark.parametrize(
    "gates",
    [
        {"identity_rate": 1e-320},
        {"tenant_rate": 1e-320},
        {"shared_gates": (RateGate("campaign", 1e-320),)},
    ],
)
async def test_a_stored_rate_next_to_nothing_stops_no_other_lane(world, scripts, gates):
    """From before there were bounds: Redis, by its own clock, must take what a claim charges as a life."""
    lanes, route, taken = Lanes(scripts), f"{world.route}-by-its-clock", []
    assert await lanes.begin_rebuild(route, "first")
    assert await lanes.finish_rebuild(route, "first")
    slow = world.entries(2, route=route, identity=1, tenant=1, **gates)
    assert await lanes.push([*slow, world.entry(route=route, identity=2, tenant=2)]) == []

    async def have_both_left() -> bool:
        taken.extend((await lanes.claim(route, 10)).messages)
        return len(taken) >= 2

    await until(have_both_left)
    assert sorted(each.identity.int for each in taken) == [1, 2]


async def test_a_tenant_at_its_own_rate_does_not_stop_another(world):
    """The capped tenant is skipped and comes back when its gate opens."""
    await world.push(*world.entries(5, tenant=1, tenant_rate=1.0, identity_rate=100.0))
    await world.push(*world.entries(5, tenant=2, identity_rate=100.0))
    taken = await world.drain()
    assert max(at for at, each in taken if each.tenant_id == UUID(int=2)) < 0.2
    ones = [at for at, each in taken if each.tenant_id == UUID(int=1)]
    assert ones == pytest.approx([0.0, 1.03, 2.06, 3.09, 4.12], abs=0.01)


async def test_a_tenants_rate_counts_over_all_its_identities_in_a_country(world):
    """Adding numbers must not raise what the plan allows."""
    for identity in (1, 2, 3):
        await world.push(*world.entries(2, identity=identity, tenant_rate=2.0, identity_rate=50.0))
    times = [at for at, _ in await world.drain()]
    assert all(later - earlier >= 0.49 for earlier, later in itertools.pairwise(times))


async def test_a_tenants_rate_in_one_country_leaves_another_country_alone(world):
    """The gate is tenant and country."""
    await world.push(*world.entries(2, country="DE", tenant_rate=1.0), *world.entries(2, country="FR"))
    assert {each.country for each in (await world.claim()).messages} == {"DE", "FR"}


async def test_a_campaign_is_not_faster_with_more_numbers(world):
    """A 10DLC campaign's ceiling is shared by its numbers, and none of them starves."""
    campaign = (RateGate("campaign-1", 2.0),)
    for identity in range(1, 6):
        await world.push(*world.entries(4, identity=identity, shared_gates=campaign))
    taken = await world.drain()
    assert len(taken) == 20
    assert taken[-1][0] >= 19 * 0.5
    assert {each.identity.int for _, each in taken[:5]} == {1, 2, 3, 4, 5}
    assert {each.identity.int for _, each in taken[5:10]} == {1, 2, 3, 4, 5}


async def test_the_daily_cap_ends_at_midnight_utc(world):
    """T-Mobile's counter: at most the cap in one day, the rest tomorrow."""
    cap = DailyCap("brand-1", 5)
    await world.push(*world.entries(8, identity_rate=100.0, daily_caps=(cap,)))
    taken = await world.drain()
    assert [at < 1 for at, _ in taken].count(True) == 5
    day_ends_in_s = 86_400 - (world.now_us // 1_000_000 - round(taken[-1][0])) % 86_400
    assert abs(taken[5][0] - day_ends_in_s) <= 1


async def test_a_message_longer_than_the_daily_cap_leaves_alone(world):
    """It would otherwise block its lane for ever."""
    await world.push(world.entry(parts=7, daily_caps=(DailyCap("brand-2", 5),)))
    assert len((await world.claim()).messages) == 1


async def test_a_recipient_gets_one_message_a_second(world):
    """Across tenants and identities; the others of the lane pass by."""
    fast = {"identity_rate": 100.0}
    await world.push(
        *(world.entry(tenant=tenant, identity=tenant, recipient=5, **fast) for tenant in (1, 2, 3))
    )
    await world.push(world.entry(recipient=6, **fast))
    taken = await world.drain()
    same = [at for at, each in taken if each.recipient_hash[-1] == 5]
    assert [round(later - earlier, 3) for earlier, later in itertools.pairwise(same)] == [1.03, 1.03]
    assert next(at for at, each in taken if each.recipient_hash[-1] == 6) < 0.1


async def test_the_route_makes_no_more_requests_than_its_quota(world):
    """The account's requests per second are a gate over everything, one per message whatever its parts."""
    world.limit_requests(10)
    for identity in range(1, 6):
        await world.push(*world.entries(4, identity=identity, identity_rate=100.0, parts=2))
    times = [at for at, _ in await world.drain()]
    assert len(times) == 20
    assert abs(times[-1] - 19 * 0.101) < 0.05


async def test_a_claim_for_urgent_messages_leaves_the_others(world):
    """A dispatcher keeps its last slots for one-time passwords."""
    await world.push(
        world.entry(priority=Priority.PROMOTIONAL), world.entry(identity=2, priority=Priority.OTP)
    )
    [message] = (await world.claim(lowest_priority=Priority.OTP)).messages
    assert message.priority is Priority.OTP


async def test_a_new_rate_holds_for_what_is_queued_already(world):
    """The operator raised a quota: the next push brings the new rate, at once and at every priority."""
    await world.push(
        *world.entries(2, identity_rate=0.01), world.entry(identity_rate=0.01, priority=Priority.OTP)
    )
    await world.take()
    assert (await world.claim()).next_open_ms > 90_000
    await world.push(world.entry(identity_rate=100.0))
    longest_debt_ms = (await world.claim()).next_open_ms
    assert longest_debt_ms <= 1_000 + 32 * 10.1 + 1
    world.advance_ms(longest_debt_ms)
    assert len(await world.drain(until_ms=100)) == 3


async def test_a_tenants_new_rate_holds_for_what_is_parked_already(world):
    """The plan was changed while the tenant waited for its gate."""
    await world.push(*world.entries(3, tenant_rate=0.01, identity_rate=100.0))
    await world.take()
    world.advance_ms(10)
    assert (await world.claim()).next_open_ms > 90_000
    await world.push(world.entry(identity_rate=100.0))
    assert len(await world.drain(until_ms=100)) == 3


async def test_the_backlog_counts_parts_until_they_are_claimed(world):
    """It is what estimates and the queue bound are made of."""
    await world.push(*world.entries(3, parts=2), world.entry(priority=Priority.OTP))
    assert sorted(
        (key.priority, parts) for key, parts in (await world.lanes.backlog(world.route)).items()
    ) == [
        (Priority.OTP, 1),
        (Priority.TRANSACTIONAL, 6),
    ]
    await world.drain()
    assert await world.lanes.backlog(world.route) == {}
