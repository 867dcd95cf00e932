"""
What one dispatcher may send of a route while nobody can count for all of them. Pure.

With Redis away there is no common limiter. N dispatchers then divide every rate: each may send a share of
R / N on average, and only in its own turns of the common clock, so that never two of them send in one lane at
the same time. Time is cut into cells of one part's period; a cell admits the beginning of one message, and
a message of p parts takes p cells. A turn is a few cells, and a message begins only where it still fits in:

    cell   |a a a a|b b b b|c c c c|a a a a| …     turn n belongs to the dispatcher of rank n mod N

In any second a lane so gets at most one message more than by its gates, and what was granted in the tenth of
a second before it and came late (`turns.STATIC_LATE_S`; what is later loses its turn).

A daily cap cannot be divided by turns: how much of it was used only Redis knew. It is kept as the rate that
uses it up in a day.
"""

import math

from msgspec import Struct

from gateway.lanes.entry import ANY_RECIPIENT, LaneEntry
from gateway.lanes.gates import SECOND_US, kept_rate

_SHORTEST_TURN_US = 100_000
"""Shorter ones would be lost to the clocks' differences."""
_FEWEST_CELLS = 4
"""So that the usual long text fits into a turn."""
_RATE_SECOND_US = 1_020_000
"""The second that a rate is kept in: 20 ms longer, for what one call is later on its way than another."""
_DAY_S = 86_400
_MOST_RECIPIENTS = 50_000


class Place(Struct, frozen=True):
    """Which of the route's dispatchers one is."""

    rank: int
    """From 0."""
    count: int


class _Gate(Struct):
    """What is owed: the share over many turns, the pace within one, and when the first cell is free."""

    share_us: float = 0.0
    pace_us: float = 0.0
    free_us: float = 0.0
    """A time and not a cell, whose number means another time as soon as the rate is another."""
    last_us: int = 0
    """The instant that was charged last."""
    before: tuple[float, float] = (0.0, 0.0)
    """Share and pace without that charge."""


class _Toll(Struct, frozen=True):
    """What a message has to pay at one gate."""

    gate: str
    period_us: float
    parts: int
    has_turns: bool = True

    @property
    def cells(self) -> int:
        """Cells of a turn at this gate."""
        return max(_FEWEST_CELLS, math.ceil(_SHORTEST_TURN_US / self.period_us))


class StaticShare:
    """
    Counts what this dispatcher has sent.

    Args:
        request_us: Microseconds that one API request of the route costs; 0 for no such gate.
    """

    def __init__(self, request_us: float = 0.0) -> None:
        self._request_us = request_us
        self._gates: dict[str, _Gate] = {}
        self._recipients: dict[bytes, int] = {}

    def limit_requests(self, request_us: float) -> None:
        """Set what one API request of the route costs, from the next message on."""
        self._request_us = request_us

    def take(self, entry: LaneEntry, place: Place, now_us: int) -> bool:
        """Charge a message if it may leave now; `now_us` is the clock that all dispatchers read."""
        if now_us - self._recipients.get(entry.recipient_hash, 0) < _RATE_SECOND_US:
            return False
        tolls = self._tolls(entry)
        slowest = max((toll for toll in tolls if toll.has_turns), key=lambda toll: toll.period_us)
        if not self._has_turn(slowest, place, now_us) or not all(
            self._is_open(each, now_us) for each in tolls
        ):
            return False
        for toll in tolls:
            self._charge(toll, place, now_us)
        self._gate(slowest).free_us = (now_us // slowest.period_us + slowest.parts) * slowest.period_us
        self._remember(entry.recipient_hash, now_us)
        return True

    def missed(self, entry: LaneEntry, instant_us: int) -> None:
        """
        Take back what a message was charged that did not leave at its instant.

        Its cells are over; at gates where others were charged after it, all of it stays.
        """
        for toll in self._tolls(entry):
            gate = self._gate(toll)
            if gate.last_us == instant_us:
                gate.share_us, gate.pace_us = gate.before
        if self._recipients.get(entry.recipient_hash) == instant_us:
            del self._recipients[entry.recipient_hash]

    def _tolls(self, entry: LaneEntry) -> list[_Toll]:
        parts = entry.parts
        tolls = [_Toll(f"c:{entry.identity}{entry.country}", _period_us(entry.identity_rate), parts)]
        tolls += (
            _Toll(f"s:{each.name}", _period_us(each.parts_per_second), parts) for each in entry.shared_gates
        )
        if entry.tenant_rate is not None:
            tolls.append(_Toll(f"t:{entry.tenant_id}{entry.country}", _period_us(entry.tenant_rate), parts))
        if self._request_us > 0:
            tolls.append(_Toll("route", self._request_us, 1))
        for cap in entry.daily_caps:
            period = _period_us(cap.parts_per_day / _DAY_S)
            tolls.append(_Toll(f"d:{cap.name}", period, parts, has_turns=False))
        return tolls

    def _has_turn(self, toll: _Toll, place: Place, now_us: int) -> bool:
        cell = int(now_us // toll.period_us)
        turn, within = divmod(cell, toll.cells)
        fits = within == 0 or within + toll.parts <= toll.cells
        return turn % place.count == place.rank and fits and self._is_free(toll, cell)

    def _is_free(self, toll: _Toll, cell: int) -> bool:
        """Judge by the middle of the cell: its beginning is as exact as the product of two floats."""
        return (cell + 0.5) * toll.period_us > self._gate(toll).free_us

    def _is_open(self, toll: _Toll, now_us: int) -> bool:
        gate = self._gate(toll)
        return max(gate.share_us, gate.pace_us) <= now_us

    def _charge(self, toll: _Toll, place: Place, now_us: int) -> None:
        gate = self._gate(toll)
        cost_us = toll.parts * toll.period_us
        saved_us = place.count * toll.cells * toll.period_us if toll.has_turns else 0.0
        gate.last_us, gate.before = now_us, (gate.share_us, gate.pace_us)
        gate.share_us = max(gate.share_us, now_us - saved_us) + cost_us * place.count
        gate.pace_us = max(gate.pace_us, now_us - toll.period_us) + cost_us

    def _gate(self, toll: _Toll) -> _Gate:
        return self._gates.setdefault(toll.gate, _Gate())

    def _remember(self, recipient: bytes, now_us: int) -> None:
        if recipient == ANY_RECIPIENT:
            return
        if len(self._recipients) >= _MOST_RECIPIENTS:
            self._recipients = {
                each: at for each, at in self._recipients.items() if now_us - at < 2 * SECOND_US
            }
        self._recipients[recipient] = now_us


def _period_us(rate: float) -> float:
    return _RATE_SECOND_US / kept_rate(rate)
