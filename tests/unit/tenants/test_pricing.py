"""Prices: per part and country, in the tenant's unit, with a guard AWS can read."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.accounts.plan import Plan
from tenants.credits.book import example_book, example_lines
from tenants.credits.pricing import NoPrice, PriceBook, PriceLine, Quote, max_price_micros, price

BOOK = PriceBook(
    {
        ("US", "sms"): PriceLine(country="US", channel="sms", sell_micros=6450, cost_micros=5810, credits=1),
        ("*", "sms"): PriceLine(
            country="*", channel="sms", sell_micros=250_000, cost_micros=225_000, credits=24
        ),
    }
)


def test_a_dollar_plan_pays_the_sell_price_of_each_part() -> None:
    """What is held is the whole message, parts included."""
    quote = price(Plan(), BOOK, country="US", channel="sms", parts=3)
    assert quote == Quote(
        unit="micros", amount=19_350, sell_micros=19_350, max_price_micros=26_150, cost_micros=17_430
    )


def test_a_credit_plan_pays_whole_credits_and_still_knows_the_dollars() -> None:
    """Margins are counted in dollars whatever the tenant pays with."""
    quote = price(Plan(pricing="credits"), BOOK, country="US", channel="sms", parts=2)
    assert isinstance(quote, Quote)
    assert (quote.unit, quote.amount, quote.sell_micros) == ("credits", 2, 12_900)


def test_a_country_without_its_own_line_takes_the_line_for_every_country() -> None:
    """A new destination costs something from its first message."""
    quote = price(Plan(), BOOK, country="FR", channel="sms", parts=1)
    assert isinstance(quote, Quote)
    assert quote.amount == 250_000


def test_a_channel_without_any_line_has_no_price() -> None:
    """Nothing is sent that nobody can pay for."""
    missing = price(Plan(), BOOK, country="US", channel="voice", parts=1)
    assert missing == NoPrice(country="US", channel="voice")


@given(cost=st.integers(1, 3_000_000), parts=st.integers(1, 12))
def test_the_guard_is_the_cost_and_half_as_much_rounded_up_to_what_aws_reads(cost: int, parts: int) -> None:
    """AWS takes five decimals: a guard cut down to them could refuse a send at its own price."""
    guard = max_price_micros(cost, parts)
    wanted = Fraction(cost * parts * 3, 2)
    assert guard % 10 == 0
    assert wanted <= guard < wanted + 10


@pytest.mark.parametrize(("cost", "parts"), [(0, 1), (90_000_000, 3), (1, 1), (66_666_660, 1)])
def test_the_guard_always_fits_the_pattern_of_aws(cost: int, parts: int) -> None:
    """A guard that AWS cannot parse would refuse every send."""
    text = f"{Decimal(max_price_micros(cost, parts)) / 1_000_000:.5f}"
    assert re.fullmatch(r"[0-9]{0,2}\.[0-9]{1,5}", text)
    assert Decimal(text) > 0


def test_every_example_line_sells_above_its_cost_and_is_listed_once() -> None:
    """An example that loses money would teach the wrong thing."""
    lines = list(example_lines())
    assert all(line.sell_micros > line.cost_micros > 0 and line.credits > 0 for line in lines)
    assert len(example_book().lines) == len(lines)


def test_the_example_prices_any_country() -> None:
    """A first start can send anywhere that the tenant is allowed to."""
    united_states = example_book().line("US", "sms")
    assert united_states is not None
    assert united_states.sell_micros == 6450
    for channel in ("sms", "mms", "voice"):
        assert example_book().line("ZZ", channel) is not None
