"""
Letting a claimed message go at its instant: not before, and not later than the gates have play for.

A message that missed its instant, because its mark took long or the process was stopped, would leave together
with the one behind it. It asks for another instant instead.
"""

import asyncio
import time

import structlog

from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes

_log = structlog.get_logger(__name__)

LATE_S = 0.008
"""Less than half of the 20 ms that the gates allow for; the rest is the way to the carrier's socket."""
STATIC_LATE_S = 0.1
"""A static share has turns of that length at least; what is later would leave in another dispatcher's."""
LONGEST_WAIT_S = 3.0
"""Shorter than a mark stays fresh; a message whose next instant is further away is given back."""
_TRIES = 3


async def released(lanes: Lanes, message: ClaimedMessage) -> bool:
    """
    Return True at the message's instant, False if it has none soon and must be given back.

    With Redis away the instant that was granted stands: it was charged, and only its second is disturbed.
    """
    if not message.by_lanes:
        await asyncio.sleep(max(message.release_at - time.monotonic(), 0))
        return time.monotonic() - message.release_at <= STATIC_LATE_S
    due = message
    for _ in range(_TRIES):
        await asyncio.sleep(max(due.release_at - time.monotonic(), 0))
        if time.monotonic() - due.release_at <= LATE_S:
            return True
        try:
            again = await lanes.reserve_again(due)
        except RedisUnavailable as error:
            _log.warning("reserve_failed", route=message.route, error=str(error))
            return True
        if again is None or again.release_at - time.monotonic() > LONGEST_WAIT_S:
            return False
        due = again
    await asyncio.sleep(max(due.release_at - time.monotonic(), 0))
    return True
