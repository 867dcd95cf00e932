"""
The dispatcher of one route: claim → mark → wait for the instant → call once → record.

No transaction is open during a call. A claim is at most what is free in flight, so what a kill leaves
unknown is what was on the wire, not what was waiting. Marks run beside the next claim (`handover`). SIGTERM
stops the claims and lets the calls end.
"""

import asyncio
import time
from functools import partial
from uuid import UUID

import asyncpg
import structlog

from gateway.carrier.ports import Carrier
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.dispatch.backoff import Backoff
from gateway.dispatch.call import Caller, Ill
from gateway.dispatch.candidates import Candidates
from gateway.dispatch.handover import Handover
from gateway.dispatch.mark import opted_out_by_now
from gateway.dispatch.record import Recorder
from gateway.dispatch.room import Room
from gateway.dispatch.roster import Roster
from gateway.dispatch.standby import Standby
from gateway.dispatch.turns import StaticTurns
from gateway.lanes.backoff import LaneBackoff
from gateway.lanes.entry import Claimed
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.lanes.stored import UNREADABLE, set_aside
from gateway.messages.keys import DataKeys

_log = structlog.get_logger(__name__)

_IDLE_S = 1.0
_PAUSE_S = 0.5
_MEND_EVERY_S = 15.0
_GATHER_S = 0.01
"""Between two claims that each bring little: what comes meanwhile shares a claim, a mark and a record."""


_NOTHING_LEFT = Claimed(messages=[], epoch_missing=True)
"""What a memory that was not filled by us has to offer, whatever stands in it."""


class Dispatcher:
    """Sends one route's messages, at most `in_flight` at a time."""

    def __init__(
        self,
        *,
        route: str,
        carrier: Carrier,
        lanes: Lanes,
        pool: "asyncpg.Pool[asyncpg.Record]",
        keys: DataKeys,
        recorder: Recorder,
        clock: Clock,
        in_flight: int,
        ill: Ill = dict,
    ) -> None:
        self._route = route
        self._lanes = lanes
        self._pool = pool
        self._recorder = recorder
        self._room = Room(in_flight)
        roster = Roster(pool, route)
        turns = StaticTurns(roster, partial(lanes.request_period_us, route))
        caller = Caller(
            route=route,
            carrier=carrier,
            lanes=lanes,
            turns=turns,
            keys=keys,
            recorder=recorder,
            backoff=Backoff(LaneBackoff(lanes)),
            clock=clock,
            ill=ill,
            opted_out=partial(opted_out_by_now, pool),
        )
        self._handover = Handover(
            route=route, lanes=lanes, pool=pool, clock=clock, room=self._room, call=caller.call
        )
        self._standby = Standby(
            route=route,
            lanes=lanes,
            roster=roster,
            turns=turns,
            candidates=Candidates(pool, route, clock),
            room=self._room,
            handover=self._handover,
        )
        self._memory_seen = False
        self._seen_over: object = None
        self._must_rebuild = False
        self._mended_at = float("-inf")
        self._claimed_at = 0.0
        self._taking = asyncio.Lock()

    async def run(self) -> None:
        """Dispatch until cancelled, then wait for the calls under way and their records."""
        roster = asyncio.create_task(self._standby.keep_roster())
        claims = asyncio.create_task(self._claim_forever())
        try:
            await asyncio.shield(claims)
        finally:
            await asyncio.shield(self._end(claims, roster))

    async def _claim_forever(self) -> None:
        while True:
            await self._handover.able()
            await self._room.enough()
            await self._step()

    async def _step(self) -> None:
        try:
            claimed = await self._taken() if await self._same_memory() else _NOTHING_LEFT
            if claimed.epoch_missing:
                if await rebuild(self._lanes, self._pool, self._route) is None:
                    await asyncio.sleep(_PAUSE_S)  # another process is at it
                self._must_rebuild = False
            elif claimed.next_open_ms != 0:
                await self._lanes.wait_for_work(self._route, _sleep_s(claimed))
                await self._gathered()
        except ScriptFailed as error:
            _log.error("claim_broken", route=self._route, error=str(error))
            self._mend()
            await asyncio.sleep(_PAUSE_S)
        except RedisUnavailable as error:
            self._memory_seen = False
            _log.warning("claim_failed", route=self._route, error=str(error))
            self._must_rebuild = await self._standby.serve()
        except DATABASE_FAULTS as error:
            _log.warning("rebuild_failed", route=self._route, error=str(error))
            await asyncio.sleep(_PAUSE_S)

    def _mend(self) -> None:
        """
        Rebuild the lanes, which takes away what somebody else wrote under their keys.

        A fault of ours stays, and would have the whole queue read again and again.
        """
        now = time.monotonic()
        if now - self._mended_at > _MEND_EVERY_S:
            self._mended_at, self._must_rebuild = now, True

    async def _gathered(self) -> None:
        """Rest until a moment after the last claim that brought something; what comes alone is not held."""
        left_s = self._claimed_at + _GATHER_S - time.monotonic()
        if left_s > 0:
            await asyncio.sleep(left_s)

    async def _same_memory(self) -> bool:
        """
        Look once on each connection whether Redis still is the one that was filled.

        One may be lost while nobody waits on it; the next is opened by whoever asks first, without a word.
        """
        if self._must_rebuild:
            return False
        if not self._memory_seen or self._lanes.connection != self._seen_over:
            self._seen_over = await self._lanes.connected()
            self._memory_seen = await self._lanes.remembers(self._route)
        return self._memory_seen

    async def _taken(self) -> Claimed:
        """
        Claim, and hand over what came.

        A stop waits for its end: cut off in the middle, messages would be claimed and sent by nobody, half a
        minute late at every deployment. A task for each claim would do the same, and cost it several turns
        of a busy loop.
        """
        async with self._taking:
            return await self._take()

    async def _take(self) -> Claimed:
        claimed = await self._lanes.claim(self._route, self._room.claimable)
        if claimed.messages:
            self._claimed_at = time.monotonic()
            self._handover.begin(claimed.messages)
        if claimed.unreadable:
            await self._set_aside(claimed.unreadable)
        return claimed

    async def _set_aside(self, message_ids: list[UUID]) -> None:
        """Leave what makes no sense to the quarantine."""
        _log.error("claims_unreadable", route=self._route, messages=[str(each) for each in message_ids])
        await set_aside(self._pool, message_ids, reason=UNREADABLE)
        await self._lanes.settle(self._route, message_ids)

    async def _end(self, claims: "asyncio.Task[None]", roster: "asyncio.Task[None]") -> None:
        async with self._taking:
            claims.cancel()
        await asyncio.gather(claims, return_exceptions=True)
        await self._drain(roster)

    async def _drain(self, roster: "asyncio.Task[None]") -> None:
        """The others count on this dispatcher's share until it has left the list, so that comes last."""
        await self._handover.drained()
        roster.cancel()
        await asyncio.gather(roster, return_exceptions=True)
        await self._recorder.drained()


def _sleep_s(claimed: Claimed) -> float:
    return _IDLE_S if claimed.next_open_ms is None else min(_IDLE_S, claimed.next_open_ms / 1000)
