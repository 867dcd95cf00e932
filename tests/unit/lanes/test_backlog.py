"""How long a message would wait, from figures that are at most a quarter of a second old."""

import asyncio
from uuid import UUID

import pytest
from msgspec import structs

from gateway.lanes.backlog import BacklogView
from gateway.lanes.entry import DailyCap, Priority, RateGate
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import LaneKey
from gateway.lanes.line_sums import Line, day_wait_s
from gateway.lanes.queues import ChannelGates, Place, RouteQueues, Today
from gateway.lanes.rounds import Waiting

IDENTITY, SECOND_NUMBER = UUID(int=1), UUID(int=2)
TENANT = UUID(int=3)
CAMPAIGN = RateGate("c:tenant:C1", 4.0)
DAY = DailyCap("c:tenant:C1", 1_000)
NIGHT_S = 3_600.0


class CountedQueues:
    """Queues that hold what the test says, and that count how often they were asked."""

    def __init__(self) -> None:
        self.parts = {Priority.OTP: 10, Priority.TRANSACTIONAL: 20, Priority.PROMOTIONAL: 300}
        self.of_second = 0
        self.messages: int | None = None
        self.request_us = 0.0
        self.used = 0
        self.asked = 0
        self.asked_of_gates = 0
        self.asked_of_day = 0
        self.asked_of_places = 0
        self.place_of_tenant: Place | None = None
        self.away = False
        self.silent: asyncio.Event | None = None

    async def of(self, route: str) -> RouteQueues:
        """Return the figures, a turn of the loop later."""
        assert route == "main"
        self.asked += 1
        await asyncio.sleep(0)
        if self.silent is not None:
            await self.silent.wait()
        if self.away:
            raise RedisUnavailable("away")
        lanes = {LaneKey(IDENTITY, "US", each): self._waiting(parts) for each, parts in self.parts.items()}
        second = LaneKey(SECOND_NUMBER, "US", Priority.OTP)
        return RouteQueues(lanes=lanes | {second: self._waiting(self.of_second)}, request_us=self.request_us)

    def _waiting(self, parts: int) -> Waiting:
        return Waiting(parts, parts if self.messages is None else self.messages)

    async def gates(self, _route: str, channels) -> dict[tuple[UUID, str], ChannelGates]:
        """Every number is one of the campaign."""
        self.asked_of_gates += 1
        return dict.fromkeys(channels, ChannelGates(us=1e5, shared={CAMPAIGN.name: 25e4}, caps=(DAY,)))

    async def place(self, _route: str, lane: LaneKey, _tenant: UUID) -> Place:
        """Alone in the lane, unless the test says otherwise."""
        self.asked_of_places += 1
        await asyncio.sleep(0)
        if self.away:
            raise RedisUnavailable("away")
        if self.place_of_tenant is not None:
            return structs.replace(self.place_of_tenant)
        return Place(
            own=self._waiting(self.parts.get(lane.priority, 0)).messages if lane.country == "US" else 0,
            others=0,
            opens_in_s=0.0,
            own_opens_in_s=0.0,
        )

    async def today(self, _route: str, caps) -> Today:
        """An hour before midnight."""
        self.asked_of_day += 1
        if self.away:
            raise RedisUnavailable("away")
        return Today(used=dict.fromkeys(caps, self.used), ends_in_s=dict.fromkeys(caps, NIGHT_S))


class Stopwatch:
    """Seconds that pass when told to."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


def line(priority: Priority = Priority.OTP, *, country: str = "US", **gates) -> Line:
    """Ten parts a second."""
    return Line(route="main", lane=LaneKey(IDENTITY, country, priority), rate=10.0, **gates)


async def wait_ms(view: BacklogView, of: Line) -> int:
    """What a message of the tenant would wait in a line."""
    return view.wait_ms(of, await view.look(of, TENANT))


@pytest.fixture
def queues() -> CountedQueues:
    return CountedQueues()


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def view(queues, stopwatch) -> BacklogView:
    return BacklogView(queues, monotonic=stopwatch)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [(Priority.OTP, 1_000), (Priority.TRANSACTIONAL, 3_000), (Priority.PROMOTIONAL, 33_000)],
)
async def test_only_the_same_and_more_urgent_messages_are_ahead(view, priority, expected):
    """A campaign in the lane does not make a one-time password wait."""
    assert await wait_ms(view, line(priority)) == expected


async def test_another_lane_does_not_count(view):
    """Another country has its own rate."""
    assert await wait_ms(view, line(Priority.PROMOTIONAL, country="CA")) == 0


@pytest.mark.parametrize("gates", [{"rate": 1e-320}, {"shared": (RateGate(CAMPAIGN.name, 1e-320),)}])
async def test_a_stored_rate_next_to_nothing_is_a_wait_that_can_be_said(view, gates):
    """One from before there were bounds: endless is no number, and no send would be answered."""
    assert 3 * 86_400_000 < await wait_ms(view, structs.replace(line(), **gates)) < 2**53


async def test_what_was_admitted_since_counts_until_the_figures_are_read_again(view, queues, stopwatch):
    """A burst inside a quarter of a second must see itself."""
    await wait_ms(view, line())
    view.stay(view.join(line(), TENANT, 5))
    assert await wait_ms(view, line()) == 1_500
    queues.parts[Priority.OTP] = 12
    stopwatch.seconds += 0.3
    assert await wait_ms(view, line()) == 1_200


@pytest.mark.parametrize("parts", [9, 50])
async def test_messages_of_one_moment_stand_behind_each_other(view, queues, stopwatch, parts):
    """Also where Redis is asked for the tenant's place, and where the figures are read meanwhile."""
    queues.parts[Priority.OTP] = parts
    first = [await wait_ms(view, line())]
    coming = []
    for _ in range(40):
        coming.append(view.join(line(), TENANT, 1))
        first.append(await wait_ms(view, line()))
        stopwatch.seconds += 0.05
    assert first == [(parts + before) * 100 for before in range(41)]
    for each in coming:
        view.leave(each)
    assert await wait_ms(view, line()) == parts * 100


async def test_what_was_refused_does_not_count(view, queues):
    """Beside one that was accepted."""
    await wait_ms(view, line())
    refused, accepted = (view.join(line(), TENANT, 5) for _ in range(2))
    view.leave(refused)
    view.stay(accepted)
    assert await wait_ms(view, line()) == 1_500


async def test_a_thousand_questions_at_once_read_the_backlog_once(view, queues):
    """Single flight: the others wait for the same answer."""
    ask = [wait_ms(view, line()) for _ in range(1000)]
    assert set(await asyncio.gather(*ask)) == {1_000}
    assert queues.asked == 1


async def test_a_redis_that_says_nothing_is_not_waited_for(view, queues, stopwatch):
    """It takes seconds to be given up, and each send would wait for as long."""
    await wait_ms(view, line())
    queues.silent = asyncio.Event()
    stopwatch.seconds += 1
    async with asyncio.timeout(5):
        assert [await wait_ms(view, line()) for _ in range(3)] == [1_000] * 3
    assert queues.asked == 2
    queues.parts[Priority.OTP] = 12
    queues.silent.set()
    await asyncio.sleep(0)
    assert await wait_ms(view, line()) == 1_200


async def test_without_redis_the_last_figures_stand(view, queues, stopwatch):
    """Accepting goes on when Redis is away."""
    await wait_ms(view, line())
    queues.away = True
    stopwatch.seconds += 1
    view.stay(view.join(line(), TENANT, 10))
    assert await wait_ms(view, line(caps=(DAY,))) == 2_000


@pytest.mark.parametrize(("of_second", "before"), [(0, 0), (4, 4), (40, 10.5), (4_000, 10.5)])
async def test_numbers_of_a_campaign_take_turns(view, queues, of_second, before):
    """At four a second as many go of the other number as of the own, and half a round."""
    queues.of_second = of_second
    assert await wait_ms(view, line()) == 1_000
    assert await wait_ms(view, line(shared=(CAMPAIGN,))) == (10 + before) * 250


async def test_what_was_admitted_since_counts_at_its_campaign(view, queues):
    """A message of four parts at the own number makes it eleven turns, and fourteen parts."""
    queues.of_second = 40
    await wait_ms(view, line(shared=(CAMPAIGN,)))
    view.stay(view.join(line(shared=(CAMPAIGN,)), TENANT, 4))
    assert await wait_ms(view, line(shared=(CAMPAIGN,))) == (14 + 11.5) * 250


async def test_where_the_tenant_stands_is_asked_once_between_two_looks_at_the_queues(view, queues, stopwatch):
    """Forty-seven of fifty are others' that come later; all that were admitted here count at once."""
    queues.parts[Priority.OTP] = 50
    queues.place_of_tenant = Place(own=2, others=1, opens_in_s=0.0, own_opens_in_s=0.0)
    assert set(await asyncio.gather(*(wait_ms(view, line()) for _ in range(100)))) == {300}
    view.stay(view.join(line(), TENANT, 1))
    assert (await wait_ms(view, line()), queues.asked_of_places) == (400, 1)
    stopwatch.seconds += 0.3
    assert (await wait_ms(view, line()), queues.asked_of_places) == (300, 2)


async def test_a_line_that_is_gone_within_a_second_is_not_asked_for(view, queues):
    """Nine parts at ten a second."""
    queues.parts[Priority.OTP] = 9
    assert (await wait_ms(view, line()), queues.asked_of_places) == (900, 0)


async def test_who_stops_waiting_does_not_stop_the_others(view):
    """A client that hangs up."""
    first, second = (asyncio.create_task(wait_ms(view, line())) for _ in range(2))
    for _ in range(3):
        await asyncio.sleep(0)
    first.cancel()
    assert await second == 1_000


async def test_the_account_s_requests_count_messages_of_the_whole_route(view, queues):
    """A message of many parts is one request; another sender's messages take requests, too."""
    queues.request_us, queues.messages = 1e6, 3
    assert await wait_ms(view, line(Priority.OTP)) == (3 + 3) * 1_000
    assert await wait_ms(view, line(Priority.PROMOTIONAL)) == 33_000


async def test_a_day_that_is_used_up_is_waited_for(view, queues):
    """A T-Mobile day of 1,000 parts, an hour before midnight: ten parts go before."""
    queues.used = 1_000
    assert await wait_ms(view, line(caps=(DAY,))) == (NIGHT_S + 1) * 1_000


async def test_a_day_that_is_made_smaller_is_looked_at_at_once(view, queues):
    """What was far from full by the old figure, and so not asked again soon, may be full by the new one."""
    queues.used = 50
    assert await wait_ms(view, line(caps=(DAY,))) < NIGHT_S * 1_000
    queues.used = 60
    assert await wait_ms(view, line(caps=(DailyCap(DAY.name, 60),))) > NIGHT_S * 1_000


async def test_what_has_left_is_not_among_what_waits_as_well(view, queues, stopwatch):
    """Ten parts waited a moment ago and have filled the day since: one midnight away, and not two."""
    await wait_ms(view, line())
    stopwatch.seconds += 0.2
    queues.parts[Priority.OTP], queues.used = 0, 10
    filled = line(caps=(DailyCap(DAY.name, 10),))
    assert NIGHT_S * 1_000 <= await wait_ms(view, filled) < (NIGHT_S + 60) * 1_000


async def test_a_day_with_room_costs_nothing_and_is_seldom_asked_for(view, queues, stopwatch):
    """No call per message, as long as the cap cannot have been reached since."""
    for _ in range(40):
        assert await wait_ms(view, line(caps=(DAY,))) == 1_000
        stopwatch.seconds += 0.5
    assert queues.asked_of_day == 1
    queues.used = 995
    stopwatch.seconds += 40
    assert await wait_ms(view, line(caps=(DAY,))) > NIGHT_S * 1_000


async def test_gates_are_read_once_per_channel_and_again_after_a_while(view, queues, stopwatch):
    """They change when an operator says so."""
    for _ in range(10):
        stopwatch.seconds += 0.3
        await wait_ms(view, line())
    assert queues.asked_of_gates == 1
    stopwatch.seconds += 20
    await wait_ms(view, line())
    assert queues.asked_of_gates == 2


@pytest.mark.parametrize(
    ("used", "before", "wait_s"),
    [
        (0, 0, 0),
        (90, 9, 0),
        (90, 10, NIGHT_S),
        (100, 0, NIGHT_S),
        (120, 50, NIGHT_S + 50 / 5),
        (0, 350, NIGHT_S + 2 * 86_400 + 50 / 5),
    ],
)
def test_a_long_queue_fills_one_day_after_the_other(used, before, wait_s):
    """A hundred parts a day."""
    assert day_wait_s(used=used, before=before, cap=100, ends_in_s=NIGHT_S, rate=5.0) == wait_s
