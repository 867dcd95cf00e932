"""
Which clocks may hang where a phone is.

A mobile number rarely says more than its country, and a country may have eleven clocks; so a number has a set
of time zones, and a rule about the hour has to hold in all of them. libphonenumber's table knows the zones of
an area code where the plan has area codes (United States, Canada, Brazil).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

_UNKNOWN: Final = "Etc/Unknown"
_UTC: Final = ZoneInfo("UTC")
_AREA_DIGITS: Final = 8
"""What of an E.164 number can decide its zones; the subscriber's own digits never do."""


def zones_of(e164: str) -> Sequence[ZoneInfo]:
    """Return the time zones in which the phone may be, at least one; UTC where nothing is known."""
    return _zones_of_area(e164[:_AREA_DIGITS], len(e164))


@lru_cache(maxsize=16_384)
def _zones_of_area(area: str, length: int) -> tuple[ZoneInfo, ...]:
    number = phonenumbers.parse(area.ljust(length, "0"))
    names = timezone.time_zones_for_number(number)
    return tuple(ZoneInfo(name) for name in names if name != _UNKNOWN) or (_UTC,)
