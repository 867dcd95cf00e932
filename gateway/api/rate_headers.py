"""The `RateLimit` headers of send endpoints (IETF draft-ietf-httpapi-ratelimit-headers-11)."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

from gateway.intake.outcome import RateState

_LONGEST_WINDOW_S: Final = 30 * 86_400
_MOST: Final = 1e9
"""Rates of old plans may be next to nothing or beyond all bounds; a header's integers have 15 digits."""


def rate_headers(rates: Sequence[RateState]) -> dict[str, str]:
    """Return the headers for the rates that hold; none where there is no limit to tell."""
    if not rates:
        return {}
    headers = {"RateLimit-Policy": ", ".join(_policy(rate.name, rate.limit_per_s) for rate in rates)}
    if known := [_state(rate) for rate in rates if rate.remaining is not None]:
        headers["RateLimit"] = ", ".join(known)
    return headers


@lru_cache(maxsize=1024)
def _policy(name: str, per_s: float) -> str:
    """Return the quota q of the shortest window of w whole seconds so that q / w is the rate."""
    rate = Fraction(min(max(per_s, 1 / _LONGEST_WINDOW_S), _MOST)).limit_denominator(_LONGEST_WINDOW_S)
    return f'"{name}";q={rate.numerator};w={rate.denominator}'


def _state(rate: RateState) -> str:
    return f'"{rate.name}";r={rate.remaining};t={-(-rate.reset_ms // 1000)}'
