"""The instants that people name: with an offset, and of years that can be stored and computed with."""

from datetime import UTC, datetime
from typing import Final

from tenants.errors import InvalidInput

FIRST_YEAR: Final = 1900
"""Far enough from the calendar's own beginning for every span that is counted back from an instant."""
_CODE: Final = "invalid_time"


def named_instant(at: datetime, field: str) -> datetime:
    """
    Return an instant in UTC.

    Raises:
        InvalidInput: It does not say its offset, or lies in UTC outside the years 1900 to 9999.
    """
    if at.tzinfo is None:
        raise InvalidInput(field, _CODE, "a time has an offset, for example 2026-01-31T09:00:00Z")
    try:
        utc = at.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or utc.year < FIRST_YEAR:
        raise InvalidInput(field, _CODE, f"an instant lies in the years {FIRST_YEAR} to 9999, in UTC")
    return utc
