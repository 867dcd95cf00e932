"""AWS's request rates and messages per second, in force with ``--strict``."""

from gateway.emulator.clock import VirtualClock

ACTION_RATES = {
    "PutMessageFeedback": 20.0,
    "PutOptedOutNumber": 10.0,
    "DeleteOptedOutNumber": 10.0,
    "ListTagsForResource": 10.0,
}
DEFAULT_ACTION_RATE = 1.0
"""Calls per second and action, for accounts that never asked for more."""

RECIPIENT_RATE = 1.0
"""Messages per second to one recipient."""

SENDER_ID_RATE, SHARED_ROUTE_RATE = 10.0, 20.0

FORGET_ABOVE = 100_000
"""Buckets kept before idle ones are swept."""


def number_rate(number_type: str, country: str) -> float:
    """Return the message parts per second that a number may send."""
    if number_type == "SHORT_CODE":
        return 100.0
    if number_type == "TOLL_FREE":
        return 3.0
    if number_type == "LONG_CODE" and country not in {"US", "CA"}:
        return 10.0
    return 1.0


class RateLimits:
    """One bucket per thing that is limited; each takes one second's worth at once."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._empty_at_ms: dict[str, float] = {}

    def take(self, name: str, rate: float, amount: float = 1.0) -> bool:
        """
        Take ``amount`` from the bucket ``name`` that refills at ``rate`` per second.

        A single amount larger than the bucket is let through when the bucket is full.
        """
        now_ms = self._clock.now_ms()
        empty_at = max(self._empty_at_ms.get(name, now_ms), now_ms)
        after = empty_at + amount * 1000.0 / rate
        if after > now_ms + 1000.0 + 1e-6 and empty_at > now_ms:
            return False
        self._empty_at_ms[name] = after
        if len(self._empty_at_ms) > FORGET_ABOVE:
            self._empty_at_ms = {key: at for key, at in self._empty_at_ms.items() if at > now_ms}
        return True

    def reset(self) -> None:
        """Fill every bucket."""
        self._empty_at_ms.clear()
