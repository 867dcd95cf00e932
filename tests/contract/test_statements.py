"""Usage, statements, corrections and ledger filters over the API: what a tenant believes has to add up."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.db.transaction import worker_transaction
from tenants.credits.monthly_fees import write_down_platform_fees
from tests.harness.ledger import faults
from tests.harness.numbers import us_number


@pytest.fixture
async def customer(stack):
    """A tenant with money."""
    return await stack.customer(credit="10.00")


async def sent(customer, count=3):
    """Send some messages and wait until they are settled."""
    ids = []
    for _ in range(count):
        answer = await customer.send(to=us_number(), body="Your order is ready", type="transactional")
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])
    for each in ids:
        await customer.final(each)
    return ids


async def read(client, path, **query):
    """Return what a GET answers."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def this_month():
    """The month of the statement that grows."""
    return datetime.now(UTC).strftime("%Y-%m")


async def test_usage_is_what_the_ledger_charged(stack, customer):
    """Whatever it is grouped by, its rows add up to the same messages and the same money."""
    await sent(customer)
    ledger = await read(customer.live, "/v1/credits/ledger", kind="capture", limit=100)
    charged = sum(Decimal(entry["charged"]) for entry in ledger["data"])
    assert charged > 0
    for group_by in ("day", "country", "template", "sender", "type", "channel", "day,country,sender,type"):
        rows = (await read(customer.live, "/v1/usage", group_by=group_by))["data"]
        assert sum(row["messages"] for row in rows) == 3
        assert sum(Decimal(row["charged"]) for row in rows) == charged
        assert {row["aws_cost"] for row in rows} == {None}
    (row,) = (await read(customer.live, "/v1/usage", group_by="country,type"))["data"]
    assert (row["country"], row["type"], row["day"], row["unit"]) == ("US", "transactional", None, "usd")


async def test_only_the_operator_sees_what_aws_charged(stack, customer):
    """The margin is the operator's business."""
    await sent(customer, 1)
    (row,) = (await read(stack.operator, f"/v1/admin/tenants/{customer.id}/usage"))["data"]
    booked = await stack.database.fetchval(
        "SELECT sum(cogs)::bigint FROM ledger_transfers WHERE tenant_id = $1", customer.uuid
    )
    assert Decimal(row["aws_cost"]) * 1_000_000 == booked > 0
    kinds = {e["kind"] for e in (await read(customer.live, "/v1/credits/ledger", limit=100))["data"]}
    assert kinds == {"top_up", "hold", "capture"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"group_by": "weather"}, "?group_by"),
        ({"group_by": "day,day"}, "?group_by"),
        ({"group_by": ""}, "?group_by"),
        ({"from": "2026-13-01"}, "?from"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "?from"),
        ({"from": "2001-01-01", "to": "2026-02-01"}, "?from"),
    ],
)
async def test_usage_that_makes_no_sense_is_refused_by_name(customer, query, field):
    """The tenant learns which parameter, and what it may be."""
    answer = await customer.live.get("/v1/usage", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_statement_adds_up_and_its_three_forms_say_the_same(stack, customer):
    """Opening + top-ups - messages + fees + adjustments = closing = the balance."""
    await sent(customer)
    home = f"/v1/admin/tenants/{customer.id}/credits"
    await stack.operate("post", f"{home}/adjust", {"amount": "-1.00", "note": '=HYPERLINK("evil")'})
    await stack.operate("post", f"{home}/corrections", {"amount": "0.25", "reason": "<b>goodwill</b>"})
    name = this_month()
    assert (await read(customer.live, "/v1/statements"))["data"][0] == {"month": name, "complete": False}
    (account,) = (await read(customer.live, f"/v1/statements/{name}"))["accounts"]
    balance = await read(customer.live, "/v1/credits")
    amounts = {k: Decimal(account[k]) for k in ("opening", "top_ups", "charged", "fees", "adjustments")}
    assert amounts["charged"] > 0
    assert (amounts["top_ups"], amounts["adjustments"], amounts["opening"]) == (10, Decimal("-0.75"), 0)
    closing = (
        amounts["opening"]
        + amounts["top_ups"]
        - amounts["charged"]
        + amounts["fees"]
        + amounts["adjustments"]
    )
    assert closing == Decimal(account["closing"]) == Decimal(balance["available"]) + Decimal(balance["held"])

    file = await customer.live.get(f"/v1/statements/{name}.csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert sum(Decimal(row["amount"]) for row in rows[:-1]) == Decimal(rows[-1]["amount"]) == closing
    assert [row["note"] for row in rows if row["item"] == "adjust"] == ['\'=HYPERLINK("evil")']
    assert all(row["sender"].startswith("+1") for row in rows if row["item"] == "messages")

    page = await customer.live.get(f"/v1/statements/{name}.html")
    assert page.headers["content-type"].startswith("text/html")
    assert account["closing"].ljust(len(account["charged"]), "0") in page.text
    assert "&lt;b&gt;goodwill" in page.text
    assert "<b>goodwill" not in page.text
    (whole,) = (await read(stack.operator, f"/v1/admin/tenants/{customer.id}/statements/{name}"))["accounts"]
    assert Decimal(whole["lines"][0]["aws_cost"]) > 0


@pytest.mark.parametrize("name", ["2026-13", "1999-01", "2099-01", "now", "2026-11.pdf", "2026-1"])
async def test_a_month_without_a_statement_is_not_found(customer, name):
    """No empty statement of a month that never was."""
    assert (await customer.live.get(f"/v1/statements/{name}")).status_code == 404


async def test_last_months_money_is_this_months_opening_balance(stack, customer):
    """What moved before the month is in the opening balance, and in no line of it."""
    await stack.database.execute(
        "UPDATE ledger_transfers SET at = at - interval '1 month' WHERE tenant_id = $1", customer.uuid
    )
    await stack.database.execute(
        "UPDATE tenants SET created_at = created_at - interval '1 month' WHERE id = $1", customer.uuid
    )
    await sent(customer, 2)
    months = (await read(customer.live, "/v1/statements"))["data"]
    (now,) = (await read(customer.live, f"/v1/statements/{months[0]['month']}"))["accounts"]
    (then,) = (await read(customer.live, f"/v1/statements/{months[1]['month']}"))["accounts"]
    assert (then["opening"], then["top_ups"], then["charged"]) == ("0.00", "10.00", "0.00")
    assert then["closing"] == now["opening"] == "10.00"
    assert now["top_ups"] == "0.00"
    assert sum(line["messages"] for line in now["lines"]) == 2


async def test_a_correction_of_a_message_gives_back_no_more_than_it_was_charged(stack, customer):
    """Twice the same refund is one too many; the entry names the message and the reason."""
    [message_id] = await sent(customer, 1)
    (paid,) = (await read(customer.live, "/v1/credits/ledger", kind="capture", message_id=message_id))["data"]
    home = f"/v1/admin/tenants/{customer.id}/credits"
    body = {"amount": paid["charged"], "reason": "wrong text", "message_id": message_id}
    made = await stack.operate("post", f"{home}/corrections", body)
    assert (made["kind"], made["message_id"], made["note"]) == ("correction", message_id, "wrong text")
    again = await stack.operator.post(f"{home}/corrections", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "correction_above_charge")
    assert "0.00 USD" in again.json()["detail"]
    listed = (await read(customer.live, "/v1/credits/ledger", message_id=message_id))["data"]
    assert {entry["kind"] for entry in listed} == {"hold", "capture", "correction"}
    assert await faults(stack.database) == []


@pytest.mark.parametrize(
    "amount",
    ["1e3", "NaN", "Infinity", "0x10", "1,5", "+1", " 1", "", "0.0000001", "9" * 16, "-1000000", "0", True],
)
async def test_no_strange_amount_moves_money(stack, customer, amount):
    """Negative, huge, over-precise and non-numeric: refused with a problem, and the balance stays."""
    home = f"/v1/admin/tenants/{customer.id}/credits"
    for path, body in (
        (home, {"amount": amount}),
        (f"{home}/adjust", {"amount": amount}),
        (f"{home}/corrections", {"amount": amount, "reason": "a test"}),
    ):
        answer = await stack.operator.post(path, json=body)
        assert answer.status_code in {402, 422}, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert (await read(customer.live, "/v1/credits"))["available"] == "10.00"


@pytest.mark.parametrize("reason", ["", "   ", "a" * 501])
async def test_a_correction_needs_a_reason(stack, customer, reason):
    """The ledger keeps it for good, so it has to say why."""
    body = {"amount": "1.00", "reason": reason}
    answer = await stack.operator.post(f"/v1/admin/tenants/{customer.id}/credits/corrections", json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("query", "field"),
    [({"kind": "cost"}, "?kind"), ({"message_id": "msg_1"}, "?message_id"), ({"from": "x"}, "?from")],
)
async def test_a_filter_that_cannot_match_is_refused_by_name(customer, query, field):
    """An empty list would be taken for an answer."""
    answer = await customer.live.get("/v1/credits/ledger", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_strangers_usage_and_statements_are_their_own(stack, customer):
    """Row-level security, through every query of theirs."""
    await sent(customer, 1)
    stranger = await stack.customer(credit=None)
    assert (await read(stranger.live, "/v1/usage"))["data"] == []
    (account,) = (await read(stranger.live, f"/v1/statements/{this_month()}"))["accounts"]
    assert (account["closing"], account["lines"], account["entries"]) == ("0.00", [], [])


async def test_a_bundle_is_in_the_answer_the_balance_and_the_statement(stack):
    """The first parts cost nothing, the next ones their price, and every place says so."""
    customer = await stack.customer(credit="10.00", plan={"bundle": {"included": 2}})
    prices = []
    for _ in range(3):
        answer = await customer.send(to=us_number(), body="Your order is ready", type="transactional")
        assert answer.status_code == 202, answer.text
        prices.append(Decimal(answer.json()["price"]["estimated"]))
        final = await customer.final(answer.json()["id"])
        assert Decimal(final["price"]["final"]) == prices[-1]
    assert prices[:2] == [0, 0]
    assert prices[2] > 0
    bundle = (await read(customer.live, "/v1/credits"))["bundle"]
    assert (bundle["counts"], bundle["included"], bundle["used"], bundle["left"]) == ("parts", 2, 2, 0)
    (row,) = (await read(customer.live, "/v1/usage", group_by="country"))["data"]
    assert (row["messages"], row["included"], Decimal(row["charged"])) == (3, 2, prices[2])
    name = this_month()
    (account,) = (await read(customer.live, f"/v1/statements/{name}"))["accounts"]
    assert account["bundle"] == {"included": 2, "used": 2}
    assert sum(line["included"] for line in account["lines"]) == 2
    page = await customer.live.get(f"/v1/statements/{name}.html")
    assert "2 of the 2 in the month's bundle are used" in page.text
    assert await faults(stack.database) == []


async def test_fees_are_listed_waived_and_on_the_statement(stack, worker_engine):
    """An open fee is no part of any sum; waived it says why; the CLI's road is the API's."""
    customer = await stack.customer(credit="1.00", plan={"monthly_fee": "30.00", "fees": {"prorate": "none"}})
    await stack.operate("patch", f"/v1/admin/tenants/{customer.id}", {"live": True})
    async with worker_transaction(worker_engine) as session:
        await write_down_platform_fees(session, datetime.now(UTC))
    home = f"/v1/admin/tenants/{customer.id}/fees"
    (fee,) = (await read(stack.operator, home, state="open"))["data"]
    assert (fee["item"], fee["amount"], fee["state"], fee["unit"]) == ("platform", "30.00", "open", "usd")
    statement = f"/v1/statements/{this_month()}"
    for why in (None, "first month free"):
        if why is not None:
            waived = await stack.operate("post", f"{home}/{fee['id']}/waive", {"reason": why})
            assert (waived["state"], waived["waived_why"]) == ("waived", why)
        (account,) = (await read(customer.live, statement))["accounts"]
        assert account["uncharged"] == [
            {"item": "platform", "amount": "30.00", "note": fee["note"], "waived_why": why}
        ]
        assert (account["fees"], account["closing"]) == ("0.00", "1.00")
    assert (await read(stack.operator, home, state="open"))["data"] == []
    assert "first month free" in (await customer.live.get(f"{statement}.html")).text
    for path, code in ((f"{home}/fee_1/waive", 404), (f"{home}/{fee['id']}/waive", 422)):
        answer = await stack.operator.post(path, json={"reason": "x" if code == 404 else ""})
        assert answer.status_code == code, answer.text


@pytest.mark.parametrize(
    "bundle",
    [
        {},
        {"included": 0},
        {"included": -1},
        {"included": 1.5},
        {"included": "9" * 30},
        {"included": 10**12},
        {"included": 1, "counts": "calls"},
        {"included": 1, "channels": ["voice"]},
        {"included": 1, "free": True},
        {"included": 1, "countries": ["USA"]},
    ],
)
async def test_a_bundle_that_is_none_is_refused(stack, customer, bundle):
    """The plan stays as it was."""
    answer = await stack.operator.patch(f"/v1/admin/tenants/{customer.id}", json={"plan": {"bundle": bundle}})
    assert answer.status_code == 422, answer.text
    assert (await read(customer.live, "/v1/credits"))["bundle"] is None
