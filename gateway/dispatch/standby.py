"""
Dispatching while Redis is away: from Postgres, at a static share of every rate.

Nothing is sent before everybody who lives is known to do the same, and nothing after Redis answered: on the
way back each rests until the others must have stopped, and one rebuilds the lanes, which know nothing of what
left meanwhile. The conditional mark in Postgres decides about every message here as it does everywhere.
"""

import asyncio
import time

import structlog
from msgspec import structs

from gateway.db.faults import DATABASE_FAULTS
from gateway.dispatch.candidates import Candidates
from gateway.dispatch.handover import Handover
from gateway.dispatch.room import Room
from gateway.dispatch.roster import BEAT_S, SETTLED_S, Roster, View
from gateway.dispatch.turns import GrantedMessage, StaticTurns
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.telemetry import metrics

_log = structlog.get_logger(__name__)

PATIENCE_S = 1.0
"""A Redis that is back within this time was not away: nobody changes what he goes by."""
_POLL_S = 0.005
_NOTHING_TO_DO_S = 0.1
_REFRESH_S = 0.25
_LOOKED_AT = 16
"""Messages of a line that are asked in one round: the first may wait for its recipient's second."""


class Standby:
    """Takes over one route's dispatch from the lanes, and gives it back."""

    def __init__(
        self,
        *,
        route: str,
        lanes: Lanes,
        roster: Roster,
        turns: StaticTurns,
        candidates: Candidates,
        room: Room,
        handover: Handover,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._route = route
        self._lanes = lanes
        self._room = room
        self._handover = handover
        self._patience_s = patience_s
        self.roster = roster
        self._turns = turns
        self._candidates = candidates
        self._refreshed_at = float("-inf")
        self._granted: list[GrantedMessage] = []

    async def keep_roster(self) -> None:
        """Say that this dispatcher lives until cancelled; then take it off the list."""
        try:
            while True:
                try:
                    await self.roster.beat()
                except DATABASE_FAULTS as error:
                    _log.warning("roster_not_kept", route=self._route, error=str(error))
                await asyncio.sleep(BEAT_S)
        finally:
            await asyncio.shield(self._leave())

    async def serve(self) -> bool:
        """
        Dispatch until Redis takes writes again; True when this process should rebuild the lanes.

        The caller goes back to the lanes at once: the rest that the others need is taken here.
        """
        back = asyncio.create_task(self._redis_back())
        try:
            if await _done_within(back, self._patience_s):
                return False
            return await self._take_over(back)
        finally:
            back.cancel()

    async def _take_over(self, back: "asyncio.Task[None]") -> bool:
        _log.error("dispatch_static", route=self._route)
        gauge = metrics.DISPATCH_STATIC.labels(self._route)
        gauge.set(1)
        self.roster.mode = "static"
        try:
            while not back.done():
                await _done_within(back, await self._round())
        finally:
            self._candidates.forget()
            self._granted.clear()
            self._refreshed_at = float("-inf")
            self.roster.mode = "lanes"
            gauge.set(0)
        await asyncio.sleep(SETTLED_S)
        _log.warning("dispatch_by_lanes_again", route=self._route)
        return self.roster.view is None or self.roster.view.place.rank == 0

    async def _round(self) -> float:
        """Hand over what may leave now; returns the seconds until another look is worth it."""
        await self._handover.able()
        self._hand_over()
        view = self.roster.view
        if view is None or not view.may_share(time.monotonic()) or not self._has_room():
            return _NOTHING_TO_DO_S if view is None or not view.all_static else _POLL_S
        try:
            await self._refresh(view)
        except DATABASE_FAULTS as error:
            _log.warning("candidates_not_read", route=self._route, error=str(error))
            return _NOTHING_TO_DO_S
        self._grant()
        self._hand_over()
        return _POLL_S

    async def _refresh(self, view: View) -> None:
        if time.monotonic() - self._refreshed_at > _REFRESH_S:
            await self._candidates.refresh(view.place)
            self._refreshed_at = time.monotonic()

    def _has_room(self) -> bool:
        return len(self._granted) < self._room.claimable

    def _grant(self) -> None:
        for line in self._candidates.lines():
            for entry in line[:_LOOKED_AT]:
                if not self._has_room():
                    return
                if (granted := self._turns.grant(entry)) is not None:
                    if self._candidates.is_suspect(entry):
                        granted = structs.replace(granted, claims=granted.claims + 1)
                    self._candidates.taken(entry)
                    self._granted.append(granted)

    def _hand_over(self) -> None:
        """Begin with what was granted during the last mark: marks come one by one, however few they hold."""
        if self._granted and not self._handover.marking:
            granted, self._granted = self._granted, []
            self._handover.begin(granted)

    async def _redis_back(self) -> None:
        """Return when Redis takes writes; an answer alone may come from a replica or a full memory."""
        while True:
            try:
                await self._lanes.try_write(self._route)
            except RedisUnavailable:
                await asyncio.sleep(_REFRESH_S)
            else:
                return

    async def _leave(self) -> None:
        try:
            await self.roster.leave()
        except DATABASE_FAULTS as error:
            _log.warning("roster_not_left", route=self._route, error=str(error))


async def _done_within(task: "asyncio.Task[None]", seconds: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return bool(done)
