"""Dollars: the book's own sell price, or its cost with a margin on top."""

_BASIS_POINTS = 10_000


def sell_micros(*, sell: int, cost: int, margin_percent: float | None) -> int:
    """
    Return the price of a part in micro-dollars.

    Args:
        margin_percent: Added to the cost, rounded up to a whole micro-dollar; None takes the book's price.
            Hundredths of a percent count, finer ones do not.
    """
    return sell if margin_percent is None else with_margin(cost, margin_percent)


def with_margin(cost: int, percent: float) -> int:
    """Return a cost with a margin, rounded up; exact, since no float is multiplied with money."""
    return -(-cost * (_BASIS_POINTS + round(percent * 100)) // _BASIS_POINTS)
