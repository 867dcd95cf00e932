"""Each way to price: margins, weights, tiers, fees, and tenants on their own account."""

import timeit

import msgspec
import pytest

from tenants.accounts.plan import Fees, Plan
from tenants.credits.pricing import PriceLine, Quote, book_of, price


def line(country: str, sell: int, cost: int, **more: object) -> PriceLine:
    fields: dict[str, object] = {
        "country": country,
        "channel": "sms",
        "sell_micros": sell,
        "cost_micros": cost,
        "credits": 3,
    }
    return PriceLine(**(fields | more))  # type: ignore[arg-type]


BOOK = book_of(
    [
        line("*", 250_000, 225_000, credits=24),
        line("US", 6450, 5810),
        line("US", 9000, 8000, sender_type="SHORT_CODE"),
        line("*", 270_000, 240_000, sender_type="SHORT_CODE"),
        line("US", 4000, 3000, item="carrier_fee"),
        line("US", 4400, 3300, item="carrier_fee", sender_type="TOLL_FREE"),
        line("US", 50, 40, item="protect_fee"),
    ]
)
NO_FEES = Fees(carrier="absorb")


def quote(plan: Plan, country: str = "US", parts: int = 1, **more: object) -> Quote:
    found = price(plan, BOOK, country=country, channel="sms", parts=parts, **more)  # type: ignore[arg-type]
    assert isinstance(found, Quote)
    return found


@pytest.mark.parametrize(
    ("margin", "expected"), [(0, 5810), (10, 6391), (12.5, 6537), (0.01, 5811), (100, 11_620)]
)
def test_a_margin_is_on_top_of_the_cost_rounded_up(margin: float, expected: int) -> None:
    """The operator never sells a part below its margin for a fraction of a micro-dollar."""
    assert quote(Plan(margin_percent=margin, fees=NO_FEES)).amount == expected


def test_credits_follow_the_countrys_weight_or_are_the_same_everywhere() -> None:
    """Two kinds of credit plan."""
    assert quote(Plan(pricing="credits"), "FR", parts=2).amount == 48
    assert quote(Plan(pricing="credits", credits_per_part=1), "FR", parts=2).amount == 2


@pytest.mark.parametrize(
    ("fees", "credits_"),
    [({}, 4), ({"carrier": "mark_up"}, 4), ({"carrier": "absorb"}, 3), ({"protect": "pass"}, 6)],
)
def test_fees_on_a_part_cost_credits_by_the_plans_policies(fees: dict[str, str], credits_: int) -> None:
    """As a lease does: what the operator bears costs nothing, the rest what the book says."""
    book = book_of(
        [
            line("US", 6450, 5810),
            line("US", 4000, 3000, item="carrier_fee", credits=1),
            line("US", 50, 40, item="protect_fee", credits=2),
        ]
    )
    plan = msgspec.convert({"pricing": "credits", "fees": fees}, Plan)
    found = price(plan, book, country="US", channel="sms", parts=2)
    assert isinstance(found, Quote)
    assert found.amount == 2 * credits_
    same = price(Plan(pricing="credits", credits_per_part=7), book, country="US", channel="sms", parts=2)
    assert isinstance(same, Quote)
    assert same.amount == 14


def test_a_tier_prices_its_countries_and_the_star_prices_the_rest() -> None:
    """The tier price follows the country."""
    plan = Plan(
        pricing="tiers",
        tiers={"near": "0.01", "far": "0.09"},
        tier_of={"US": "near", "*": "far"},
        fees=NO_FEES,
    )
    assert quote(plan, "US", parts=3).amount == 30_000
    assert quote(plan, "JP").amount == 90_000


@pytest.mark.parametrize(
    "plan",
    [
        {"pricing": "tiers"},
        {"pricing": "tiers", "tiers": {"a": "0.01"}, "tier_of": {"US": "a"}},
        {"pricing": "tiers", "tiers": {"a": "0.01"}, "tier_of": {"*": "b"}},
        {"pricing": "tiers", "tiers": {"a": "-1"}, "tier_of": {"*": "a"}},
        {"pricing": "tiers", "tiers": {"a": "0.0000001"}, "tier_of": {"*": "a"}},
        {"pricing": "credits", "platform_fee": "0.5"},
        {"margin_percent": -1},
        {"margin_percent": 1001},
        {"credits_per_part": 0},
        {"price_book": "No Such Name"},
        {"auto_top_up": {"below": "1.5", "amount": "5"}, "pricing": "credits"},
    ],
)
def test_a_plan_that_cannot_be_priced_is_refused(plan: dict[str, object]) -> None:
    """When it is set, not when somebody sends."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(plan, Plan)


@pytest.mark.parametrize(("policy", "expected"), [("pass", 9450), ("absorb", 6450), ("mark_up", 10_450)])
def test_a_carriers_fee_is_passed_on_borne_or_marked_up(policy: str, expected: int) -> None:
    """By the plan; AWS's side of it is counted as a cost in every case."""
    found = quote(Plan(fees=Fees(carrier=policy)))  # type: ignore[arg-type]
    assert found.amount == expected
    assert found.cost_micros == 5810 + 3000 + 40


def test_the_senders_type_decides_where_the_book_tells_them_apart() -> None:
    """Part and fee each take the nearest line; a sender without a line of its own takes the country's."""
    assert quote(Plan(), sender_type="SHORT_CODE").amount == 9000 + 3000
    assert quote(Plan(), sender_type="TOLL_FREE").amount == 6450 + 3300
    assert quote(Plan(), sender_type="TEN_DLC").amount == 6450 + 3000


def test_tenants_on_their_own_account_pay_the_platforms_fee_alone() -> None:
    """AWS bills them: no price of the book, no fee, no cost to the operator; the guard stays the book's."""
    found = quote(Plan(platform_fee="0.001"), parts=2, model=1)
    assert (found.amount, found.cost_micros) == (2000, 0)
    assert found.max_price_micros == quote(Plan(), parts=2).max_price_micros
    assert quote(Plan(pricing="credits", platform_fee="2"), parts=2, model=1).amount == 4
    assert quote(Plan(), parts=2, model=1).amount == 0


def test_a_quote_costs_a_few_microseconds() -> None:
    """It is on the way of every accept; the bound is wide, for a crowded machine."""
    plan = Plan(margin_percent=12.5)
    best = min(
        timeit.repeat(lambda: quote(plan, "JP", parts=2, sender_type="TEN_DLC"), number=1000, repeat=5)
    )
    assert best / 1000 < 100e-6


def test_a_part_has_the_price_of_its_senders_type_where_the_country_has_no_line() -> None:
    """The country comes first: a line for all senders in it is nearer than one for short codes anywhere."""
    anywhere = quote(Plan(fees=NO_FEES), "FR", sender_type="SHORT_CODE")
    assert (anywhere.amount, anywhere.cost_micros) == (270_000, 240_000)
    assert quote(Plan(fees=NO_FEES), "FR", sender_type="TOLL_FREE").amount == 250_000
    assert quote(Plan(fees=NO_FEES), "US", sender_type="TOLL_FREE").amount == 6450
