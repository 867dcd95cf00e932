"""What the crowded country shows: its MPS kept, and OTPs that overtake a campaign. Pure."""

from datetime import datetime
from statistics import median
from typing import Any, Final

from msgspec import Struct

from gateway.demo.script import CROWDED

_WINDOW_MS: Final = 1000.0
_JITTER: Final = 1.1
"""What arrivals may show above the rate: on a busy machine the first comes later than the rest."""


class Crowd(Struct, frozen=True, kw_only=True):
    """The queue into one country."""

    mps: int
    """Granted."""
    peak_parts: int
    """Most parts that AWS took within any one second."""
    sustained: float
    """Parts a second that AWS took from the first to the last."""
    longest_wait_s: float
    otp_wait_s: float
    """Median, from accept to dispatch."""
    campaign_wait_s: float
    """The same of the campaign."""
    overtaken: int
    """Campaign messages that were accepted before the first OTP and left after it."""

    @property
    def kept(self) -> bool:
        """Whether the rate was not passed, as far as arrivals can show it; claims are proven in the tests."""
        return self.sustained <= self.mps * _JITTER

    @property
    def queued(self) -> bool:
        """Whether there was a queue at all."""
        return self.longest_wait_s > 1

    @property
    def otps_first(self) -> bool:
        """Whether OTPs went ahead of the campaign."""
        return self.overtaken > 0 and self.otp_wait_s < self.campaign_wait_s


def measure_crowd(messages: list[Any], at_aws: list[Any], mps: int) -> Crowd:
    """
    Return what the queue did.

    Args:
        messages: As the REST API lists them.
        at_aws: As the emulator lists them, which is what AWS saw.
    """
    here = [each for each in messages if each["country"] == CROWDED and each["dispatched_at"] is not None]
    otps = [each for each in here if each["type"] == "otp"]
    campaign = [each for each in here if each["type"] == "promotional"]
    arrivals = sorted((each["accepted_at"], each["parts"]) for each in at_aws if each["country"] == CROWDED)
    first = min(otps, key=lambda each: str(each["dispatched_at"]), default=None)
    return Crowd(
        mps=mps,
        peak_parts=_peak(arrivals),
        sustained=_sustained(arrivals),
        longest_wait_s=max((_wait_s(each) for each in here), default=0.0),
        otp_wait_s=median([_wait_s(each) for each in otps] or [0.0]),
        campaign_wait_s=median([_wait_s(each) for each in campaign] or [0.0]),
        overtaken=0
        if first is None
        else sum(
            each["created_at"] < first["created_at"] and each["dispatched_at"] > first["dispatched_at"]
            for each in campaign
        ),
    )


def seconds_between(earlier: str, later: str) -> float:
    """Return the time between two of the API's instants."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _wait_s(message: Any) -> float:
    return seconds_between(message["created_at"], message["dispatched_at"])


def _peak(arrivals: list[tuple[float, int]]) -> int:
    """Return the most parts within any second, by a window that slides over the ordered arrivals."""
    peak = parts = start = 0
    for at, more in arrivals:
        parts += more
        while arrivals[start][0] <= at - _WINDOW_MS:
            parts -= arrivals[start][1]
            start += 1
        peak = max(peak, parts)
    return peak


def _sustained(arrivals: list[tuple[float, int]]) -> float:
    """Return the rate over the whole queue; the first parts open the span and are not counted in it."""
    if not arrivals or arrivals[-1][0] == arrivals[0][0]:
        return 0.0
    span_s = (arrivals[-1][0] - arrivals[0][0]) / 1000
    return sum(parts for _, parts in arrivals[1:]) / span_s
