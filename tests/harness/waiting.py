"""Waiting for what must come to be true, with a deadline instead of a hopeful sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 60.0
_LOOK_EVERY_S = 0.02
_RAREST_LOOK_S = 0.25
_LATE_BY = 0.1
"""Share of the time waited by which an answer may be seen late: looks cost the machine that is waited for."""


async def until(look: Callable[[], Awaitable[T]], *, within_s: float = DEADLINE_S) -> T:
    """
    Look again and again until the answer is truthy, and return it.

    Raises:
        TimeoutError: It did not become so in time; the text shows the last answer.
    """
    return await _until(look, within_s, _LOOK_EVERY_S)


async def eventually(look: Callable[[], Awaitable[T]], *, within_s: float = DEADLINE_S) -> T:
    """
    Do as `until` does, the rarer the longer it takes: for what stays once it is so, and nobody strikes at.

    Raises:
        TimeoutError: It did not become so in time; the text shows the last answer.
    """
    return await _until(look, within_s, _RAREST_LOOK_S)


async def _until(look: Callable[[], Awaitable[T]], within_s: float, rarest_s: float) -> T:
    began = time.monotonic()
    while not (seen := await look()):
        waited_s = time.monotonic() - began
        if waited_s > within_s:
            raise TimeoutError(f"after {within_s} s the answer was still {seen!r}")
        await asyncio.sleep(min(max(_LOOK_EVERY_S, _LATE_BY * waited_s), rarest_s))
    return seen
