"""The emulator's clock: real time plus whatever a test has added."""

import time


class VirtualClock:
    """Wall time that can be moved forward, so that 72 hours pass in a test."""

    def __init__(self, offset_ms: float = 0.0) -> None:
        self.offset_ms = offset_ms

    def now_ms(self) -> float:
        """Return the emulated time, epoch milliseconds."""
        return time.time() * 1000.0 + self.offset_ms

    def now_s(self) -> float:
        """Return the emulated time, epoch seconds rounded to milliseconds, as AWS prints timestamps."""
        return round(self.now_ms() / 1000.0, 3)

    def steady_ms(self) -> float:
        """Return milliseconds that only go forward, as fast as the machine's; for distances in time."""
        return time.monotonic() * 1000.0 + self.offset_ms

    def wall_ms(self) -> float:
        """
        Return the machine's own time in milliseconds.

        SNS envelopes are stamped with it: a receiver rightly refuses one from the future, and only what
        happens to messages travels in time.
        """
        return time.time() * 1000.0

    def advance(self, seconds: float) -> None:
        """Move the clock forward; it never runs backwards."""
        self.offset_ms += max(0.0, seconds) * 1000.0
