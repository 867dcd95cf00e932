"""Bundles: so many message parts or messages a month are paid for already, the rest is overage."""


def drawn(*, units: int, allowance: int, used: int) -> int:
    """
    Return how much of a message a month's allowance still covers.

    Args:
        units: The message in what the bundle counts: its parts, or 1.
        allowance: What the month includes; it may have been lowered below what is used.
    """
    return max(0, min(units, allowance - used))


def overage(price: int, *, units: int, included: int) -> int:
    """Return what the part of a message costs that no allowance covers; `price` is that of the whole."""
    return price // units * (units - included)


def least_included(price: int, *, units: int, most: int) -> int:
    """Return how much of a message has to be covered for the rest to cost at most `most`, below its price."""
    return units - most // (price // units)
