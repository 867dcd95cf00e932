"""
Letting a claimed message go at its instant: not before, and not so much later that it belongs elsewhere.

What leaves a little late is told to the gates, which then count it where it came (`dispatch.lateness`).
A message that missed its instant by more, because the process was stopped, asks for another one.
"""

import asyncio
import time

import structlog

from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes

_log = structlog.get_logger(__name__)

LATE_S = 0.25
"""What a call that begins then can tell the gates long before anybody is let go behind it, a second later."""
LONGEST_WAIT_S = 3.0
"""Shorter than a mark stays fresh; a message whose next instant is further away is given back."""
_TRIES = 3


async def released(lanes: Lanes, message: ClaimedMessage) -> ClaimedMessage | None:
    """
    Return the message at its instant, which may be another than it had; None if it has none soon.

    Without one it must be given back.

    With Redis away the instant that was granted stands: it was charged, and only its second is disturbed.
    """
    due = message
    for _ in range(_TRIES):
        await asyncio.sleep(max(due.release_at - time.monotonic(), 0))
        if time.monotonic() - due.release_at <= LATE_S:
            return due
        try:
            again = await lanes.reserve_again(due)
        except RedisUnavailable as error:
            _log.warning("reserve_failed", route=message.route, error=str(error))
            return due
        if again is None or again.release_at - time.monotonic() > LONGEST_WAIT_S:
            return None
        due = again
    await asyncio.sleep(max(due.release_at - time.monotonic(), 0))
    return due
