"""The scripts against a plain model: runs of pushes, claims, waits and crashes, and what must hold then."""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.lanes.entry import ClaimedMessage, DailyCap, LaneEntry, Priority, RateGate
from gateway.lanes.gates import bound_of, period_us, request_us
from gateway.lanes.lanes import AHEAD_MS
from tests.integration.lanes.conftest import World

IDENTITY_RATES = {1: 1.0, 2: 20.0, 3: 300.0}
TENANT_RATES = {1: None, 2: 2.0, 3: None, 4: 30.0}
CAMPAIGN = (RateGate("campaign", 40.0),)
SHARED = {1: CAMPAIGN, 2: CAMPAIGN, 3: ()}
CAPS = {1: (), 2: (DailyCap("brand", 30), DailyCap("campaign", 25)), 3: (DailyCap("brand", 30),)}
WEIGHTS = {1: 1, 2: 1, 3: 3, 4: 1}
REQUEST_RATES = (150.0, 9_000.0)
"""One that limits, and one under which visits bring several messages."""
LEASE_US = 30_000_000
FLOOR = 19
WINDOW_US = 1_020_000
CATCH_UP_US = 200_000
RECIPIENT_US = 1_030_000
DAY_US = 86_400_000_000
LONGEST = 8
ROUNDED_UP_US = 500
"""Redis keeps whole microseconds, rounded up; the model keeps fractions."""


@dataclass
class Model:
    """What should be queued, held and owed; kept in dictionaries, with no thought of speed."""

    request_rate: float
    queued: dict[UUID, LaneEntry] = field(default_factory=dict)
    delayed: set[UUID] = field(default_factory=set)
    held: dict[UUID, tuple[LaneEntry, int]] = field(default_factory=dict)
    owed: dict[object, float] = field(default_factory=dict)
    sent: dict[object, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    days: Counter[tuple[str, int]] = field(default_factory=Counter)
    recipients: dict[bytes, int] = field(default_factory=dict)
    done: set[UUID] = field(default_factory=set)
    others_since_promotional: Counter[object] = field(default_factory=Counter)
    charges: dict[object, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Instant and cost of what was granted at a gate, the newest last."""
    looked_at_later: set[tuple[UUID, str]] = field(default_factory=set)
    """Channels that may share a gate with a message that fell away, and are not told that it opens sooner."""

    def gates(self, entry: LaneEntry, parts: int) -> list[tuple[object, float, int, int]]:
        """Return each gate's name, period, bound and cost; a tenant's gate spans its identities."""
        rates: list[tuple[object, float]] = [((entry.identity, entry.country), entry.identity_rate)]
        rates += [(gate.name, gate.parts_per_second) for gate in entry.shared_gates]
        if entry.tenant_rate is not None:
            rates.append(((entry.tenant_id, entry.country, "tenant"), entry.tenant_rate))
        found = [(name, period_us(rate), bound_of(rate), parts) for name, rate in rates]
        return [("route", request_us(self.request_rate), 0, 1), *found]

    def is_open(self, entry: LaneEntry, at_us: int, *, parts: int | None = None) -> bool:
        """Tell whether every gate lets the message, or one of so many parts, go at an instant."""
        gates = self.gates(entry, parts or entry.parts)
        return all(
            self.owed.get(name, 0) <= at_us and self.fits(name, bound, cost, at_us)
            for name, _, bound, cost in gates
        ) and all(self.fits_the_day(cap, parts or entry.parts, at_us) for cap in entry.daily_caps)

    def fits(self, name: object, bound: int, cost: int, at_us: int) -> bool:
        """Tell whether the second that ends at an instant has room; a message longer than it goes alone."""
        inside = sum(parts for at, parts in self.sent[name] if at > at_us - WINDOW_US)
        return bound == 0 or inside == 0 or inside + cost <= bound

    def full_until(self, name: object, bound: int, cost: int) -> int:
        """Return when enough of what was sent is over for so many parts; 0 where nothing has to be."""
        inside = cost
        for at, parts in reversed(self.sent[name]):
            inside += parts
            if bound and inside > bound:
                return at + WINDOW_US
        return 0

    def fits_the_day(self, cap: DailyCap, parts: int, at_us: int) -> bool:
        """Tell whether the day has room."""
        used = self.days[cap.name, at_us // DAY_US]
        return used == 0 or used + parts <= cap.parts_per_day

    def expire(self, now_us: int) -> None:
        """Queue again what nobody settled in time."""
        for message_id, (entry, deadline) in list(self.held.items()):
            if deadline <= now_us:
                del self.held[message_id]
                self.queued[message_id] = entry

    def grant(self, message: ClaimedMessage, now_us: int, ahead_us: int) -> None:
        """Hold one claimed message to every rule, then charge it."""
        assert message.message_id in self.queued, "lost, invented or given out twice"
        entry, at_us = self.queued[message.message_id], message.send_at_us
        assert now_us <= at_us <= now_us + ahead_us, "an instant out of reach"
        assert self.is_open(entry, at_us + 2), "a gate was closed"
        if any(entry.recipient_hash):
            assert at_us - self.recipients.get(entry.recipient_hash, 0) >= RECIPIENT_US, "two in one second"
        lane = (entry.identity, entry.country)
        urgent = [
            each
            for each in self.surely_open(now_us + ahead_us // 2)
            if (each.identity, each.country) == lane and each.priority < entry.priority
        ]
        if entry.priority is Priority.PROMOTIONAL:
            allowed = (
                self.others_since_promotional[lane] >= FLOOR or self.others_since_promotional["all"] >= FLOOR
            )
            assert not urgent or allowed, "a campaign passed an urgent message"
            self.others_since_promotional[lane] = self.others_since_promotional["all"] = 0
        else:
            assert not urgent, "a less urgent message went first"
            self.others_since_promotional[lane] += entry.parts
            self.others_since_promotional["all"] += 1
        del self.queued[message.message_id]
        self.recipients[entry.recipient_hash] = at_us
        self.held[message.message_id] = (entry, now_us + LEASE_US)
        for name, period, bound, cost in self.gates(entry, entry.parts):
            made_up = min(max(self.full_until(name, bound, cost) - self.owed.get(name, 0), 0), CATCH_UP_US)
            self.owed[name] = max(self.owed.get(name, 0), at_us - made_up) + cost * period
            self.sent[name].append((at_us, cost))
            self.charges[name].append((at_us, cost))
        for cap in entry.daily_caps:
            self.days[cap.name, now_us // DAY_US] += entry.parts

    def fall_away(self, message: ClaimedMessage, now_us: int) -> None:
        """Take back what a held message was charged where nobody came after it: it does not leave."""
        entry, at_us = self.held.pop(message.message_id)[0], message.send_at_us
        self.looked_at_later |= {(each.identity, each.country) for each in self.queued.values()}
        self.looked_at_later.discard((entry.identity, entry.country))
        for name, _, _, cost in self.gates(entry, entry.parts):
            if self.charges[name][-1] == (at_us, cost):
                self.charges[name].pop()
                self.sent[name].remove((at_us, cost))
                self.owed[name] = min(self.owed[name], at_us)
        for cap in entry.daily_caps:
            self.days[cap.name, now_us // DAY_US] -= entry.parts

    def surely_open(self, at_us: int) -> list[LaneEntry]:
        """Return what may go by an instant even if a longer message stands before it."""
        return [
            each
            for each in self.queued.values()
            if not any(each.recipient_hash)
            and each.message_id not in self.delayed
            and (each.identity, each.country) not in self.looked_at_later
            and self.is_open(each, at_us - ROUNDED_UP_US, parts=LONGEST)
        ]

    def nothing_was_left(self, now_us: int, ahead_us: int) -> None:
        """After a claim that could have taken more, nothing without a recipient's gate may be open."""
        assert not self.surely_open(now_us + ahead_us // 2), "an open message was left behind"


@dataclass(frozen=True)
class Push:
    """Some messages of one flow."""

    count: int
    identity: int
    tenant: int
    priority: Priority
    parts: int
    recipient: int


@dataclass(frozen=True)
class Claim:
    """Take up to `limit`, then settle them or leave the leases to run out; beyond `called` they fall away."""

    limit: int
    settle: bool
    called: int = 50


@dataclass(frozen=True)
class Wait:
    """Let time pass."""

    milliseconds: float


@dataclass(frozen=True)
class GiveBack:
    """Requeue the oldest held message."""

    delay_ms: int


pushes = st.builds(
    Push,
    count=st.integers(1, 6),
    identity=st.sampled_from(list(IDENTITY_RATES)),
    tenant=st.sampled_from(list(TENANT_RATES)),
    priority=st.sampled_from(Priority),
    parts=st.integers(1, 4),
    recipient=st.sampled_from([0, 0, 0, 1, 2]),
)
claims = st.builds(
    Claim, limit=st.integers(1, 12), settle=st.booleans(), called=st.sampled_from([50, 50, 0, 1, 3])
)
waits = st.builds(Wait, milliseconds=st.sampled_from([0.5, 3, 10, 100, 700, 1500, 31_000]))
give_backs = st.builds(GiveBack, delay_ms=st.sampled_from([0, 0, 250, 2_000]))


class Run:
    """One history, applied to Redis and to the model."""

    def __init__(self, world: World, request_rate: float) -> None:
        self.world, self.model = world, Model(request_rate)
        self.ahead_us = round(world.options["ahead_ms"] * 1000)
        self.pushed: set[UUID] = set()
        self.claimed: deque[ClaimedMessage] = deque()

    async def step(self, operation: object) -> None:
        """Do one thing of the history."""
        match operation:
            case Push():
                await self.push(operation)
            case Claim():
                await self.claim(operation)
            case Wait():
                self.world.advance_ms(operation.milliseconds)
            case GiveBack():
                await self.give_back(operation)

    async def push(self, push: Push) -> None:
        """Queue in both."""
        entries = self.world.entries(
            push.count,
            identity=push.identity,
            tenant=push.tenant,
            priority=push.priority,
            parts=push.parts,
            recipient=push.recipient,
            identity_rate=IDENTITY_RATES[push.identity],
            tenant_rate=TENANT_RATES[push.tenant],
            shared_gates=SHARED[push.identity],
            daily_caps=CAPS[push.identity],
            weight=WEIGHTS[push.tenant],
        )
        await self.world.push(*entries)
        self.model.queued |= {each.message_id: each for each in entries}
        self.model.looked_at_later -= {(each.identity, each.country) for each in entries}
        self.pushed |= {each.message_id for each in entries}

    async def claim(self, claim: Claim) -> int | None:
        """Claim from Redis and hold the answer to the model."""
        now_us = self.world.now_us
        self.model.expire(now_us)
        claimed = await self.world.claim(claim.limit)
        for message in claimed.messages:
            self.model.grant(message, now_us, self.ahead_us)
        if len(claimed.messages) < claim.limit:
            self.model.nothing_was_left(now_us, self.ahead_us)
        if claim.settle:
            await self.world.lanes.settle(self.world.route, [each.message_id for each in claimed.messages])
            await self.world.lanes.fell_away(claimed.messages[claim.called :])
            for message in reversed(claimed.messages[claim.called :]):
                self.model.fall_away(message, now_us)
            for message in claimed.messages[: claim.called]:
                del self.model.held[message.message_id]
            self.model.done |= {each.message_id for each in claimed.messages}
        else:
            self.claimed.extend(claimed.messages)
        await self.backlogs_agree()
        return claimed.next_open_ms

    async def give_back(self, give_back: GiveBack) -> None:
        """Requeue the oldest lease that still runs."""
        while self.claimed:
            message = self.claimed.popleft()
            held = self.model.held.get(message.message_id)
            if held is not None and held[1] > self.world.now_us:
                assert await self.world.lanes.requeue(message, delay_ms=give_back.delay_ms)
                del self.model.held[message.message_id]
                self.model.queued[message.message_id] = held[0]
                if give_back.delay_ms:
                    self.model.delayed.add(message.message_id)
                return

    async def backlogs_agree(self) -> None:
        """Compare the parts that wait, lane by lane."""
        expected: Counter[tuple[UUID, str, Priority]] = Counter()
        for entry in self.model.queued.values():
            expected[entry.identity, entry.country, entry.priority] += entry.parts
        actual = await self.world.lanes.backlog(self.world.route)
        assert {(key.identity, key.country, key.priority): parts for key, parts in actual.items()} == expected

    async def finish(self) -> None:
        """Everything leaves exactly once, by claims at the times that the claims themselves name."""
        for _ in range(2_000):
            next_open_ms = await self.claim(Claim(limit=50, settle=True))
            if next_open_ms is None:
                break
            self.world.advance_ms(next_open_ms)
        assert not self.model.queued
        assert not self.model.held
        assert self.model.done == self.pushed


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    ahead_ms=st.sampled_from([0, AHEAD_MS, 60]),
    request_rate=st.sampled_from(REQUEST_RATES),
    history=st.lists(st.one_of(pushes, pushes, claims, claims, waits, give_backs), max_size=40),
)
async def test_every_history_keeps_the_rates_the_order_and_every_message(
    scripts, ahead_ms, request_rate, history
):
    """Rates, priorities, no loss, no duplicate, nothing open left behind, and a backlog that adds up."""
    world = World(scripts, ahead_ms=ahead_ms)
    await world.open()
    world.limit_requests(request_rate)
    run = Run(world, request_rate)
    for operation in history:
        await run.step(operation)
    await run.finish()
