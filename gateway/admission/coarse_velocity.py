"""
Pumping while Redis is away: each process counts blocks by itself, coarsely.

Without the shared counters only the plainest burst is seen: more messages to one block of a thousand in ten
minutes than people send. Several processes together let several times that through. Pure but for its memory.
"""

from collections.abc import Hashable
from typing import Final

MOST_PER_BLOCK: Final = 25
SPAN_MS: Final = 600_000
_MOST_BLOCKS: Final = 50_000


class CoarseVelocity:
    """Counts of one process; forgets all of them every ten minutes, and when there are too many."""

    def __init__(self) -> None:
        self._counts: dict[Hashable, int] = {}
        self._ends_ms = 0

    def wait_ms(self, block: Hashable, now_ms: int) -> int | None:
        """Count one message; return None if it may go, else when its block begins anew."""
        if now_ms >= self._ends_ms or len(self._counts) >= _MOST_BLOCKS:
            self._counts.clear()
            self._ends_ms = now_ms + SPAN_MS
        seen = self._counts.get(block, 0)
        if seen >= MOST_PER_BLOCK:
            return self._ends_ms - now_ms
        self._counts[block] = seen + 1
        return None
