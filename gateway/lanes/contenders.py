"""The lanes that pass one gate, and what of them goes before a message in one of them. Pure."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.lanes.entry import Priority
from gateway.lanes.lanes import LaneKey
from gateway.lanes.rounds import NOTHING, Gone, Rounds, Waiting, of_line

_PRIORITIES: Final = len(Priority)


class _InTurn(Struct, frozen=True):
    """The lanes of one priority as they stood when they were put in order."""

    lines: Mapping[LaneKey, Waiting]
    rounds: Rounds


class Contenders:
    """
    What waits in lanes that share something: a number, a campaign, a day, an account.

    More urgent messages go first, all of them; of the same priority go those whose turns come first.
    """

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, Waiting] = {}
        self._parts = [0] * _PRIORITIES
        self._messages = [0] * _PRIORITIES
        self._in_turns: dict[Priority, _InTurn] = {}

    def add(self, lane: LaneKey, more: Waiting) -> None:
        """Count what waits, or comes to wait, in a lane."""
        known = self._lanes.get(lane)
        self._lanes[lane] = more if known is None else known + more
        self._parts[lane.priority] += more.parts
        self._messages[lane.priority] += more.messages

    def waiting(self, lane: LaneKey) -> Waiting:
        """Return what stands in one lane."""
        return self._lanes.get(lane, NOTHING)

    def parts_up_to(self, priority: Priority) -> int:
        """Return all parts that wait of a priority and of more urgent ones."""
        return sum(self._parts[: priority + 1])

    def messages_up_to(self, priority: Priority) -> int:
        """Return all messages that wait of a priority and of more urgent ones."""
        return sum(self._messages[: priority + 1])

    def before(self, lane: LaneKey, rounds: float) -> Gone:
        """Return what other lanes let go while one of them lets so many messages go."""
        in_turn = self._in_turn(lane.priority)
        of_all = in_turn.rounds.gone(rounds)
        own = of_line(in_turn.lines.get(lane, NOTHING), rounds)
        return Gone(
            parts=sum(self._parts[: lane.priority]) + of_all.parts - own.parts,
            messages=sum(self._messages[: lane.priority]) + of_all.messages - own.messages,
        )

    def _in_turn(self, priority: Priority) -> _InTurn:
        """Put the lanes in order once; what was added since is a fraction of a second's."""
        if priority not in self._in_turns:
            lines = {lane: waiting for lane, waiting in self._lanes.items() if lane.priority == priority}
            self._in_turns[priority] = _InTurn(lines, Rounds(lines.values()))
        return self._in_turns[priority]
