"""How slow and how fast a person may say that something goes: one rule for every rate. Pure."""

from typing import Annotated, Final

from msgspec import Meta

from tenants.errors import InvalidInput

SLOWEST: Final = 0.0001
"""
One part in 2 h 47 min. A message lives for three days, so of a slower line hardly any would ever leave:
`parts_per_day` says that better, and disabling says never. The slowest that AWS grants is 0.2.
"""
FASTEST: Final = 100_000.0
"""A thousand short codes at once."""
Rate = Annotated[float, Meta(ge=SLOWEST, le=FASTEST, description="message parts per second (MPS)")]
RequestRate = Annotated[float, Meta(ge=SLOWEST, le=FASTEST, description="requests per second")]
MOST_A_DAY: Final = 1_000_000_000
"""Within what Postgres keeps; more than `FASTEST` would be no limit for most senders anyway."""
DayParts = Annotated[int, Meta(ge=1, le=MOST_A_DAY, description="message parts per day")]


def check_rate(field: str, rate: float) -> None:
    """
    Refuse a rate per second that is out of bounds, or no number at all.

    Raises:
        InvalidInput: It is; `field` is the JSON pointer of what was named.
    """
    if not SLOWEST <= rate <= FASTEST:
        detail = f"a rate is {SLOWEST:g} to {FASTEST:,.0f} per second; what should send nothing is disabled"
        raise InvalidInput(field, "out_of_range", detail)


def check_day_parts(field: str, parts: int) -> None:
    """
    Refuse a ceiling per day that is out of bounds.

    Raises:
        InvalidInput: It is; `field` is the JSON pointer of what was named.
    """
    if not 1 <= parts <= MOST_A_DAY:
        detail = f"a ceiling per day is 1 to {MOST_A_DAY:,} message parts; null is none"
        raise InvalidInput(field, "out_of_range", detail)
