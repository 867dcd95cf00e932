"""
What stands before a message: sums over lanes, shared gates, daily caps and the route. Pure.

A message leaves when the last of its gates has let everything before it pass. A gate that is the lane's own
has the lane before it; a campaign's has all numbers of the campaign; the account's requests have the whole
route. So each gate is asked by itself, and the slowest decides.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Final, TypeVar

from msgspec import Struct

from gateway.lanes.entry import DailyCap, LaneEntry, Priority, RateGate
from gateway.lanes.gates import SECOND_US, kept_rate
from gateway.lanes.lanes import LaneKey
from gateway.lanes.queues import Channel, ChannelGates, RouteQueues

_DAY_S: Final = 86_400.0
_PRIORITIES: Final = len(Priority)
_Name = TypeVar("_Name", bound=Hashable)


class Line(Struct, frozen=True, kw_only=True):
    """The line that a message would join, with every gate it would pass."""

    route: str
    lane: LaneKey
    rate: float
    """Parts per second of the lane itself, or of the tenant in its country where that is less."""
    shared: tuple[RateGate, ...] = ()
    caps: tuple[DailyCap, ...] = ()

    @property
    def rates(self) -> list[float]:
        """Return the parts per second of every gate it passes, the lane's own first."""
        return [kept_rate(self.rate), *(kept_rate(gate.parts_per_second) for gate in self.shared)]


class LineSums:
    """
    Parts and messages that wait, per priority.

    Messages of the same and of more urgent priorities go before a new one; the floor that promotional ones
    have takes a twentieth, which no estimate shows.
    """

    def __init__(self, request_us: float = 0) -> None:
        self.request_us = request_us
        self._lanes: dict[Channel, list[int]] = {}
        self._gates: dict[str, list[int]] = {}
        self._caps: dict[str, list[int]] = {}
        self._messages = [0] * _PRIORITIES

    def add(
        self, lane: LaneKey, *, parts: int, messages: int, gates: Collection[str], caps: Collection[str]
    ) -> None:
        """Count what waits, or comes to wait, in a lane."""
        _count(self._lanes, (lane.identity, lane.country), lane.priority, parts)
        self._messages[lane.priority] += messages
        for sums, names in ((self._gates, gates), (self._caps, caps)):
            for name in names:
                _count(sums, name, lane.priority, parts)

    def add_entry(self, entry: LaneEntry) -> None:
        """Count a message that was accepted since the figures were read."""
        self.add(
            LaneKey(entry.identity, entry.country, entry.priority),
            parts=entry.parts,
            messages=1,
            gates=[gate.name for gate in entry.shared_gates],
            caps=[cap.name for cap in entry.daily_caps],
        )

    def wait_s(self, line: Line) -> float:
        """Return how long the rates need for what stands before a new message of the line."""
        lane, priority = line.lane, line.lane.priority
        own, *shared = line.rates
        own_s = _ahead(self._lanes, (lane.identity, lane.country), priority) / own
        longest = max(own_s, sum(self._messages[: priority + 1]) * self.request_us / SECOND_US)
        for gate, rate in zip(line.shared, shared, strict=True):
            longest = max(longest, _ahead(self._gates, gate.name, priority) / rate)
        return longest

    def before_cap(self, name: str, priority: Priority) -> int:
        """Return the parts that will count towards a daily cap before a new message does."""
        return _ahead(self._caps, name, priority)


def sums_of(queues: RouteQueues, gates: Mapping[Channel, ChannelGates]) -> LineSums:
    """Add up what was read of a route."""
    sums = LineSums(queues.request_us)
    for lane, waiting in queues.lanes.items():
        of_channel = gates.get((lane.identity, lane.country))
        sums.add(
            lane,
            parts=waiting.parts,
            messages=waiting.messages,
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


def _count(sums: dict[_Name, list[int]], name: _Name, priority: Priority, parts: int) -> None:
    of_name = sums.get(name)
    if of_name is None:
        of_name = sums[name] = [0] * _PRIORITIES
    of_name[priority] += parts


def _ahead(sums: Mapping[_Name, list[int]], name: _Name, priority: Priority) -> int:
    of_name = sums.get(name)
    return 0 if of_name is None else sum(of_name[: priority + 1])
