"""What is said of a message's wait is what it then waits, whoever else has brought how much."""

import random
from uuid import UUID

import pytest

from gateway.lanes.backlog import BacklogView
from gateway.lanes.entry import Priority, RateGate
from gateway.lanes.lanes import LaneKey
from gateway.lanes.line_sums import Line
from gateway.lanes.queues import Queues

QUIET, HOT = 1, 2
CAMPAIGN = (RateGate("c:campaign", 4.0),)


async def said(world, entry) -> float:
    """Seconds until a message like this one would leave if it were accepted now."""
    view, line = BacklogView(Queues(world.lanes)), line_of(entry)
    return view.wait_ms(line, await view.look(line, entry.tenant_id)) / 1000


def line_of(entry) -> Line:
    """The line that it would join."""
    return Line(
        route=entry.route,
        lane=LaneKey(entry.identity, entry.country, entry.priority),
        rate=entry.identity_rate,
        tenant_rate=entry.tenant_rate,
        shared=tuple(entry.shared_gates),
    )


async def waited(world, entry) -> float:
    """Seconds until it did."""
    await world.push(entry)
    left = {message.message_id: second for second, message in await world.drain()}
    return left[entry.message_id]


async def both(world, **fields) -> tuple[float, float]:
    """What was said of the next message of the quiet tenant, and what came."""
    entry = world.entry(tenant=QUIET, **fields)
    return await said(world, entry), await waited(world, entry)


async def test_who_shares_a_number_waits_for_turns_and_not_for_all_that_another_has_brought(world):
    """Two hundred of the hot tenant's are there first; three of his go before the fourth of the quiet one."""
    await world.push(*world.entries(200, tenant=HOT, identity_rate=2.0))
    await world.push(*world.entries(3, tenant=QUIET, identity_rate=2.0))
    expected, came = await both(world, identity_rate=2.0)
    assert (expected, came) == (pytest.approx(3.0, abs=0.51), pytest.approx(3.0, abs=0.51))


async def test_the_first_message_of_a_tenant_waits_for_nobody_s_campaign(world):
    """Its turn is the next one."""
    await world.push(*world.entries(200, tenant=HOT, identity_rate=2.0))
    assert await both(world, identity_rate=2.0) == (0.0, pytest.approx(0.0, abs=0.51))


@pytest.mark.parametrize(("weight", "seconds"), [(1, 6.0), (3, 4.0)])
async def test_a_heavy_tenant_waits_less(world, weight, seconds):
    """Of six messages of his, as many of the other's go before as the weights say."""
    await world.push(*world.entries(200, tenant=HOT, identity_rate=2.0))
    await world.push(*world.entries(6, tenant=QUIET, identity_rate=2.0, weight=weight))
    expected, came = await both(world, identity_rate=2.0, weight=weight)
    assert (expected, came) == (pytest.approx(seconds, abs=0.51), pytest.approx(seconds, abs=0.51))


async def test_numbers_of_one_campaign_take_turns(world):
    """The hot number's backlog is not before the quiet one's, of which two wait."""
    fields = {"identity_rate": 3.0, "shared_gates": CAMPAIGN}
    await world.push(*world.entries(200, tenant=HOT, identity=2, **fields))
    await world.push(*world.entries(2, tenant=QUIET, **fields))
    expected, came = await both(world, **fields)
    assert (expected, came) == (pytest.approx(1.0, abs=0.26), pytest.approx(1.0, abs=0.26))


async def test_numbers_of_one_account_take_turns_at_its_requests(world):
    """Five of six hot numbers have more than two to send, one has only one."""
    world.limit_requests(10)
    for hot in range(2, 8):
        await world.push(*world.entries(1 if hot == 7 else 60, tenant=hot, identity=hot, identity_rate=20.0))
    await world.push(*world.entries(2, tenant=QUIET, identity_rate=20.0))
    await world.claim(1)  # which tells Redis the account's rate
    expected, came = await both(world, identity_rate=20.0)
    assert (expected, came) == (pytest.approx(1.3, abs=0.4), pytest.approx(1.3, abs=0.4))


async def test_what_is_more_urgent_goes_before_whoever_brought_it(world):
    """All of another tenant's one-time passwords, and none of his advertisements."""
    await world.push(*world.entries(8, tenant=HOT, identity_rate=2.0, priority=Priority.OTP))
    await world.push(*world.entries(50, tenant=HOT, identity_rate=2.0, priority=Priority.PROMOTIONAL))
    expected, came = await both(world, identity_rate=2.0)
    assert (expected, came) == (4.0, pytest.approx(4.0, abs=0.51))


async def test_the_tenant_s_own_rate_holds_for_its_own_messages_only(world):
    """Of two hundred at a shared number four are its own, which leave at one in two seconds."""
    await world.push(*world.entries(200, tenant=HOT, identity_rate=5.0))
    await world.push(*world.entries(4, tenant=QUIET, identity_rate=5.0, tenant_rate=0.5))
    expected, came = await both(world, identity_rate=5.0, tenant_rate=0.5)
    assert (expected, came) == (8.0, pytest.approx(8.0, abs=0.51))


@pytest.mark.parametrize(
    "fields", [{"identity_rate": 0.5}, {"identity_rate": 5.0, "tenant_rate": 0.5}], ids=["number", "tenant"]
)
async def test_what_a_gate_is_owed_for_the_last_message_is_waited_for(world, fields):
    """Four parts left a second ago, and nothing waits."""
    await world.push(world.entry(tenant=QUIET, parts=4, **fields))
    assert len(await world.take()) == 1
    world.advance_ms(1_000)
    expected, came = await both(world, **fields)
    assert (expected, came) == (pytest.approx(7.24, abs=0.01), pytest.approx(7.24, abs=0.01))


async def test_a_lane_of_very_many_tenants_is_judged_by_a_part_of_them(world):
    """Three hundred tenants with two each, and one who has one: one of each goes before his second."""
    for tenant in range(10, 310):
        await world.push(*world.entries(2, tenant=tenant, identity_rate=10.0))
    await world.push(world.entry(tenant=QUIET, identity_rate=10.0))
    expected, came = await both(world, identity_rate=10.0)
    assert (expected, came) == (pytest.approx(30, rel=0.05), pytest.approx(30, rel=0.05))


@pytest.mark.parametrize("seed", range(8))
async def test_any_crowd(world, seed):
    """Tenants with weights and long texts at some numbers of a campaign: no more than two rounds apart."""
    dice = random.Random(seed)
    fields = {"identity_rate": 3.0, "shared_gates": CAMPAIGN}
    weights = {tenant: dice.choice([1, 1, 2, 4]) for tenant in range(1, 6)}
    entries = [
        world.entry(
            tenant=tenant, identity=dice.randint(1, 3), weight=weight, parts=dice.choice([1, 1, 2]), **fields
        )
        for tenant, weight in weights.items()
        for _ in range(dice.choice([0, 3, 10, 40]))
    ]
    dice.shuffle(entries)
    await world.push(*entries)
    expected, came = await both(world, weight=weights[QUIET], **fields)
    round_s = 1.4 * sum(weights.values()) * 3 / CAMPAIGN[0].parts_per_second / weights[QUIET]
    assert abs(expected - came) <= max(2 * round_s, 0.25 * came)


async def test_without_redis_the_whole_lane_is_waited_for(world, monkeypatch):
    """As long as nobody says where the tenant stands."""
    await world.push(*world.entries(20, tenant=HOT, identity_rate=2.0))
    view, line = BacklogView(Queues(world.lanes)), line_of(world.entry(tenant=QUIET, identity_rate=2.0))
    monkeypatch.setattr(BacklogView, "_ask", _nobody)
    assert view.wait_ms(line, await view.look(line, UUID(int=QUIET))) == 10_000


async def _nobody(*_asked):
    return None
