"""The smallest of what was measured in the last seconds."""

from collections import deque


class SlidingMin:
    """Keeps only what can still become the smallest, so a measurement costs O(1) on average."""

    __slots__ = ("_kept_s", "_window")

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._window: deque[tuple[float, float]] = deque()

    def add(self, at: float, value: float) -> float:
        """Take in a measurement made at `at`, in seconds, and return the smallest that is young enough."""
        window = self._window
        while window and window[-1][1] >= value:
            window.pop()
        window.append((at, value))
        while at - window[0][0] > self._kept_s:
            window.popleft()
        return window[0][1]
