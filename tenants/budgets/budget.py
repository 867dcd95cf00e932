"""
What a monthly cap is and which messages count against it. Pure.

A budget has a name: `all`, `country:US`, `type:otp` or `account:` with the id of an AWS account. A tenant's
budgets count what its messages hold, in the unit of its balance; the platform's count what AWS is expected to
charge, in micro-dollars, over all tenants. Months are calendar months in UTC, as at AWS.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from tenants.ids import encode

PLATFORM: Final = UUID(int=0)
"""Owner of the operator's own budgets."""

LEVELS: Final = (50, 80, 100)
"""Shares of a cap, in percent, at which its owner is told."""

BUNDLE: Final = "bundle"
"""Name of the counter of a tenant's monthly allowance, in parts or messages; it is no budget."""

Dimension = Literal["all", "country", "type", "account"]
_DECEMBER: Final = 12


class Budget(Struct, frozen=True):
    """A cap per calendar month."""

    name: str
    cap: int
    """In the unit of the owner; sends stop before it would be passed."""


class Count(Struct, frozen=True, kw_only=True):
    """What one message adds to one budget's counter of a month."""

    owner: UUID
    name: str
    month: date
    amount: int
    cap: int

    @property
    def key(self) -> tuple[UUID, str, date]:
        """Which counter."""
        return self.owner, self.name, self.month


def budget_name(dimension: Dimension, value: str = "") -> str:
    """Return the name of a budget, for example `country:US`."""
    return dimension if dimension == "all" else f"{dimension}:{value}"


def public_name(name: str) -> str:
    """Return a budget's name as its owner knows it, with the account's public id."""
    dimension, _, value = name.partition(":")
    return f"account:{encode('acc', UUID(value))}" if dimension == "account" else name


def names_of(*, country: str, type_: str, account_id: UUID | None) -> tuple[str, ...]:
    """Return the names of every budget against which a message could count."""
    own = ("all", f"country:{country}", f"type:{type_}")
    return own if account_id is None else (*own, f"account:{account_id}")


def counts_of(
    budgets: Sequence[Budget], names: Iterable[str], *, owner: UUID, month: date, amount: int
) -> tuple[Count, ...]:
    """Return what a message of these names adds to the owner's budgets; nothing for nothing."""
    if not budgets or amount <= 0:
        return ()
    return tuple(
        Count(owner=owner, name=budget.name, month=month, amount=amount, cap=budget.cap)
        for budget in budgets
        if budget.name in names
    )


def month_of(instant: datetime) -> date:
    """Return the first day of the instant's month in UTC."""
    return instant.astimezone(UTC).date().replace(day=1)


def resets_at(month: date) -> datetime:
    """Return the instant at which the counters of a month end."""
    if month.month == _DECEMBER:
        return datetime(month.year + 1, 1, 1, tzinfo=UTC)
    return datetime(month.year, month.month + 1, 1, tzinfo=UTC)


def level(used: int, cap: int, *, stopped: bool = False) -> int:
    """
    Return the highest of LEVELS that is reached, 0 for none.

    Args:
        stopped: A send was refused by the cap: that is the end of it, even if a smaller one would still fit.
    """
    if stopped:
        return LEVELS[-1]
    return max((each for each in LEVELS if used * 100 >= cap * each), default=0)
