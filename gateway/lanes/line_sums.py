"""
What stands before a message: at its lane, shared gates, daily caps and the route. Pure.

A message leaves when the last of its gates has let everything before it pass. A gate that is the lane's own
has the lane before it; a campaign's has all numbers of the campaign; the account's requests have the whole
route. So each gate is asked by itself, and the slowest decides.

What waits is not all before it: lanes of one priority take turns at what they share, and tenants at a lane
(docs/adr/0033). A tenant's estimate so says little of how much others have brought, as his turns do.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

from gateway.lanes.contenders import Contenders
from gateway.lanes.entry import DailyCap, Priority, RateGate
from gateway.lanes.gates import SECOND_US, kept_rate
from gateway.lanes.lanes import LaneKey
from gateway.lanes.queues import Channel, ChannelGates, Place, RouteQueues
from gateway.lanes.rounds import Waiting

_DAY_S: Final = 86_400.0
_HALF: Final = 0.5
_UP_TO: Final = {each: tuple(Priority)[: each + 1] for each in Priority}


class Line(Struct, frozen=True, kw_only=True, dict=True):
    """The line that a message would join, with every gate it would pass."""

    route: str
    lane: LaneKey
    rate: float
    """Parts per second of the lane itself."""
    tenant_rate: float | None = None
    """Parts per second of the tenant in the country."""
    shared: tuple[RateGate, ...] = ()
    caps: tuple[DailyCap, ...] = ()

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """Return the parts per second of every gate it passes, its own lane and tenant first."""
        own = self.rate if self.tenant_rate is None else min(self.rate, self.tenant_rate)
        return (kept_rate(own), *(kept_rate(gate.parts_per_second) for gate in self.shared))

    @cached_property
    def slowest(self) -> float:
        """Return the least of them."""
        return min(self.rates)

    @cached_property
    def lanes(self) -> tuple[LaneKey, ...]:
        """Return the lanes of its number, from the most urgent one to its own."""
        lane = self.lane
        return tuple(LaneKey(lane.identity, lane.country, each) for each in _UP_TO[lane.priority])


class LineSums:
    """
    What waits in a route, by what it waits for.

    The floor that promotional messages have takes a twentieth from the others, which no estimate shows.
    """

    def __init__(self, request_us: float = 0) -> None:
        self.request_us = request_us
        self._route = Contenders()
        self._gates: defaultdict[str, Contenders] = defaultdict(Contenders)
        self._caps: defaultdict[str, Contenders] = defaultdict(Contenders)

    def add(self, lane: LaneKey, waiting: Waiting, *, gates: Collection[str], caps: Collection[str]) -> None:
        """Count what waits, or comes to wait, in a lane."""
        self._route.add(lane, waiting)
        for sums, names in ((self._gates, gates), (self._caps, caps)):
            for name in names:
                sums[name].add(lane, waiting)

    def add_message(self, line: Line, parts: int, *, messages: int = 1) -> None:
        """Count a message that joins a line after the figures were read; with both below 0, one that left."""
        self.add(
            line.lane,
            Waiting(parts, messages),
            gates=[gate.name for gate in line.shared],
            caps=[cap.name for cap in line.caps],
        )

    def longest_s(self, line: Line) -> float:
        """Return how long the rates need for all that waits for the same gates: no message waits longer."""
        priority = line.lane.priority
        longest = self._in_lanes(line.lanes) / line.rates[0]
        if self.request_us:
            longest = max(longest, self._route.messages_up_to(priority) * self.request_us / SECOND_US)
        for gate, rate in zip(line.shared, line.rates[1:], strict=True):
            longest = max(longest, self._gates[gate.name].parts_up_to(priority) / rate)
        return longest

    def wait_s(self, line: Line, place: Place | None = None) -> float:
        """
        Return how long the rates need for what goes before a new message of the line.

        Args:
            place: Where it would stand in its lane; None for behind all that is there.
        """
        ahead, messages = self._in_lane(line, place)
        rounds = _rounds(messages)
        longest = self._own_s(line, place, ahead)
        if self.request_us:
            requests = messages + self._route.before(line.lane, rounds).messages
            longest = max(longest, requests * self.request_us / SECOND_US)
        for gate, rate in zip(line.shared, line.rates[1:], strict=True):
            parts = ahead + self._gates[gate.name].before(line.lane, rounds).parts
            longest = max(longest, parts / rate)
        return longest

    def before_cap(self, line: Line, name: str, place: Place | None = None) -> int:
        """Return the parts that count towards a daily cap before a new message of the line does."""
        ahead, messages = self._in_lane(line, place)
        return round(ahead + self._caps[name].before(line.lane, _rounds(messages)).parts)

    def towards_cap(self, name: str, priority: Priority) -> int:
        """Return all parts of a priority and of more urgent ones that wait to count towards a daily cap."""
        return self._caps[name].parts_up_to(priority)

    def _in_lanes(self, lanes: Collection[LaneKey]) -> int:
        """Return the parts that wait in some lanes."""
        return sum(self._route.waiting(each).parts for each in lanes)

    def _in_lane(self, line: Line, place: Place | None) -> tuple[float, float]:
        """Return the parts, and the messages, of the lane that go before."""
        waiting = self._route.waiting(line.lane)
        if place is None:
            return waiting.parts, waiting.messages
        messages = place.own + place.others
        return messages * _mean(waiting), messages

    def _own_s(self, line: Line, place: Place | None, ahead: float) -> float:
        """Return the wait for the gates that are the channel's and the tenant's own."""
        urgent = self._in_lanes(line.lanes[:-1])
        if place is None:
            return (urgent + ahead) / line.rates[0]
        wait_s = place.opens_in_s + (urgent + ahead) / kept_rate(line.rate)
        if line.tenant_rate is None:
            return wait_s
        mine = place.own * _mean(self._route.waiting(line.lane))
        return max(wait_s, place.own_opens_in_s + mine / kept_rate(line.tenant_rate))


def _rounds(messages: float) -> float:
    """Return the rounds until a lane's next message: the one that it is in is half over, as a rule."""
    return messages + _HALF if messages > 0 else 0.0


def _mean(waiting: Waiting) -> float:
    """Return the parts of a message of the lane."""
    return waiting.parts / waiting.messages if waiting.messages > 0 else 1.0


def sums_of(queues: RouteQueues, gates: Mapping[Channel, ChannelGates]) -> LineSums:
    """Add up what was read of a route."""
    sums = LineSums(queues.request_us)
    for lane, waiting in queues.lanes.items():
        of_channel = gates.get((lane.identity, lane.country))
        sums.add(
            lane,
            waiting,
            gates=() if of_channel is None else of_channel.shared,
            caps=() if of_channel is None else [cap.name for cap in of_channel.caps],
        )
    return sums


def day_wait_s(*, used: int, before: int, cap: int, ends_in_s: float, rate: float) -> float:
    """
    Return how long a daily cap keeps the next part back.

    Args:
        used: Parts that counted today.
        before: Parts that wait and go first.
        ends_in_s: Until the cap's day is over and the next one opens.
        rate: Parts per second at which the line moves once the day is open.
    """
    beyond = before - max(cap - used, 0)
    if beyond < 0:
        return 0.0
    days, place = divmod(beyond, cap)
    return ends_in_s + days * _DAY_S + place / rate
