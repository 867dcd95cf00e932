"""
Who may post now: the places of one sender, and the lines in front of them.

There are two rooms. A post begins in the quick room; one that lasts half a second moves to the slow room, and
so does every later post of its endpoint until one of them was quick. So the places of the quick room are
never held for longer than that, and receivers that take their time wait for each other and for nobody else.
Tenants share the slow room: a place that is free there goes to the tenant that has the fewest, however many
slow endpoints another one has.

One endpoint has at most ten posts under way. A few more wait in memory for a place, which is cheaper than to
give them back and lease them anew; the rest is held in Postgres (`gateway.webhooks.gates`).
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Final
from uuid import UUID

from gateway.webhooks.due import LEASE, DueDelivery

PER_ENDPOINT: Final = 10
WAITING_PER_ENDPOINT: Final = 50
SLOW_S: Final = 0.5
"""A post that lasts longer gives its quick place back."""
_WAITS_AT_MOST_S: Final = LEASE.total_seconds() / 2
"""What has waited for longer is left to its lease: a post must end before another sender takes it."""
_SLOW_PER_QUICK: Final = 4
_OVERFULL: Final = 4
"""The slow room takes posts that turn out slow up to this multiple; then they keep their quick places."""
_MOST_SLOW_KNOWN: Final = 20_000


class Place:
    """Where one post is."""

    __slots__ = ("endpoint", "is_quick", "since", "tenant")

    def __init__(self, tenant: UUID, endpoint: UUID, *, is_quick: bool, since: float) -> None:
        self.tenant = tenant
        self.endpoint = endpoint
        self.is_quick = is_quick
        self.since = since


class Places:
    """The rooms and lines of one sender; no I/O, and `clock` in seconds."""

    def __init__(self, quick: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._quick_size = quick
        self._slow_size = quick * _SLOW_PER_QUICK
        self._clock = clock
        self._quick: OrderedDict[Place, None] = OrderedDict()
        """In the order in which they began."""
        self._slow: set[Place] = set()
        self._slow_of: Counter[UUID] = Counter()
        """Of each tenant, how many posts are in the slow room."""
        self._busy: Counter[UUID] = Counter()
        self._known_slow: OrderedDict[UUID, None] = OrderedDict()
        self._lines: OrderedDict[UUID, deque[tuple[float, DueDelivery]]] = OrderedDict()
        """By endpoint: what waits for a place, with the time of its lease."""

    def free(self) -> int:
        """Return how many posts may begin in the quick room."""
        self._move_slow_ones()
        return max(self._quick_size - len(self._quick), 0)

    def room(self, endpoint: UUID) -> int:
        """Return how many more deliveries of an endpoint may be taken, to post or to wait."""
        return PER_ENDPOINT + WAITING_PER_ENDPOINT - self._held(endpoint)

    def is_low(self, endpoint: UUID) -> bool:
        """Return whether so few of an endpoint's deliveries wait that more should be fetched."""
        return len(self._lines.get(endpoint, ())) < PER_ENDPOINT

    def crowded(self) -> list[UUID]:
        """Return the endpoints for which nothing more should be fetched now."""
        return [endpoint for endpoint in self._lines if not self.is_low(endpoint)]

    def line_up(self, deliveries: Sequence[DueDelivery]) -> list[DueDelivery]:
        """Let deliveries wait for a place; return those for which there is no room even to wait."""
        now = self._clock()
        excess: list[DueDelivery] = []
        for delivery in deliveries:
            if self.room(delivery.endpoint.id) > 0:
                self._lines.setdefault(delivery.endpoint.id, deque()).append((now, delivery))
            else:
                excess.append(delivery)
        return excess

    def ready(self) -> Iterator[DueDelivery]:
        """Yield what may begin; whoever asks takes a place for each before asking for the next."""
        self._move_slow_ones()
        for endpoint in tuple(self._lines):
            if len(self._quick) >= self._quick_size:
                break
            if endpoint not in self._known_slow:
                yield from self._next_of(endpoint, PER_ENDPOINT)
        yield from self._ready_slow()

    def _ready_slow(self) -> Iterator[DueDelivery]:
        """Yield what may begin in the slow room, one at a time of the tenant that has the fewest there."""
        if len(self._slow) >= self._slow_size:
            return
        waiting: OrderedDict[UUID, deque[UUID]] = OrderedDict()
        for endpoint, line in self._lines.items():
            if line and endpoint in self._known_slow and self._may_begin(endpoint):
                waiting.setdefault(line[0][1].tenant_id, deque()).append(endpoint)
        turns = [(self._slow_of[tenant], turn, tenant) for turn, tenant in enumerate(waiting)]
        heapify(turns)
        while turns and len(self._slow) < self._slow_size:
            _, turn, tenant = heappop(turns)
            endpoint = waiting[tenant].popleft()
            yield from self._next_of(endpoint, 1)
            if endpoint in self._lines and self._may_begin(endpoint):
                waiting[tenant].append(endpoint)
            if waiting[tenant]:
                heappush(turns, (self._slow_of[tenant], turn, tenant))

    def _next_of(self, endpoint: UUID, most: int) -> Iterator[DueDelivery]:
        """Yield up to so many of an endpoint's line, which then stands behind the others."""
        oldest = self._clock() - _WAITS_AT_MOST_S
        line, begun = self._lines[endpoint], 0
        while line and begun < most and self._may_begin(endpoint):
            self._lines.move_to_end(endpoint)
            leased_at, delivery = line.popleft()
            if leased_at > oldest:
                begun += 1
                yield delivery
        if not line:
            del self._lines[endpoint]

    def take(self, delivery: DueDelivery) -> Place:
        """Begin a post."""
        endpoint = delivery.endpoint.id
        is_quick = endpoint not in self._known_slow
        place = Place(delivery.tenant_id, endpoint, is_quick=is_quick, since=self._clock())
        if place.is_quick:
            self._quick[place] = None
        else:
            self._enter_slow(place)
        self._busy[endpoint] += 1
        return place

    def leave(self, place: Place) -> None:
        """End a post, and remember whether its endpoint was quick."""
        if place.is_quick:
            del self._quick[place]
        else:
            self._slow.discard(place)
            self._slow_of[place.tenant] -= 1
            if not self._slow_of[place.tenant]:
                del self._slow_of[place.tenant]
        self._busy[place.endpoint] -= 1
        if not self._busy[place.endpoint]:
            del self._busy[place.endpoint]
        if self._clock() - place.since < SLOW_S:
            self._known_slow.pop(place.endpoint, None)
        else:
            self._remember_slow(place.endpoint)

    def empty_lines(self) -> list[DueDelivery]:
        """Return all that waits, and forget it."""
        waiting = [delivery for line in self._lines.values() for _, delivery in line]
        self._lines.clear()
        return waiting

    def _held(self, endpoint: UUID) -> int:
        return self._busy[endpoint] + len(self._lines.get(endpoint, ()))

    def _may_begin(self, endpoint: UUID) -> bool:
        if self._busy[endpoint] >= PER_ENDPOINT:
            return False
        if endpoint in self._known_slow:
            return len(self._slow) < self._slow_size
        return len(self._quick) < self._quick_size

    def _move_slow_ones(self) -> None:
        """Give back the quick places of posts that have lasted too long."""
        latest = self._clock() - SLOW_S
        while self._quick and len(self._slow) < self._slow_size * _OVERFULL:
            oldest = next(iter(self._quick))
            if oldest.since > latest:
                return
            del self._quick[oldest]
            oldest.is_quick = False
            self._enter_slow(oldest)
            self._remember_slow(oldest.endpoint)

    def _enter_slow(self, place: Place) -> None:
        self._slow.add(place)
        self._slow_of[place.tenant] += 1

    def _remember_slow(self, endpoint: UUID) -> None:
        self._known_slow[endpoint] = None
        self._known_slow.move_to_end(endpoint)
        if len(self._known_slow) > _MOST_SLOW_KNOWN:
            self._known_slow.popitem(last=False)
