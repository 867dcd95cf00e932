"""Which messages count against which monthly cap, and when its owner is told."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from tenants.budgets.budget import (
    PLATFORM,
    Budget,
    counts_of,
    level,
    month_of,
    names_of,
    public_name,
    resets_at,
)
from tenants.budgets.counting import Counter, count_writes, first_over, take
from tenants.budgets.service import check_budgets
from tenants.credits.marks import crossed, reached
from tenants.errors import InvalidInput

ACCOUNT = uuid4()
NAMES = names_of(country="US", type_="otp", account_id=ACCOUNT)
MONTH = date(2026, 11, 1)


def test_a_message_counts_against_all_its_country_its_type_and_its_account() -> None:
    """And against no other country's, type's or account's budget."""
    mine = {"all", "country:US", "type:otp", f"account:{ACCOUNT}"}
    budgets = [Budget(name, 10) for name in (*mine, "country:CA", "type:promotional", f"account:{uuid4()}")]
    counts = counts_of(budgets, NAMES, owner=PLATFORM, month=MONTH, amount=3)
    assert {count.name for count in counts} == mine
    assert {count.amount for count in counts} == {3}


def test_without_a_budget_or_a_price_nothing_is_counted() -> None:
    """The accept's statement then has no part for it."""
    assert counts_of([], NAMES, owner=PLATFORM, month=MONTH, amount=3) == ()
    assert counts_of([Budget("all", 10)], NAMES, owner=PLATFORM, month=MONTH, amount=0) == ()
    assert count_writes(()) == []


def test_sends_fit_until_the_cap_and_not_one_further() -> None:
    """Exactly the cap may be spent."""
    counts = counts_of([Budget("all", 10)], NAMES, owner=PLATFORM, month=MONTH, amount=5)
    counters = {counts[0].key: Counter(used=0)}
    for _ in range(2):
        assert first_over(counts, counters) is None
        take(counts, counters)
    assert first_over(counts, counters) == counts[0]


@pytest.mark.parametrize(
    ("used", "cap", "stopped", "expected"),
    [(0, 10, False, 0), (4, 10, False, 0), (5, 10, False, 50), (7, 10, False, 50), (8, 10, False, 80),
     (9, 10, True, 100), (10, 10, False, 100), (0, 0, False, 100)],
)  # fmt: skip
def test_levels_are_reached_at_their_share(used: int, cap: int, stopped: bool, expected: int) -> None:
    """A refused send is the end of a budget, even where a smaller one would still fit."""
    assert level(used, cap, stopped=stopped) == expected


def test_months_are_calendar_months_in_utc() -> None:
    """A text at 23:30 in New York on the 30th is December's."""
    late = datetime(2026, 11, 30, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert month_of(late) == date(2026, 12, 1)
    assert resets_at(date(2026, 12, 1)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert resets_at(MONTH) == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_budgets_public_name_carries_the_accounts_public_id() -> None:
    """Bare UUIDs never leave."""
    assert public_name("country:US") == "country:US"
    assert public_name(f"account:{ACCOUNT}").startswith("account:acc_")


@pytest.mark.parametrize(
    ("budgets", "code"),
    [
        ([Budget("country:QQ", 1)], "unknown_country"),
        ([Budget("all", 1), Budget("all", 2)], "duplicate"),
        ([Budget("all", 1)] * 101, "too_many"),
    ],
)
def test_a_budget_that_cannot_be_counted_is_refused(budgets: list[Budget], code: str) -> None:
    """With the place in the list and the reason."""
    with pytest.raises(InvalidInput) as refusal:
        check_budgets(budgets)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("available", "refused", "expected"),
    [(100, False, 100), (51, False, 100), (50, False, 50), (20, False, 20), (10, False, 10), (1, False, 10),
     (0, False, 0), (5, True, 0)],
)  # fmt: skip
def test_a_balance_is_low_at_shares_of_the_last_top_up(available: int, refused: bool, expected: int) -> None:
    """A refused send means empty: what is left covers nothing."""
    assert reached(available, 100, refused=refused) == expected


def test_each_level_is_told_once_until_the_balance_was_above_it() -> None:
    """A fall through several levels tells each; standing still tells nothing; a rise arms them again."""
    assert crossed(100, 20) == (50, 20)
    assert crossed(20, 20) == ()
    assert crossed(20, 50) == ()
    assert crossed(50, 0) == (20, 10, 0)
