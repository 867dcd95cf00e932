"""Money at the wire: every typed digit counts, and nothing that is not plain digits is money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.credits.money import (
    MAX_CREDITS,
    MAX_USD,
    amount_text,
    format_amount,
    format_usd,
    parse_amount,
    parse_usd,
)
from tenants.errors import InvalidInput


@given(micros=st.integers(-(10**15), 10**15))
def test_micro_dollars_survive_the_wire_exactly(micros: int) -> None:
    """A ledger that rounds is no ledger."""
    assert parse_usd(format_usd(micros), field="/amount", signed=True) == micros


@given(micros=st.integers(0, 10**15))
def test_the_text_is_the_decimal_value(micros: int) -> None:
    """A second opinion, from Python's own decimals."""
    assert Decimal(format_usd(micros)) == Decimal(micros) / 1_000_000


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0.00645", 6450), ("12.50", 12_500_000), ("12", 12_000_000), ("0.000001", 1), ("007.5", 7_500_000)],
)
def test_plain_decimals_are_read(text: str, micros: int) -> None:
    """The forms that people write."""
    assert parse_usd(text, field="/amount") == micros


@pytest.mark.parametrize(
    ("micros", "text"),
    [(6450, "0.00645"), (12_500_000, "12.50"), (0, "0.00"), (-1, "-0.000001"), (1_000_000, "1.00")],
)
def test_amounts_are_written_with_two_to_six_decimals(micros: int, text: str) -> None:
    """Whole cents look like money, and smaller amounts are not rounded."""
    assert format_usd(micros) == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "NaN", "Infinity", "1e3", "1E-3", "+1", "1,000.00", "1.", ".5", "0x10", "1_000", " 1", "1 ",
        "1\n", "--1", "\u0661", "1.2.3", "$1", "9" * 16,
    ],
)  # fmt: skip
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    """`float()` and `Decimal()` would take most of these."""
    with pytest.raises(InvalidInput) as refusal:
        parse_usd(text, field="/amount")
    assert (refusal.value.field, refusal.value.code) == ("/amount", "invalid_amount")


@pytest.mark.parametrize("text", ["0.0000001", "1.0000000"])
def test_a_seventh_decimal_is_refused_even_if_it_is_zero(text: str) -> None:
    """Silently dropping a digit would be rounding."""
    with pytest.raises(InvalidInput, match="six decimals"):
        parse_usd(text, field="/amount")


def test_a_negative_amount_is_refused_where_none_is_wanted() -> None:
    """A top-up is not a withdrawal."""
    with pytest.raises(InvalidInput) as refusal:
        parse_usd("-1", field="/credits/amount")
    assert (refusal.value.field, refusal.value.code) == ("/credits/amount", "amount_negative")
    assert parse_usd("-1", field="/amount", signed=True) == -1_000_000


def test_minus_zero_is_zero() -> None:
    """It is negative to the eye and not to the ledger."""
    assert parse_usd("-0.00", field="/amount") == 0


def test_amounts_have_an_upper_end() -> None:
    """A slipped finger must not fill a 64-bit column."""
    assert parse_usd(str(MAX_USD), field="/amount") == MAX_USD * 1_000_000
    with pytest.raises(InvalidInput) as refusal:
        parse_usd(f"{MAX_USD}.000001", field="/amount")
    assert refusal.value.code == "amount_too_large"
    with pytest.raises(InvalidInput) as refusal:
        parse_amount(MAX_CREDITS + 1, "credits", field="/amount")
    assert refusal.value.code == "amount_too_large"


@pytest.mark.parametrize(("value", "amount"), [("250", 250), (250, 250), (0, 0)])
def test_credits_are_whole_numbers(value: str | int, amount: int) -> None:
    """As a number or as a string, since both are exact."""
    assert parse_amount(value, "credits", field="/amount") == amount


@pytest.mark.parametrize("value", ["1.5", "1.0", "", "-1", "ten", True, 1.5, None])
def test_what_is_no_count_of_credits_is_refused(value: object) -> None:
    """Half a credit does not exist, and True is not one."""
    with pytest.raises(InvalidInput):
        parse_amount(value, "credits", field="/amount")


def test_an_amount_is_read_and_written_in_its_unit() -> None:
    """The same digits mean dollars for one tenant and credits for another."""
    assert parse_amount("5", "micros", field="/amount") == 5_000_000
    assert parse_amount(5, "micros", field="/amount") == 5_000_000
    assert parse_amount("-5", "credits", field="/amount", signed=True) == -5
    assert format_amount(5_000_000, "micros") == "5.00"
    assert format_amount(5, "credits") == "5"


def test_an_amount_in_a_sentence_names_what_it_counts() -> None:
    """Five of what is a question that no refusal leaves open."""
    assert amount_text(6450, "micros") == "0.00645 USD"
    assert amount_text(5, "credits") == "5 credits"
