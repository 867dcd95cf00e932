"""
What a message costs before it is sent. Pure: the caller brings the plan and the price book of the hour.

Prices are per message part and per country; a country without a line of its own takes the line `*`.
"""

from typing import Final, Literal

from msgspec import Struct

from tenants.accounts.plan import Plan, Pricing

Unit = Literal["micros", "credits"]
"""What a tenant's balance counts: micro-dollars, or whole credits."""

Channel = Literal["sms", "mms", "voice"]

EVERY_COUNTRY: Final = "*"

UNITS: Final[dict[Pricing, Unit]] = {"dollars": "micros", "credits": "credits"}

_MAX_PRICE_STEP_MICROS: Final = 10
"""AWS reads MaxPrice with five decimals, so six-decimal micro-dollars are rounded up to ten."""
_MAX_PRICE_LIMIT_MICROS: Final = 99_999_990
"""The largest MaxPrice that AWS's pattern `[0-9]{0,2}\\.[0-9]{1,5}` can spell."""


class PriceLine(Struct, frozen=True, kw_only=True):
    """A message part to one country over one channel."""

    country: str
    """ISO 3166-1 alpha-2, or `*`."""
    channel: str
    sell_micros: int
    cost_micros: int
    """AWS's price and the carriers' fee together."""
    credits: int


class PriceBook(Struct, frozen=True):
    """Every line in force at one instant."""

    lines: dict[tuple[str, str], PriceLine]
    """By country and channel."""

    def line(self, country: str, channel: str) -> PriceLine | None:
        """Return the country's own line, else the channel's line for every country, else None."""
        own = self.lines.get((country, channel))
        return own if own is not None else self.lines.get((EVERY_COUNTRY, channel))


class Quote(Struct, frozen=True, kw_only=True, tag="quote"):
    """The price of one whole message."""

    unit: Unit
    amount: int
    """What is held, in `unit`."""
    sell_micros: int
    """The same price in micro-dollars, also for tenants that pay in credits."""
    max_price_micros: int
    """
    What AWS may charge at most before it refuses, for a call per minute; a multiple of 10, at most 99.99999
    dollars.
    """
    cost_micros: int = 0
    """What AWS and the carriers are expected to charge."""


class NoPrice(Struct, frozen=True, kw_only=True, tag="no_price"):
    """The price book has no line for this country and channel, nor one for every country."""

    country: str
    channel: str


def price(plan: Plan, book: PriceBook, *, country: str, channel: str, parts: int) -> Quote | NoPrice:
    """
    Return what a message costs the tenant and the operator.

    Args:
        parts: Message parts of an SMS, 1 for an MMS, minutes of a call; one or more.
    """
    line = book.line(country, channel)
    if line is None:
        return NoPrice(country=country, channel=channel)
    unit = UNITS[plan.pricing]
    sell_micros = line.sell_micros * parts
    return Quote(
        unit=unit,
        amount=sell_micros if unit == "micros" else line.credits * parts,
        sell_micros=sell_micros,
        max_price_micros=max_price_micros(line.cost_micros, 1 if channel == "voice" else parts),
        cost_micros=line.cost_micros * parts,
    )


def max_price_micros(cost_micros: int, parts: int) -> int:
    """
    Return the MaxPrice behind a message: its cost, per message part, with half as much again, rounded up.

    AWS's model says that MaxPrice is per message, its guide that it is per part; per message is the reading
    that never lets a send fail, and under the other one the guard is merely wider.
    """
    with_head_room = -(-cost_micros * parts * 3 // 2)
    stepped = -(-with_head_room // _MAX_PRICE_STEP_MICROS) * _MAX_PRICE_STEP_MICROS
    return min(max(stepped, _MAX_PRICE_STEP_MICROS), _MAX_PRICE_LIMIT_MICROS)
