"""
When sends reached the emulator, by a clock of its own: the ruler for whoever limits a rate.

A client knows when it let a message go; AWS counts when it comes. Throttled ones are listed, too.
"""

from collections import deque
from typing import TypeAlias

Arrival: TypeAlias = tuple[float, str | None, str, int, bool]
"""Milliseconds of a steady clock, origination identity, country, message parts, whether it was throttled."""

KEPT = 250_000


class Arrivals:
    """The last sends that came as far as the rate limits."""

    def __init__(self) -> None:
        self._total = 0
        self._kept: deque[Arrival] = deque(maxlen=KEPT)

    def note(self, at_ms: float, identity: str | None, country: str, parts: int, *, throttled: bool) -> None:
        """Remember one."""
        self._total += 1
        self._kept.append((at_ms, identity, country, parts, throttled))

    def since(self, seen: int) -> tuple[int, list[Arrival]]:
        """Return how many came so far, and those after the first ``seen`` that are still kept."""
        new = max(0, min(len(self._kept), self._total - seen))
        return self._total, [self._kept[at] for at in range(len(self._kept) - new, len(self._kept))]

    def reset(self) -> None:
        """Forget all; counting begins anew."""
        self._total = 0
        self._kept.clear()
