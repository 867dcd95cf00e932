"""Every place that takes an amount, and every amount that is none: refused by name, and nothing moves."""

from typing import Any, Final
from uuid import uuid4

import pytest

from tests.harness.ledger import faults
from tests.harness.numbers import us_number

NOT_PLAIN: Final = (
    "", " ", "abc", "NaN", "Infinity", "-Infinity", "1e3", "0x10", "1,5", "1 000", "+1", "--1", "\u0661",
    "1.2.3", "$1", ".5", "5.",
)  # fmt: skip
TOO_PRECISE: Final = ("0.0000001", "1.00000000000000000000000000001")
TOO_LARGE: Final = ("9" * 15, "9" * 40, "1" + "0" * 30)
NEGATIVE: Final = ("-1", "-0.000001")
NO_TEXT: Final = (True, None, [], {}, 1.5, 10**30)
BAD: Final = (*NOT_PLAIN, *TOO_PRECISE, *TOO_LARGE, *NO_TEXT)


@pytest.fixture(scope="module")
async def customer(stack):
    """A tenant with ten dollars; a module's tests find them untouched."""
    return await stack.customer(credit="10.00")


def places(tenant_id: str) -> dict[str, tuple[str, str, Any]]:
    """By name: method, path, and the body around an amount."""
    home = f"/v1/admin/tenants/{tenant_id}"

    def plan(**members: Any) -> Any:
        return lambda amount: {"plan": {name: wrap(amount) for name, wrap in members.items()}}

    return {
        "top-up": ("POST", f"{home}/credits", lambda amount: {"amount": amount}),
        "adjustment": ("POST", f"{home}/credits/adjust", lambda amount: {"amount": amount}),
        "correction": (
            "POST", f"{home}/credits/corrections", lambda amount: {"amount": amount, "reason": "a test"}
        ),
        "budget": ("PUT", f"{home}/budgets", lambda amount: {"budgets": [{"cap": amount}]}),
        "platform's budget": ("PUT", "/v1/admin/budgets", lambda amount: {"budgets": [{"cap": amount}]}),
        "part on an own account": ("PATCH", home, plan(platform_fee=lambda amount: amount)),
        "monthly fee": ("PATCH", home, plan(monthly_fee=lambda amount: amount)),
        "tier": (
            "PATCH", home,
            plan(
                pricing=lambda _: "tiers", tiers=lambda amount: {"near": amount},
                tier_of=lambda _: {"*": "near"},
            ),
        ),
        "level of a top-up": ("PATCH", home, plan(auto_top_up=lambda a: {"below": a, "amount": "1"})),
        "amount of a top-up": ("PATCH", home, plan(auto_top_up=lambda a: {"below": "1", "amount": a})),
        "bundle": ("PATCH", home, plan(bundle=lambda amount: {"included": amount})),
    }  # fmt: skip


SIGNED: Final = frozenset({"adjustment", "correction"})


@pytest.mark.parametrize("place", places("ten_x"))
async def test_no_amount_that_is_none_is_taken_anywhere(stack, customer, place):
    """Not plain, too precise, too large, negative, or no text at all: 422 as problem+json, naming a field."""
    method, path, body = places(customer.id)[place]
    before = await stack.operate("get", f"/v1/admin/tenants/{customer.id}")
    for amount in (*BAD, *(() if place in SIGNED else NEGATIVE)):
        answer = await stack.operator.request(method, path, json=body(amount))
        assert answer.status_code == 422, (amount, answer.text)
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["errors"][0]["field"], amount
    assert await stack.operate("get", f"/v1/admin/tenants/{customer.id}") == before
    shown = (await customer.live.get("/v1/credits")).json()
    assert (shown["available"], shown["held"], shown["budgets"]) == ("10.00", "0.00", [])


@pytest.mark.parametrize("column", ["sell_usd", "cost_usd", "credits"])
async def test_no_price_that_is_none_enters_a_book(stack, column):
    """A file is refused as a whole, at its line and column."""
    book = f"/v1/admin/price-books/{uuid4().hex[:12]}"
    for amount in (
        *NOT_PLAIN[2:],
        *TOO_PRECISE,
        *TOO_LARGE,
        *NEGATIVE,
        "11" if column != "credits" else "10001",
    ):
        cells = {"sell_usd": "0.01", "cost_usd": "0.005", "credits": "1"} | {column: f'"{amount}"'}
        csv = f"country,channel,{','.join(cells)}\n*,sms,{','.join(cells.values())}\n"
        answer = await stack.operator.post(f"{book}/import", json={"csv": csv})
        assert answer.status_code == 422, (amount, answer.text)
        assert answer.json()["errors"][0]["field"] == f"/csv/line/2/{column}", amount
    assert (await stack.operator.get(book)).status_code == 404


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["US,sms,1,1,1,2027-01-01,2027-02-01", "US,sms,1,1,1,2027-03-01,"], "gap"),
        (["US,sms,1,1,1,2027-01-01,2027-03-01", "US,sms,1,1,1,2027-02-01,"], "overlap"),
        (["US,sms,1,1,1,,", "US,sms,1,1,1,,"], "duplicate"),
        (["QQ,sms,1,1,1,,"], "unknown_country"),
        (["us,sms,1,1,1,,"], "unknown_country"),
        (["US,sms,1,1,1,2027-02-01,2027-01-01"], "ends_before_it_begins"),
        (["US,fax,1,1,1,,"], "unknown"),
        (["US,mms,1,1,1,,"], "no_line_for_every_country"),
    ],
)
async def test_a_book_with_holes_or_folds_is_refused(stack, lines, code):
    """A country without a price, or with two, would be found by a tenant's send."""
    book = f"/v1/admin/price-books/{uuid4().hex[:12]}"
    csv = "\n".join(
        ["country,channel,sell_usd,cost_usd,credits,valid_from,valid_to", "*,sms,1,1,1,,", *lines]
    )
    answer = await stack.operator.post(f"{book}/import", json={"csv": csv})
    assert answer.status_code == 422
    assert code in {fault["code"] for fault in answer.json()["errors"]}


async def test_a_plan_changes_its_unit_only_when_nothing_is_in_flight_or_left(stack):
    """A dollar has no price in credits; what is accepted keeps its price under any other change."""
    customer = await stack.customer(credit="10.00")
    home = f"/v1/admin/tenants/{customer.id}"
    answer = await customer.send(to=us_number(), body="Your order is ready", type="transactional")
    price = answer.json()["price"]["estimated"]
    refused = await stack.operator.patch(home, json={"plan": {"pricing": "credits"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "balance_not_zero")
    await stack.operate("patch", home, {"plan": {"margin_percent": 400}})
    final = await customer.final(answer.json()["id"])
    assert final["price"]["final"] == price
    left = (await customer.live.get("/v1/credits")).json()
    refused = await stack.operator.patch(home, json={"plan": {"pricing": "credits"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "balance_not_zero")
    await stack.operate(
        "post", f"{home}/credits/adjust", {"amount": f"-{left['available']}", "note": "empty"}
    )
    await stack.operate("patch", home, {"plan": {"pricing": "credits", "margin_percent": None}})
    assert (await customer.live.get("/v1/credits")).json()["unit"] == "credits"
    assert await faults(stack.database) == []
