"""A plain model of artificially inflated traffic: many sends into one narrow number range in a short time."""

from collections import defaultdict, deque

WINDOW_MS = 600_000.0
SUSPECT_FROM = 20
"""Sends into one range of a thousand numbers within the window before the next ones are suspected."""

RANGE_DIGITS = 3
FORGET_ABOVE = 50_000
"""Ranges remembered before the idle ones are swept."""


class PumpingModel:
    """Remembers recent sends by number range."""

    def __init__(self) -> None:
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def suspects(self, destination: str, now_ms: float) -> bool:
        """Count a send and return whether its range has seen too many lately."""
        recent = self._recent[destination[:-RANGE_DIGITS]]
        while recent and recent[0] < now_ms - WINDOW_MS:
            recent.popleft()
        recent.append(now_ms)
        if len(recent) > SUSPECT_FROM + 1:
            recent.popleft()
        if len(self._recent) > FORGET_ABOVE:
            self._recent = defaultdict(
                deque, {key: times for key, times in self._recent.items() if times[-1] >= now_ms - WINDOW_MS}
            )
        return len(recent) > SUSPECT_FROM

    def reset(self) -> None:
        """Forget everything."""
        self._recent.clear()
