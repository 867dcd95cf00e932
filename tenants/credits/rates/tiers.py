"""Country tiers: each country belongs to a tier, each tier has a price per part."""

from collections.abc import Mapping
from typing import Final

EVERY_COUNTRY: Final = "*"


def price_of(country: str, *, tier_of: Mapping[str, str], tiers: Mapping[str, str]) -> str:
    """
    Return the price of a part as the plan writes it; the plan's own check has made the two tables whole.

    A country that the table does not name is of the tier of `*`.
    """
    tier = tier_of.get(country)
    return tiers[tier_of[EVERY_COUNTRY] if tier is None else tier]
