"""AWS's request rates for control actions: one a second per action and account, unless raised."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol


class Turns(Protocol):
    """What spaces the calls of each action."""

    async def turn(self, action: str) -> None:
        """Wait for this action's next turn."""
        ...


class Pace:
    """Spaces this process's calls of each action; `per_second` None does not wait at all (an emulator)."""

    def __init__(
        self,
        per_second: float | None,
        *,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._sleep = sleep
        self._gap_s = 0.0 if per_second is None else 1.0 / per_second
        self._next_at: defaultdict[str, float] = defaultdict(float)

    async def turn(self, action: str) -> None:
        """Wait for this action's next turn."""
        if self._gap_s == 0.0:
            return
        now = self._seconds()
        at = max(now, self._next_at[action])
        self._next_at[action] = at + self._gap_s
        await self._sleep(at - now)
