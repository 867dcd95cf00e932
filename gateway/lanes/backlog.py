"""
How long a message would wait in its line, answered from memory and refreshed a few times a second.

Where all that waits would have left within a second, that is the answer, and costs a message no call. Where
it would not, or where one part takes a second or more, Redis is asked where the tenant stands in the lane.

A message counts from the moment at which its line is chosen. Those that are decided meanwhile, as the others
of its batch, stand behind it, and of equal senders they take another one.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from msgspec import Struct

from gateway.lanes.entry import DailyCap
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import LaneKey
from gateway.lanes.line_sums import Line, LineSums, day_wait_s, sums_of
from gateway.lanes.queues import Channel, ChannelGates, Place, Queues, RouteQueues, Today

_MILLISECONDS: Final = 1000
_GATES_KNOWN_FOR_S: Final = 10.0
"""A campaign that a number joins shows in the estimates of its other numbers after that."""
_DAY_KNOWN_FOR_S: Final = 30.0
_PATIENCE_S: Final = 0.2
"""A hundred times what Redis takes: who does not get figures in that time goes by the last ones."""
_HALF: Final = 2.0
_WORTH_ASKING_S: Final = 1.0
_SLOW: Final = 1.0
"""Parts per second: at this rate and below, it is worth asking what gates are owed for the last message."""
_NO_GATES: Final[Mapping[Channel, ChannelGates]] = {}


class _Used(Struct):
    """How far a cap was used, as last read."""

    parts: int
    day_ends_at: float
    read_again_at: float


class Coming(Struct, frozen=True, eq=False):
    """A message on its way into a line; each is one of its own, however alike two are."""

    line: Line
    tenant_id: UUID
    parts: int


class Look(Struct, frozen=True):
    """What was found of a line and takes Redis to find; it is good for the moment."""

    asked: bool
    """Whether it was asked where the tenant stands."""
    place: Place | None
    used: tuple[_Used | None, ...]
    """Of the line's daily caps; None where nobody can say."""


class _Route:
    """What waits in one route, as last read, with what this process has let into it since."""

    def __init__(self) -> None:
        self.read_at = float("-inf")
        self.sums = LineSums()
        self.gates: Mapping[Channel, ChannelGates] = _NO_GATES
        self.gates_read_at = float("-inf")
        self.caps: dict[DailyCap, _Used] = {}
        """By name and figure: how long a look is good for follows from the figure, which may be changed."""
        self.places: dict[tuple[LaneKey, UUID], asyncio.Task[Place | None]] = {}
        self.coming: set[Coming] = set()
        self.coming_of: Counter[tuple[LaneKey, UUID]] = Counter()
        self.reading: asyncio.Task[None] | None = None

    def count(self, coming: Coming, messages: int) -> None:
        """Let it stand in the line that others see; -1 takes it away."""
        self.sums.add_message(coming.line, coming.parts * messages, messages=messages)
        place = self.place_of(coming.line.lane, coming.tenant_id)
        if place is not None:
            place.own += messages

    def place_of(self, lane: LaneKey, tenant_id: UUID) -> Place | None:
        """Return where a tenant stands, as far as Redis has answered."""
        asked = self.places.get((lane, tenant_id)) if self.places else None
        return asked.result() if asked is not None and asked.done() else None


class BacklogView:
    """
    Estimates waits without a call per message.

    Args:
        max_age_s: How old the figures may be; the first question after that reads them anew, the others that
            come meanwhile wait for the same answer.
    """

    def __init__(
        self, queues: Queues, *, max_age_s: float = 0.25, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._queues = queues
        self._max_age_s = max_age_s
        self._monotonic = monotonic
        self._routes: dict[str, _Route] = {}

    async def look(self, line: Line, tenant_id: UUID) -> Look:
        """
        Find what `wait_ms` needs of a line: at its lane, its campaign, its route, its day.

        Where Redis cannot say the last figures stand: Postgres accepts, and the estimate is only worse.
        """
        route = self._of(line.route)
        if self._is_old(route):
            await self._refresh(line.route, route)
        used = [await self._use_of(route, line, cap) for cap in line.caps] if line.caps else ()
        asked = route.sums.longest_s(line) >= _WORTH_ASKING_S or line.slowest <= _SLOW
        place = await self._place(route, line, tenant_id) if asked else None
        return Look(asked, place, tuple(used))

    def wait_ms(self, line: Line, look: Look) -> int:
        """
        Return how long a new message of the line would wait if it joined now.

        Nothing is awaited: whoever lets it `join` before anything else knows that nobody came between.
        """
        route = self._of(line.route)
        wait_s = route.sums.wait_s(line, look.place) if look.asked else route.sums.longest_s(line)
        for cap, used in zip(line.caps, look.used, strict=True):
            if used is not None:
                wait_s = max(wait_s, self._day_wait_s(route, line, cap, used, look.place))
        return round(wait_s * _MILLISECONDS)

    def join(self, line: Line, tenant_id: UUID, parts: int) -> Coming:
        """Count a message that is about to be judged; `stay` or `leave` says what became of it."""
        route, coming = self._of(line.route), Coming(line, tenant_id, parts)
        route.coming.add(coming)
        route.coming_of[line.lane, tenant_id] += 1
        route.count(coming, 1)
        return coming

    def stay(self, coming: Coming) -> None:
        """It was accepted: it counts until the figures are read again, which then have it."""
        self._came(coming)

    def leave(self, coming: Coming) -> None:
        """It was refused, or is another's that came before: it does not count."""
        self._came(coming).count(coming, -1)

    def _came(self, coming: Coming) -> _Route:
        route, whose = self._of(coming.line.route), (coming.line.lane, coming.tenant_id)
        route.coming.remove(coming)
        route.coming_of[whose] -= 1
        if not route.coming_of[whose]:
            del route.coming_of[whose]
        return route

    def _of(self, name: str) -> _Route:
        if (route := self._routes.get(name)) is None:
            route = self._routes[name] = _Route()
        return route

    def _is_old(self, route: _Route) -> bool:
        return self._monotonic() - route.read_at > self._max_age_s

    async def _refresh(self, name: str, route: _Route) -> None:
        """Wait for new figures, and not for a Redis that takes the question and says nothing."""
        if route.reading is None:
            route.reading = asyncio.create_task(self._read(name, route))
        reading = route.reading
        if (await asyncio.wait({reading}, timeout=_PATIENCE_S))[0]:
            route.reading = None if route.reading is reading else route.reading
            reading.result()

    async def _read(self, name: str, route: _Route) -> None:
        try:
            queues = await self._queues.of(name)
            await self._read_gates(name, route, queues)
            route.sums = sums_of(queues, route.gates)
            route.places = {}
            for coming in route.coming:
                route.count(coming, 1)
        except RedisUnavailable:
            pass
        finally:
            route.read_at = self._monotonic()

    async def _read_gates(self, name: str, route: _Route, queues: RouteQueues) -> None:
        """Gates change seldom: those of known channels are read again now and then, new ones at once."""
        now = self._monotonic()
        if now - route.gates_read_at > _GATES_KNOWN_FOR_S:
            route.gates, route.gates_read_at = _NO_GATES, now
        channels = {(lane.identity, lane.country) for lane in queues.lanes}
        if unknown := [channel for channel in channels if channel not in route.gates]:
            route.gates = {**route.gates, **await self._queues.gates(name, unknown)}

    async def _place(self, route: _Route, line: Line, tenant_id: UUID) -> Place | None:
        """Return where the tenant stands, asked once between two looks at the queues; None if unknown."""
        asked = route.places.get((line.lane, tenant_id))
        if asked is None:
            asked = asyncio.create_task(self._ask(route, line, tenant_id))
            route.places[line.lane, tenant_id] = asked
        return asked.result() if asked.done() else await asyncio.shield(asked)

    async def _ask(self, route: _Route, line: Line, tenant_id: UUID) -> Place | None:
        try:
            place = await self._queues.place(line.route, line.lane, tenant_id)
        except RedisUnavailable:
            return None
        place.own += route.coming_of[line.lane, tenant_id]
        return place

    async def _use_of(self, route: _Route, line: Line, cap: DailyCap) -> _Used | None:
        """Return how far a day is used; None while nobody can say."""
        used, asked_at = route.caps.get(cap), self._monotonic()
        if used is None or asked_at >= used.read_again_at:
            try:
                today = await self._queues.today(line.route, [cap.name])
            except RedisUnavailable:
                return None
            if route.read_at < asked_at:  # what has left since would be among what waits as well
                await self._refresh(line.route, route)
            waiting = route.sums.towards_cap(cap.name, line.lane.priority)
            used = route.caps[cap] = self._used(today, line, cap, waiting)
        return used

    def _day_wait_s(
        self, route: _Route, line: Line, cap: DailyCap, used: _Used, place: Place | None
    ) -> float:
        """Return how long the day keeps a message back."""
        if used.parts + route.sums.towards_cap(cap.name, line.lane.priority) < cap.parts_per_day:
            return 0.0  # whoever goes first, there is room for all
        return day_wait_s(
            used=used.parts,
            before=route.sums.before_cap(line, cap.name, place),
            cap=cap.parts_per_day,
            ends_in_s=max(used.day_ends_at - self._monotonic(), 0.0),
            rate=line.slowest,
        )

    def _used(self, today: Today, line: Line, cap: DailyCap, waiting: int) -> _Used:
        """
        Return what is known of a cap, and how long that is good for.

        It cannot be full sooner than its campaign can fill it, so half of that time it need not be asked
        again: a cap that is far from full costs no call per message.
        """
        now, parts = self._monotonic(), today.used[cap.name]
        soonest_s = max(cap.parts_per_day - parts - waiting, 0) / max(line.rates)
        ends_in_s = today.ends_in_s[cap.name]
        good_for_s = min(max(soonest_s / _HALF, self._max_age_s), _DAY_KNOWN_FOR_S, ends_in_s)
        return _Used(parts, now + ends_in_s, now + good_for_s)
