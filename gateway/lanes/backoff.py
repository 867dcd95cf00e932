"""
What the carrier's refusals do to the lanes, shared by all dispatchers; the script's own file says how.

A dispatcher tells what it was answered and goes on; the next claims, its own and the others', see it.
"""

from typing import Literal

from msgspec import Struct

from gateway.lanes.entry import ClaimedMessage, LaneEntry, pack_flow
from gateway.lanes.gates import SECOND_US
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.scripts import Argument, read_script

_BACKOFF = read_script("gateway.lanes", "structure.lua", "backoff.lua")

HoldScope = Literal["flow", "route"]
"""A flow is one tenant's messages of one priority through one identity to one country."""


class Slowed(Struct, frozen=True):
    """Which rates one throttle has cut; none when the last cut is less than a second old."""

    lane: bool
    route: bool


class Held(Struct, frozen=True):
    """A line that takes one message per probe period until one of them comes through."""

    began: bool
    """False when it was held already."""
    probe_s: float
    """0 when the lanes were lost meanwhile and nothing was written."""


class LaneBackoff:
    """Slows, holds and resumes lines of `lanes`, on their Redis and by their clock."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    async def throttled(self, message: ClaimedMessage | LaneEntry, *, lane_alone: bool = False) -> Slowed:
        """
        Cut the rate of the message's lane, and of its route when most lanes are throttled.

        Args:
            lane_alone: Its requests are counted apart from the route's, as those of MMS and calls are.
        """
        lane, route = await self._run("throttled", message, "lane" if lane_alone else "route")
        return Slowed(lane == 1, route == 1)

    async def hold(self, message: ClaimedMessage | LaneEntry, scope: HoldScope) -> Held:
        """Hold the message's flow or its whole route."""
        began, period_us = await self._run("hold", message, scope)
        return Held(began == 1, period_us / SECOND_US)

    async def resume(self, message: ClaimedMessage | LaneEntry) -> bool:
        """End what holds the flow and the route of a probe that came through; False if nothing did."""
        flow, route = await self._run("resume", message, "route")
        return bool(flow or route)

    async def _run(
        self, what: str, message: ClaimedMessage | LaneEntry, scope: HoldScope | Literal["lane"]
    ) -> tuple[int, int]:
        now: Argument = "" if self._lanes.clock_us is None else self._lanes.clock_us()
        answer = await self._lanes.scripts.run(
            _BACKOFF, key_prefix(message.route), [what, pack_flow(message), scope, now]
        )
        return int(answer[0]), int(answer[1])
