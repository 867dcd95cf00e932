"""
What a message costs before it is sent. Pure: the caller brings the plan and the price book of the hour.

Prices are per message part and per country; a country without a line of its own takes the line `*`.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from tenants.accounts.plan import FeePolicy, Plan, Pricing
from tenants.credits.rates import dollars, fees, tiers

Unit = Literal["micros", "credits"]
"""What a tenant's balance counts: micro-dollars, or whole credits."""

Channel = Literal["sms", "mms", "voice"]

Item = Literal["part", "carrier_fee", "protect_fee", "lease", "registration"]
"""What a line prices: a message part, a fee on top of each part, a sender's month, a registration."""

FEE_CHANNEL: Final = "sms"
"""Where a book keeps leases and registrations: a number is leased once, whatever it carries."""

EVERY: Final = "*"
"""Every country, or every type of sender, without a line of its own."""

LineKey = tuple[Item, str, str, str]
"""Item, country, sender type, channel."""

OWN_ACCOUNT_MODEL: Final = 1
"""Tenants on their own AWS account: AWS bills them, and the platform asks its fee alone."""

UNITS: Final[dict[Pricing, Unit]] = {"dollars": "micros", "credits": "credits", "tiers": "micros"}

_MAX_PRICE_STEP_MICROS: Final = 10
"""AWS reads MaxPrice with five decimals, so six-decimal micro-dollars are rounded up to ten."""
_MAX_PRICE_LIMIT_MICROS: Final = 99_999_990
"""The largest MaxPrice that AWS's pattern `[0-9]{0,2}\\.[0-9]{1,5}` can spell."""


class PriceLine(Struct, frozen=True, kw_only=True):
    """One line of a price book: a message part, or a fee, to one country."""

    country: str
    """ISO 3166-1 alpha-2, or `*`."""
    channel: str
    sell_micros: int
    cost_micros: int
    """Of a part: AWS's price, with the carriers' fee where the book does not name that apart."""
    credits: int
    item: Item = "part"
    sender_type: str = EVERY
    """Type of origination identity, or `*`."""

    @property
    def key(self) -> LineKey:
        """What it prices."""
        return self.item, self.country, self.sender_type, self.channel


class PriceBook(Struct, frozen=True):
    """Every line in force at one instant."""

    lines: dict[tuple[str, str], PriceLine]
    """Message parts by country and channel, whatever the sender."""
    special: dict[LineKey, PriceLine] = {}
    """Parts that depend on the sender's type, and every fee."""

    def line(self, country: str, channel: str, sender_type: str = EVERY) -> PriceLine | None:
        """Return the nearest line of a part: the country's before the one for all, then the sender type's."""
        tells_types = bool(self.special) and sender_type != EVERY
        for where in (country, EVERY):
            own = self.special.get(("part", where, sender_type, channel)) if tells_types else None
            found = own or self.lines.get((where, channel))
            if found is not None:
                return found
        return None

    def fee(self, item: Item, country: str, sender_type: str, channel: str) -> PriceLine | None:
        """Return the nearest line of a fee: the country's before the one for all, then the sender type's."""
        for where in (country, EVERY):
            for whose in (sender_type, EVERY):
                found = self.special.get((item, where, whose, channel))
                if found is not None:
                    return found
        return None


def book_of(lines: Iterable[PriceLine]) -> PriceBook:
    """Return lines as a book; of two for the same thing the later one wins."""
    parts: dict[tuple[str, str], PriceLine] = {}
    special: dict[LineKey, PriceLine] = {}
    for line in lines:
        if line.item == "part" and line.sender_type == EVERY:
            parts[line.country, line.channel] = line
        else:
            special[line.key] = line
    return PriceBook(parts, special)


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


def price(
    plan: Plan,
    book: PriceBook,
    *,
    country: str,
    channel: str,
    parts: int,
    sender_type: str = EVERY,
    model: int = 2,
) -> Quote | NoPrice:
    """
    Return what a message costs the tenant and the operator.

    Args:
        parts: Message parts of an SMS, 1 for an MMS, minutes of a call; one or more.
        sender_type: Type of the origination identity, where it is chosen already.
        model: The tenant's model; in the first one AWS bills the tenant itself.
    """
    line = book.line(country, channel, sender_type)
    if line is None:
        return NoPrice(country=country, channel=channel)
    unit = UNITS[plan.pricing]
    sell, cost, credits_ = _part(plan, line, country), line.cost_micros, line.credits
    if book.special:
        more_sell, more_cost, more_credits = _fees(plan, book, country, sender_type, channel)
        sell, cost, credits_ = sell + more_sell, cost + more_cost, credits_ + more_credits
    if plan.credits_per_part is not None:
        credits_ = plan.credits_per_part
    guard = max_price_micros(cost, 1 if channel == "voice" else parts)
    if model == OWN_ACCOUNT_MODEL:
        sell, cost, credits_ = _own_account(plan, unit)
    return Quote(
        unit=unit,
        amount=(sell if unit == "micros" else credits_) * parts,
        sell_micros=sell * parts,
        max_price_micros=guard,
        cost_micros=cost * parts,
    )


def _part(plan: Plan, line: PriceLine, country: str) -> int:
    if plan.pricing == "tiers":
        return micros_of(tiers.price_of(country, tier_of=plan.tier_of, tiers=plan.tiers))
    return dollars.sell_micros(
        sell=line.sell_micros, cost=line.cost_micros, margin_percent=plan.margin_percent
    )


def _fees(plan: Plan, book: PriceBook, country: str, sender_type: str, channel: str) -> tuple[int, int, int]:
    """Return what the fees on a part add to its price, to its cost and to its credits."""
    carrier = _fee(plan.fees.carrier, book.fee("carrier_fee", country, sender_type, channel))
    protect = _fee(plan.fees.protect, book.fee("protect_fee", country, sender_type, channel))
    return carrier[0] + protect[0], carrier[1] + protect[1], carrier[2] + protect[2]


def _fee(policy: FeePolicy, line: PriceLine | None) -> tuple[int, int, int]:
    if line is None:
        return 0, 0, 0
    sell = fees.sell_micros(policy, sell=line.sell_micros, cost=line.cost_micros)
    return sell, line.cost_micros, fees.in_credits(policy, line.credits)


def _own_account(plan: Plan, unit: Unit) -> tuple[int, int, int]:
    """Return sell, cost and credits of a part that AWS bills to the tenant itself."""
    if unit == "credits":
        return 0, 0, int(plan.platform_fee)
    return micros_of(plan.platform_fee), 0, 0


@lru_cache(maxsize=4096)
def micros_of(usd: str) -> int:
    """Return the micro-dollars of a plan's amount, whose form the plan has checked."""
    return int(Decimal(usd) * 1_000_000)


def max_price_micros(cost_micros: int, parts: int) -> int:
    """
    Return the MaxPrice behind a message: its cost, per message part, with half as much again, rounded up.

    AWS's model says that MaxPrice is per message, its guide that it is per part; per message is the reading
    that never lets a send fail, and under the other one the guard is merely wider.
    """
    with_head_room = -(-cost_micros * parts * 3 // 2)
    stepped = -(-with_head_room // _MAX_PRICE_STEP_MICROS) * _MAX_PRICE_STEP_MICROS
    return min(max(stepped, _MAX_PRICE_STEP_MICROS), _MAX_PRICE_LIMIT_MICROS)
