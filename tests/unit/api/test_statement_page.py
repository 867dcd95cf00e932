"""The page that is printed: readable by a person, and by nobody else's means."""

import re

from gateway.api.statements.page import statement_page
from gateway.api.statements.views import (
    StatementAccountView,
    StatementBundleView,
    StatementEntryView,
    StatementFeeView,
    StatementLineView,
    StatementView,
)

EVIL = "<script>alert(1)</script>"


def page(*, unit: str = "usd", bundle: StatementBundleView | None = None, **amounts: str) -> str:
    """A page with something of everything."""
    sums = {"opening": "0.00", "top_ups": "1500.00", "charged": "2.006450", "fees": "-2.00"} | amounts
    line = StatementLineView(
        country="US", channel="sms", type="otp", sender=EVIL, messages=12345, parts=15001, included=3,
        charged=sums["charged"], aws_cost=None,
    )  # fmt: skip
    entry = StatementEntryView(
        id="led_1", at="2026-11-02T08:15:00.123Z", kind="top_up", amount=sums["top_ups"], note=EVIL,
        message_id=None,
    )  # fmt: skip
    fee = StatementFeeView(item="platform", amount="30", note="platform fee 2026-11", waived_why=EVIL)
    account = StatementAccountView(
        unit=unit, **sums, adjustments="0", closing="1495.993550" if unit == "usd" else "7", bundle=bundle,
        lines=[line], entries=[entry], uncharged=[fee],
    )  # fmt: skip
    return statement_page(
        StatementView(month="2026-11", complete=False, accounts=[account]), holder=f"Acme {EVIL}"
    )


def test_nothing_that_a_tenant_writes_becomes_markup() -> None:
    """Names, senders, notes and reasons."""
    made = page()
    assert "<script" not in made
    assert made.count("&lt;script&gt;") == 5
    assert not re.search(r"(src|href)=|@import|url\(", made)


def test_amounts_stand_with_their_points_above_each_other() -> None:
    """As many decimals everywhere as the finest amount has, thousands in groups, charges with a minus."""
    cells = re.findall(r'<td class="n">([^<]*)</td>', page())
    money = [cell for cell in cells if "." in cell]
    assert {len(cell.partition(".")[2]) for cell in money} == {5}
    assert {"1,500.00000", "−2.00645", "1,495.99355", "0.00000"} <= set(money)  # noqa: RUF001 - a minus
    assert {"12,345", "15,001"} <= set(cells)


def test_credits_are_whole_numbers_and_what_is_refunded_has_no_minus() -> None:
    """More may be given back in a month than was charged."""
    cells = re.findall(
        r'<td class="n">([^<]*)</td>', page(unit="credits", charged="-5", top_ups="9", fees="0")
    )
    assert "5" in cells
    assert not any("." in cell for cell in cells)


def test_a_reader_sees_whose_and_when_and_no_word_of_the_machine() -> None:
    """The month by its name, times without fractions, kinds as words, the bundle where there is one."""
    made = page(bundle=StatementBundleView(included=10_000, used=3))
    for said in ("November 2026", "so far", "Acme", "2026-11-02 08:15<", "Top-up", "waived", "10,000"):
        assert said in made
    assert "top_up" not in made
    assert "<th" in made
    assert "Included" in made
    assert "Included" not in page()
