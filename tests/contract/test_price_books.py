"""Price books over the API: dry run, import, comparison and drift."""

from decimal import Decimal
from uuid import uuid4

import pytest

from tests.harness.numbers import us_number

HEAD = "country,channel,sell_usd,cost_usd,credits\n*,sms,0.25,0.225,24\n"


@pytest.fixture
def path() -> str:
    """A book of its own for each test."""
    return f"/v1/admin/price-books/{uuid4().hex[:12]}"


async def test_a_dry_run_says_what_would_change_and_stores_nothing(operator, path) -> None:
    """The operator looks before it charges."""
    answer = await operator.post(f"{path}/import?dry_run=true", json={"csv": HEAD + "US,sms,0.01,0.005,1\n"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["added"], answer.json()["changed"], answer.json()["removed"]) == (2, 0, 0)
    assert (await operator.get(path)).status_code == 404


async def test_an_import_is_the_whole_book_and_again_changes_nothing(operator, path) -> None:
    """What a second file does not name ends."""
    first, second = HEAD + "US,sms,0.01,0.005,1\n", HEAD + "CA,sms,0.0100,0.005,1\n"
    assert (await operator.post(f"{path}/import", json={"csv": first})).json()["added"] == 2
    again = (await operator.post(f"{path}/import", json={"csv": first})).json()
    assert (again["added"], again["changed"], again["removed"], again["changes"]) == (0, 0, 0, [])
    changed = (await operator.post(f"{path}/import", json={"csv": second})).json()
    assert (changed["added"], changed["removed"]) == (1, 1)
    shown = (await operator.get(path)).json()["data"]
    assert [(row["line"]["country"], row["line"]["sell_usd"]) for row in shown] == [
        ("*", "0.25"),
        ("CA", "0.01"),
    ]
    names = {
        book["name"]: book["example"] for book in (await operator.get("/v1/admin/price-books")).json()["data"]
    }
    assert names[path.rsplit("/", 1)[1]] is False


async def test_a_file_with_past_prices_is_imported_at_the_newest_one(operator, path) -> None:
    """An operator keeps its history in the file; of each key one line holds now."""
    csv = "country,channel,sell_usd,cost_usd,credits,valid_from\n*,sms,0.25,0.225,24,\n"
    csv += "US,sms,0.01,0.005,1,2025-01-01\nUS,sms,0.02,0.005,1,2026-01-01\n"
    answer = await operator.post(f"{path}/import", json={"csv": csv})
    assert answer.status_code == 200, answer.text
    shown = (await operator.get(path)).json()["data"]
    assert [(row["line"]["sell_usd"], row["valid_to"]) for row in shown] == [("0.25", None), ("0.02", None)]
    assert (await operator.post(f"{path}/import", json={"csv": csv})).json()["changes"] == []


async def test_two_books_are_compared(operator, path) -> None:
    """What a tenant would pay otherwise."""
    other = path + "-b"
    await operator.post(f"{path}/import", json={"csv": HEAD + "US,sms,0.01,0.005,1\n"})
    await operator.post(f"{other}/import", json={"csv": HEAD + "US,sms,0.02,0.005,1\n"})
    answer = (await operator.get(f"{other}/diff", params={"against": path.rsplit("/", 1)[1]})).json()
    assert (answer["added"], answer["changed"], answer["removed"]) == (0, 1, 0)
    assert answer["changes"][0]["before"]["sell_usd"] == "0.01"
    assert answer["changes"][0]["after"][0]["line"]["sell_usd"] == "0.02"


async def test_a_faulty_file_is_refused_with_every_line(operator, path) -> None:
    """Problem+json, each fault at its place."""
    answer = await operator.post(f"{path}/import", json={"csv": HEAD + "QQ,sms,1,1,1\nUS,sms,-1,1,1\n"})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "/csv/line/3/country",
        "/csv/line/4/sell_usd",
    ]
    bad = await operator.post("/v1/admin/price-books/NO/import", json={"csv": HEAD})
    assert bad.status_code == 422


async def test_drift_is_empty_without_receipts_and_unknown_books_are_not_found(operator, path) -> None:
    """Absent is 404, not an empty report."""
    assert (await operator.get(f"{path}/drift")).status_code == 404
    await operator.post(f"{path}/import", json={"csv": HEAD})
    assert (await operator.get(f"{path}/drift")).json() == {"data": []}
    assert (await operator.get(f"{path}/drift?days=0")).status_code == 422


async def test_a_plan_names_a_book_that_is_there(operator, path) -> None:
    """Otherwise every send of the tenant would be refused for want of a price."""
    name = path.rsplit("/", 1)[1]
    new = {"name": "Acme", "slug": f"acme-{name}", "model": 2, "countries": ["US"]}
    refused = await operator.post("/v1/admin/tenants", json=new | {"plan": {"price_book": name}})
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"] == "/plan/price_book"
    tenant = (await operator.post("/v1/admin/tenants", json=new)).json()
    place, change = f"/v1/admin/tenants/{tenant['id']}", {"plan": {"price_book": name, "weight": 7}}
    refused = await operator.patch(place, json=change)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"] == "/plan/price_book"
    assert (await operator.get(place)).json()["plan"] == tenant["plan"], "refused as a whole"
    await operator.post(f"{path}/import", json={"csv": HEAD})
    taken = await operator.patch(place, json=change)
    assert (taken.status_code, taken.json()["plan"]["price_book"]) == (200, name)


async def test_drift_is_what_aws_charged_beside_the_book(stack, operator) -> None:
    """On real receipts: emulated carriers name their prices and fees, and the book says other ones."""
    name = uuid4().hex[:12]
    csv = HEAD + "US,sms,0.02,0.007,1\n"
    await operator.post(f"/v1/admin/price-books/{name}/import", json={"csv": csv})
    customer = await stack.customer(plan={"price_book": name})
    for _ in range(3):
        answer = await customer.send(to=us_number(), body="Your order is ready", type="transactional")
        assert answer.status_code == 202, answer.text
        assert (await customer.final(answer.json()["id"]))["status"] == "delivered"
    told = await stack.database.fetch(
        "SELECT message_id, max(price_micros) AS price, max(fee_micros) AS fee FROM receipts "
        "WHERE tenant_id = $1 GROUP BY message_id",
        customer.uuid,
    )
    actual = Decimal(sum(row["price"] + row["fee"] for row in told)) / 1_000_000
    assert len(told) == 3
    assert actual > 0
    (row,) = (await operator.get(f"/v1/admin/price-books/{name}/drift")).json()["data"]
    assert (row["country"], row["messages"], row["parts"]) == ("US", 3, 3)
    assert (Decimal(row["book_usd"]), Decimal(row["actual_usd"])) == (Decimal("0.021"), actual)
    assert row["drift_percent"] == pytest.approx(
        float((actual - Decimal("0.021")) / Decimal("0.021") * 100), abs=0.01
    )
    booked = await stack.database.fetchval(
        "SELECT sum(cogs)::bigint FROM ledger_transfers WHERE tenant_id = $1", customer.uuid
    )
    assert booked == actual * 1_000_000


async def test_a_line_for_a_type_of_sender_in_every_country_is_what_its_texts_cost(stack, operator) -> None:
    """A book that has it charged the line for all senders, and the operator paid the difference."""
    name = uuid4().hex[:12]
    head = "country,channel,sell_usd,cost_usd,credits,sender_type\n"
    csv = head + "*,sms,0.25,0.225,24,\n*,sms,0.03,0.007,2,TOLL_FREE\n"
    imported = await operator.post(f"/v1/admin/price-books/{name}/import", json={"csv": csv})
    assert imported.status_code == 200, imported.text
    customer = await stack.customer(plan={"price_book": name, "fees": {"carrier": "absorb"}})
    message = (await customer.send(to=us_number(), body="Your order is ready", type="transactional")).json()
    assert message["price"]["estimated"] == "0.03"
    assert (await customer.final(message["id"]))["price"]["final"] == "0.03"


@pytest.mark.parametrize(("key", "field"), [("*,sms", "/csv/line/2"), ("US,sms", "/csv/line/3")])
async def test_a_file_that_ends_what_holds_before_the_next_begins_is_refused(
    operator, path, key, field
) -> None:
    """Until then nothing would be sold, or a country at the price for all; a rise names both prices."""
    head = "country,channel,sell_usd,cost_usd,credits,valid_from\n"
    now = {"*,sms": f"{head}*,sms,0.25,0.225,24,\n", "US,sms": "US,sms,0.01,0.005,1,\n"}
    assert (await operator.post(f"{path}/import", json={"csv": "".join(now.values())})).status_code == 200
    to_come = now[key].replace(",\n", ",2999-01-01\n")
    csv = "".join((now | {key: to_come}).values())
    for dry_run in ("true", "false"):
        refused = await operator.post(f"{path}/import", json={"csv": csv}, params={"dry_run": dry_run})
        assert refused.status_code == 422, refused.text
        (fault,) = refused.json()["errors"]
        assert (fault["field"], fault["code"]) == (f"{field}/valid_from", "gap")
    shown = (await operator.get(path)).json()["data"]
    assert [row["valid_to"] for row in shown] == [None, None]
    both = "".join(now.values()) + to_come.removeprefix(head)
    assert (await operator.post(f"{path}/import", json={"csv": both})).json()["changed"] == 1


async def test_a_price_to_come_that_is_taken_away_is_named(operator, path) -> None:
    """It was counted as removed, and nobody could see what was."""
    head = "country,channel,sell_usd,cost_usd,credits,valid_from\n*,sms,0.25,0.225,24,\n"
    await operator.post(f"{path}/import", json={"csv": head + "US,sms,0.01,0.005,1,2999-01-01\n"})
    (change,) = (await operator.post(f"{path}/import", json={"csv": head})).json()["changes"]
    assert (change["change"], change["after"]) == ("removed", [])
    assert (change["before"]["country"], change["before"]["sell_usd"]) == ("US", "0.01")


async def test_a_new_book_is_sold_by_from_the_first_text(stack, operator) -> None:
    """The prices in memory are seconds old, and a tenant that was just made was told to send no more."""
    for _ in range(2):
        name = uuid4().hex[:12]
        await operator.post(f"/v1/admin/price-books/{name}/import", json={"csv": HEAD})
        customer = await stack.customer(plan={"price_book": name})
        answer = await customer.send(to=us_number(), body="Hello")
        assert answer.status_code == 202, answer.text
        assert answer.json()["price"]["estimated"] == "0.25"
