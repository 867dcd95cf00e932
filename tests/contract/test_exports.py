"""Exports and support cases: whole, safe in a spreadsheet, one's own, and audited where the operator asks."""

import csv
import io
from datetime import timedelta

import pytest
from arro3.io import read_parquet

from gateway.clock import SystemClock
from gateway.insight import exporting
from gateway.insight.evidence import sample_size
from tenants.ids import encode
from tests.harness.stored import NUMBER, put

HOUR = timedelta(hours=1)


def since(back: timedelta = HOUR) -> str:
    """An instant in the past as the wire writes it."""
    return (SystemClock().now() - back).isoformat()


def rows_of(text: str) -> list[dict[str, str]]:
    """A CSV file as dictionaries."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def exported(client, path="/v1/exports/messages", **params) -> list:
    """The rows of a CSV export of the last hour."""
    answer = await client.get(path, params={"created_after": since()} | params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return rows_of(answer.text)


async def test_an_export_has_every_message_once_over_many_batches(customer, world, monkeypatch) -> None:
    """Batches are joined without a gap or an overlap, in both forms."""
    monkeypatch.setattr(exporting, "BATCH", 3)
    ids = [encode("msg", await put(world, customer)) for _ in range(10)]
    assert [row["id"] for row in await exported(customer.api)] == ids[::-1]
    answer = await customer.api.get(
        "/v1/exports/messages", params={"created_after": since(), "format": "parquet"}
    )
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = read_parquet(io.BytesIO(answer.content)).read_all()
    assert table.column("id").to_pylist() == ids[::-1]
    assert set(table.column("to").to_pylist()) == {NUMBER}


async def test_an_export_takes_the_conditions_of_a_search(customer, stranger, world) -> None:
    """And holds nobody else's messages, nor those of the other mode."""
    await put(world, stranger, country="CA")
    await put(world, customer, country="US")
    await put(world, customer, country="CA", test=True)
    wanted = encode("msg", await put(world, customer, country="CA"))
    assert [row["id"] for row in await exported(customer.api, country="CA")] == [wanted]


@pytest.mark.parametrize("payload", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1"])
async def test_a_cell_is_no_formula(customer, world, payload) -> None:
    """Whatever a client called its message, a spreadsheet shows it; a whole number stays a number."""
    await put(world, customer, client_reference=payload)
    (row,) = await exported(customer.api)
    assert row["client_reference"] == f"'{payload}"
    assert row["to"] == NUMBER


async def test_events_are_exported_as_they_were_told(customer, stranger, world, database) -> None:
    """The oldest first, of messages of the key's mode."""
    message = await put(world, customer)
    hidden = await put(world, customer, test=True)
    foreign = await put(world, stranger)
    for owner, about in ((customer, message), (customer, hidden), (stranger, foreign)):
        await database.execute(
            "INSERT INTO events (id, tenant_id, created_at, type, message_id, data)"
            " VALUES (tollgate_uuid7(), $1, now() - interval '1 minute', 'message.sent', $2, '{\"a\": 1}')",
            owner.scope.tenant_id,
            about,
        )
    rows = await exported(customer.api, "/v1/exports/events")
    assert [(row["type"], row["message_id"], row["data"]) for row in rows] == [
        ("message.sent", encode("msg", message), '{"a":1}')
    ]


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_a_recipient_that_does_not_open_is_left_empty(
    customer, operator, world, database, form
) -> None:
    """One damaged row of millions must not keep a tenant from all the others."""
    ids = [await put(world, customer) for _ in range(3)]
    await database.execute(
        "UPDATE messages SET to_sealed = set_byte(to_sealed, 20, get_byte(to_sealed, 20) # 1) WHERE id = $1",
        ids[1],
    )
    params = {"created_after": since(), "format": form}
    answer = await customer.api.get("/v1/exports/messages", params=params)
    if form == "csv":
        found = [row["to"] for row in rows_of(answer.text)]
    else:
        found = read_parquet(io.BytesIO(answer.content)).read_all().column("to").to_pylist()
    assert found == [NUMBER, "", NUMBER]
    listed = await operator.get("/v1/admin/messages", params={"tenant": customer.id, "numbers": "full"})
    assert [row["to"] for row in listed.json()["data"]] == [NUMBER, "", NUMBER]


async def test_an_export_has_a_bounded_span(customer) -> None:
    """No beginning, too long, or the wrong way round."""
    for params in (
        {},
        {"created_after": since(timedelta(days=93))},
        {"created_after": since(), "created_before": since(2 * HOUR)},
    ):
        answer = await customer.api.get("/v1/exports/messages", params=params)
        assert answer.status_code == 422, params
        assert answer.json()["errors"][0]["field"] == "?created_after"


async def test_the_operator_exports_over_tenants_with_masks_and_a_trace(
    customer, stranger, operator, world
) -> None:
    """Numbers are whole only where that was asked for, and the trail says so."""
    await put(world, customer, client_reference="shared-ref")
    await put(world, stranger, client_reference="shared-ref")
    rows = await exported(operator, "/v1/admin/exports/messages", client_reference="shared-ref")
    assert {row["tenant_id"] for row in rows} == {customer.id, stranger.id}
    assert {row["to"] for row in rows} == {"'+120******23"}
    (row,) = await exported(operator, "/v1/admin/exports/messages", tenant=customer.id, numbers="full")
    assert row["to"] == NUMBER
    trail = (await customer.api.get("/v1/audit")).json()["data"][0]
    assert (trail["action"], trail["detail"]["numbers"]) == ("messages.exported", "full")
    assert (await customer.api.get("/v1/admin/exports/messages")).status_code == 401


async def fail(world, customer, times: int, **more) -> None:
    """Messages that AWS took and that did not arrive."""
    now = SystemClock().now()
    for number in range(times):
        at = now - timedelta(minutes=2 * number + 1)
        await put(
            world, customer, at=at, dispatched_at=at, final_at=at, status="undelivered", reason_code="spam",
            reason_detail="judged unsolicited", provider_status="SPAM", provider_message_id=f"aws-{number}",
            **more,
        )  # fmt: skip


async def test_a_case_says_what_carriers_ask(customer, stranger, world) -> None:
    """How many, since when, with whom, and examples of every carrier concerned."""
    await fail(world, customer, 30, carrier="Big Mobile", mcc="310", mnc="260")
    await fail(world, customer, 2, carrier="Small Mobile", feedback="failed")
    await fail(world, stranger, 3, carrier="Big Mobile")
    now = SystemClock().now()
    for _ in range(8):
        await put(world, customer, status="delivered", dispatched_at=now, provider_message_id="ok")
    case = (await customer.api.get("/v1/insight/evidence", params={"country": "US"})).json()
    assert (case["messages"], case["in_trouble"], case["delivered"]) == (40, 32, 8)
    assert (case["delivery_rate"], case["feedback_failed"]) == (0.2, 2)
    assert {(row["carrier"], row["in_trouble"]) for row in case["carriers"]} >= {
        ("Big Mobile", 30),
        ("Small Mobile", 2),
    }
    assert case["statuses"][0]["provider_status"] == "SPAM"
    assert sum(row["messages"] for row in case["pattern"]) == 40
    examples = case["examples"]
    assert sample_size(32) <= len(examples) <= sample_size(32) + 2
    assert {row["carrier"] for row in examples} == {"Big Mobile", "Small Mobile"}
    assert {row["destination"] for row in examples} == {"+120******23"}
    assert all(row["message_id"].startswith("aws-") and row["status"] == "SPAM" for row in examples)
    assert case["began_at"] is not None


async def test_the_examples_are_a_file_with_full_numbers_where_the_key_may(
    customer, world, make_key, operator
) -> None:
    """Carriers need the numbers; a key for figures alone does not show them."""
    await fail(world, customer, 3, carrier="Big Mobile")
    path = "/v1/insight/evidence"
    answer = await customer.api.get(path, params={"format": "csv", "numbers": "full"})
    assert [row["destination"] for row in rows_of(answer.text)] == [NUMBER] * 3
    narrow = await make_key(customer.id, "insight")
    async with world.client(narrow) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.get(path, params={"numbers": "full"})).status_code == 403
        assert (await client.get("/v1/exports/messages")).status_code == 403
    made = await operator.get(f"/v1/admin/tenants/{customer.id}/evidence", params={"numbers": "full"})
    assert len(made.json()["examples"]) == 3
    trail = (await customer.api.get("/v1/audit")).json()["data"][0]
    assert (trail["action"], trail["detail"]["numbers"]) == ("evidence.made", "full")


async def test_nothing_older_than_two_days_is_in_a_case(customer, world) -> None:
    """Carriers refuse it."""
    now = SystemClock().now()
    await put(world, customer, at=now - timedelta(hours=49), status="undelivered", provider_message_id="old")
    case = (await customer.api.get("/v1/insight/evidence")).json()
    assert (case["messages"], case["examples"]) == (0, [])


@pytest.mark.parametrize(
    ("in_trouble", "wanted"),
    [(0, 0), (3, 3), (10, 10), (100, 10), (1_000, 32), (5_000, 71), (1_000_000, 100)],
)
def test_examples_grow_with_the_damage(in_trouble, wanted) -> None:
    """Dozens for thousands of failures."""
    assert sample_size(in_trouble) == wanted
