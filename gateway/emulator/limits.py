"""
AWS's request rates and messages per second, in force with ``--strict``.

AWS names rates "per second" and no way of counting; a sliding second is the strictest, and what passes it
passes the others.
"""

from collections import deque

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

WHOLE_MESSAGE_FITS_FROM = 20.0
"""Parts per second; see ``parts_fit``."""

WINDOW_MS = 1000.0

FORGET_ABOVE = 100_000
"""Limited things remembered before idle ones are swept."""


def number_rate(number_type: str, country: str) -> float:
    """Return the message parts per second that a number may send."""
    if number_type == "SHORT_CODE":
        return 100.0
    if number_type == "TOLL_FREE":
        return 3.0
    if number_type == "LONG_CODE" and country not in {"US", "CA"}:
        return 10.0
    return 1.0


def parts_fit(used: float, amount: float, rate: float) -> bool:
    """
    Return whether a message of ``amount`` parts may go where ``used`` parts went in the last second.

    From 20 parts a second on the whole message has to fit. Below, one that begins within the rate may end
    beyond it: otherwise four parts would never leave a toll-free number. AWS documents neither.
    """
    return used + amount <= rate or (used < rate < WHOLE_MESSAGE_FITS_FROM) or used == 0


class RateLimits:
    """What was taken of each limited thing during the last second, by a clock that is never set."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._taken: dict[str, _Window] = {}

    def take(self, name: str, rate: float, amount: float = 1.0) -> bool:
        """
        Take ``amount`` of ``name`` unless any one second, wherever it begins, would see more than ``rate``.

        ``parts_fit`` says what a single amount larger than what is left may do.
        """
        now_ms = self._clock.steady_ms()
        if len(self._taken) > FORGET_ABOVE:
            self._taken = {key: kept for key, kept in self._taken.items() if kept.used_at(now_ms)}
        window = self._taken.setdefault(name, _Window())
        if not parts_fit(window.used_at(now_ms), amount, rate):
            return False
        window.add(now_ms, amount)
        return True

    def reset(self) -> None:
        """Forget what was taken."""
        self._taken.clear()


class _Window:
    """The amounts of one sliding second."""

    __slots__ = ("_taken", "_used")

    def __init__(self) -> None:
        self._taken: deque[tuple[float, float]] = deque()
        self._used = 0.0

    def used_at(self, now_ms: float) -> float:
        while self._taken and self._taken[0][0] <= now_ms - WINDOW_MS:
            self._used -= self._taken.popleft()[1]
        return self._used

    def add(self, now_ms: float, amount: float) -> None:
        self._taken.append((now_ms, amount))
        self._used += amount
