"""What happens later: one heap of due actions in emulated time, and one timer for the first of them."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from gateway.emulator.clock import VirtualClock

BATCH = 256
"""Actions run before the event loop gets a turn."""


class Timeline:
    """Runs actions when the virtual clock reaches them; must be used inside a running event loop."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_ms = float("inf")

    def at(self, due_ms: float, action: Callable[[], None]) -> None:
        """Run ``action`` once the emulated time is ``due_ms``."""
        heapq.heappush(self._heap, (due_ms, next(self._order), action))
        if due_ms < self._timer_due_ms:
            self._arm()

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Run ``action`` after ``delay_ms`` of emulated time."""
        self.at(self._clock.now_ms() + delay_ms, action)

    def run_due(self) -> None:
        """Run what is due, at most a batch, and arm the timer for the rest, also behind one that fails."""
        now_ms = self._clock.now_ms()
        try:
            for _ in range(BATCH):
                if not self._heap or self._heap[0][0] > now_ms:
                    break
                heapq.heappop(self._heap)[2]()
        finally:
            self._arm()

    def pending(self) -> int:
        """Return how many actions wait."""
        return len(self._heap)

    def clear(self) -> None:
        """Forget everything that waits."""
        self._heap.clear()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_due_ms = None, float("inf")
        if self._heap:
            self._timer_due_ms = self._heap[0][0]
            delay_s = max(0.0, self._timer_due_ms - self._clock.now_ms()) / 1000.0
            self._timer = asyncio.get_running_loop().call_later(min(delay_s, 3600.0), self.run_due)
