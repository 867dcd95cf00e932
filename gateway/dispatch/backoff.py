"""
What an outcome means for the lines behind it: told to the lanes, so that every dispatcher acts on it.

Nothing here decides about the message itself; the record does. With Redis away there is nobody to tell, and
the static share is slow enough.
"""

import structlog

from gateway.carrier.aws_reasons import counted_as
from gateway.carrier.ports import NotSent, Outcome, Refused, Sent
from gateway.lanes.backoff import HoldScope, LaneBackoff
from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.errors import RedisUnavailable
from gateway.telemetry import metrics

_log = structlog.get_logger(__name__)

_SCOPES: dict[str, HoldScope] = {"sender": "flow", "account": "route"}


class Backoff:
    """Slows throttled lanes, holds refused lines and opens them when a probe has come through."""

    def __init__(self, lanes: LaneBackoff) -> None:
        self._lanes = lanes

    async def heard(self, message: ClaimedMessage, outcome: Outcome, *, channel: str = "sms") -> None:
        """Tell the lanes what a call was answered; AWS counts each channel's action by itself."""
        if not message.by_lanes:
            return
        try:
            match outcome:
                case NotSent(fault="throttled"):
                    await self._throttled(message, lane_alone=channel != "sms")
                case NotSent(fault="sender" | "account" as fault):
                    await self._hold(message, _SCOPES[fault], outcome)
                case Sent() | Refused() if message.probe:
                    await self._resume(message)
                case _:
                    return
        except RedisUnavailable as error:
            _log.warning("backoff_not_told", route=message.route, error=str(error))

    async def _throttled(self, message: ClaimedMessage, *, lane_alone: bool) -> None:
        slowed = await self._lanes.throttled(message, lane_alone=lane_alone)
        if slowed.lane:
            metrics.THROTTLE_CUTS.labels(route=message.route, cut="lane").inc()
        if slowed.route:
            metrics.THROTTLE_CUTS.labels(route=message.route, cut="route").inc()
            _log.warning("route_throttled", route=message.route)

    async def _hold(self, message: ClaimedMessage, scope: HoldScope, outcome: NotSent) -> None:
        held = await self._lanes.hold(message, scope)
        if scope == "route":
            metrics.ROUTE_HELD.labels(route=message.route).set(1)
        if held.began:
            reason = counted_as(outcome.reason)
            metrics.HOLDS.labels(route=message.route, scope=scope, reason=reason).inc()
            _log.error(
                f"{scope}_held",
                route=message.route,
                reason=outcome.reason,
                detail=outcome.detail,
                identity=str(message.identity),
                country=message.country,
                tenant_id=str(message.tenant_id),
                way_out="mend it at AWS; a probe a minute at most finds out and everything that waits leaves",
            )

    async def _resume(self, message: ClaimedMessage) -> None:
        if await self._lanes.resume(message):
            metrics.ROUTE_HELD.labels(route=message.route).set(0)
            _log.warning("line_resumed", route=message.route, identity=str(message.identity))
