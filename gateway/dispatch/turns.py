"""
The instants at which one dispatcher's messages leave while Redis is away and nobody counts for all.

An instant lies in a turn of this dispatcher's (`share`). It is granted ahead, since the mark comes before the
call: by as much as marks have lately taken. A message whose mark took longer all the same has lost its turn,
and gets another one of ours instead of one of somebody else's. Meanwhile nothing new of its line is granted.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from gateway.dispatch.roster import Roster
from gateway.dispatch.share import StaticShare
from gateway.lanes.entry import ClaimedMessage, LaneEntry
from gateway.lanes.lanes import AHEAD_MS
from gateway.lanes.sliding_min import SlidingMin

STATIC_LATE_S = 0.1
"""A static share has turns of that length at least; what is later would leave in another dispatcher's."""
_SHORTEST_AHEAD_S = AHEAD_MS / 1000
_LONGEST_AHEAD_S = 2.0
"""Shorter than a roster takes to settle: who may share at the instant stood at that place at the grant."""
_PLAY_S = 0.02
_REMEMBERED_S = 10.0
_POLL_S = 0.005

Channel = tuple[UUID, str]


class GrantedMessage(ClaimedMessage, frozen=True, kw_only=True):
    """A message that leaves at a static share; its instant is one of the clock that all dispatchers share."""

    by_lanes: bool = False
    entry: LaneEntry
    granted_at: float
    """By this process's monotonic clock, in seconds."""


class StaticTurns:
    """
    Grants instants, and keeps messages until theirs.

    Args:
        request_period_us: What one API request of the route costs at this moment, 0 for no such gate.
    """

    def __init__(
        self,
        roster: Roster,
        request_period_us: Callable[[], float],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster = roster
        self._request_period_us = request_period_us
        self._monotonic = monotonic
        self._share = StaticShare()
        self._ahead_s = _SHORTEST_AHEAD_S
        self._slowest = SlidingMin(_REMEMBERED_S)  # of negative seconds
        self._late: Counter[Channel] = Counter()

    def grant(self, entry: LaneEntry) -> GrantedMessage | None:
        """Charge a message if it may leave soon; whoever lost a turn in its line comes first."""
        if self._late[_channel(entry)]:
            return None
        return self._granted(entry, self._ahead_s)

    async def released(self, message: GrantedMessage, *, until: float) -> GrantedMessage | None:
        """
        Return the message at an instant of ours, which may be another than it had.

        Args:
            until: By the monotonic clock; None is returned where it has no turn before, or none at all any
                more, since others go by the lanes again or the roster has changed.
        """
        self._took(self._monotonic() - message.granted_at)
        due: GrantedMessage | None = message
        while due is not None:
            await asyncio.sleep(max(due.release_at - self._monotonic(), 0))
            if self._is_in_turn(due):
                return due
            due = await self._next_turn(due, until)
        return None

    def _took(self, seconds: float) -> None:
        """Grant so far ahead as the slowest of the last messages would have needed."""
        slowest_s = -self._slowest.add(self._monotonic(), -seconds)
        self._ahead_s = min(max(slowest_s + _PLAY_S, _SHORTEST_AHEAD_S), _LONGEST_AHEAD_S)

    def _is_in_turn(self, message: GrantedMessage) -> bool:
        now, view = self._monotonic(), self._roster.view
        return view is not None and view.may_share(now) and now - message.release_at <= STATIC_LATE_S

    async def _next_turn(self, missed: GrantedMessage, until: float) -> GrantedMessage | None:
        self._share.missed(missed.entry, missed.send_at_us)
        line = _channel(missed.entry)
        self._late[line] += 1
        try:
            while self._monotonic() + _SHORTEST_AHEAD_S < until and self._roster.mode == "static":
                if (again := self._granted(missed.entry, _SHORTEST_AHEAD_S)) is not None:
                    return again
                await asyncio.sleep(_POLL_S)
            return None
        finally:
            self._late[line] -= 1

    def _granted(self, entry: LaneEntry, ahead_s: float) -> GrantedMessage | None:
        """Judge the view for each: reading what waits may have taken long."""
        now, view = self._monotonic(), self._roster.view
        if view is None or not view.may_share(now):
            return None
        self._share.limit_requests(self._request_period_us())
        instant_us = view.clock_us(now + ahead_s)
        if not self._share.take(entry, view.place, instant_us):
            return None
        return GrantedMessage(
            message_id=entry.message_id,
            route=entry.route,
            tenant_id=entry.tenant_id,
            identity=entry.identity,
            country=entry.country,
            priority=entry.priority,
            parts=entry.parts,
            attempt=entry.attempt,
            claims=1,
            recipient_hash=entry.recipient_hash,
            send_at_us=instant_us,
            release_at=now + ahead_s,
            entry=entry,
            granted_at=now,
        )


def _channel(entry: LaneEntry) -> Channel:
    return entry.identity, entry.country
