"""Waiting for what must come to be true, with a deadline instead of a hopeful sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 60.0
_LOOK_EVERY_S = 0.02


async def until(look: Callable[[], Awaitable[T]], *, within_s: float = DEADLINE_S) -> T:
    """
    Look again and again until the answer is truthy, and return it.

    Raises:
        TimeoutError: It did not become so in time; the text shows the last answer.
    """
    deadline = time.monotonic() + within_s
    while not (seen := await look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {within_s} s the answer was still {seen!r}")
        await asyncio.sleep(_LOOK_EVERY_S)
    return seen
