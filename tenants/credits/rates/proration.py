"""A month's fee for a part of the month, by days in UTC; the day on which something begins or ends counts."""

from calendar import monthrange
from datetime import date


def month_end(month: date) -> date:
    """Return the last day of a day's month."""
    return month.replace(day=monthrange(month.year, month.month)[1])


def prorated(amount: int, *, first: date, last: date, of_first: date, of_last: date) -> int:
    """
    Return the share of `first` to `last` in an amount for `of_first` to `of_last`, rounded up.

    Days outside the span that the amount is for do not count; none left is nothing.
    """
    days = (min(last, of_last) - max(first, of_first)).days + 1
    return -(-amount * max(0, days) // ((of_last - of_first).days + 1))
