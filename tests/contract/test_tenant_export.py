"""A hand-over holds all of one tenant, opened, and nothing of anybody else."""

import io
import json
import zipfile

import pytest
from sqlalchemy import LargeBinary

from gateway.db.transaction import worker_transaction
from gateway.insight import handover_rows, handover_tables
from gateway.messages.models import StoredReceipt
from tenants.accounts.sealing import DataKey
from tenants.credits.models import Transfer
from tenants.ids import created_at, encode, new_uuid
from tenants.tables import Base
from tests.harness.receipts import event
from tests.harness.stored import put

MINE, THEIRS = "+12065550171", "+12065550182"


async def exported(operator, customer) -> dict[str, list]:
    """The files of a hand-over by name; the manifest is a list of one."""
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/export")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {
            name.partition(".")[0]: [json.loads(line) for line in text.splitlines()]
            if name.endswith(".jsonl")
            else [json.loads(text)]
            for name in archive.namelist()
            for text in [archive.read(name).decode()]
        }


async def furnish(world, owner, number: str) -> list[str]:
    """Give a tenant some of everything that holds a number; returns its messages' ids."""
    ids = [encode("msg", await put(world, owner, to=number, test=test)) for test in (False, True, False)]
    for method, path, body in (
        ("PUT", f"/v1/opt-outs/{number}", None),
        ("POST", "/v1/webhook-endpoints", {"url": "https://a.example/"}),
        ("POST", "/v1/templates", {"name": "a", "body": f"of {owner.slug} {{c}}", "type": "otp"}),
    ):
        answer = await owner.api.request(method, path, json=body)
        assert answer.status_code in {200, 201}, answer.text
    return ids


async def test_a_hand_over_is_whole_opened_and_of_one_tenant(
    customer, stranger, world, operator, monkeypatch
) -> None:
    """Over many pages; the neighbour's number, name and ids occur nowhere, and no secret does."""
    monkeypatch.setattr(handover_tables, "_USUAL", 2)
    ids = await furnish(world, customer, MINE)
    await furnish(world, stranger, THEIRS)
    files = await exported(operator, customer)
    assert [row["id"] for row in files["messages"]] == ids
    assert {(row["to"], row["body"]) for row in files["messages"]} == {(MINE, "your code is 1234")}
    assert [row["number"] for row in files["opt_outs"] + files["opt_out_changes"]] == [MINE, MINE]
    assert [row["slug"] for row in files["tenants"]] == [customer.slug]
    assert len(files["webhook_endpoints"]) == len(files["templates"]) == len(files["api_keys"]) == 1
    assert "tenant.exported" in {row["action"] for row in files["audit_rows"]}
    (manifest,) = files.pop("manifest")
    assert manifest["rows"] == {name: len(rows) for name, rows in files.items()}
    assert (manifest["tenant"], len(manifest["schema_revision"])) == (customer.id, 4)
    text = json.dumps(files)
    for foreign in (THEIRS, stranger.slug, stranger.id):
        assert foreign not in text
    for secret in ("secret", "recipient_hash", "data_key", "cogs", "cost_micros", customer.key):
        assert f'"{secret}' not in text


async def test_a_value_that_does_not_open_is_named_and_the_rest_handed_over(
    customer, world, operator, database
) -> None:
    """One damaged row of millions must not keep a tenant from its data for good."""
    whole, damaged = [await put(world, customer, to=MINE) for _ in range(2)]
    await database.execute(
        "UPDATE messages SET to_sealed = set_byte(to_sealed, 20, get_byte(to_sealed, 20) # 1) WHERE id = $1",
        damaged,
    )
    files = await exported(operator, customer)
    found = {row["id"]: (row["to"], row["body"], row.get("unopened")) for row in files["messages"]}
    assert found == {
        encode("msg", whole): (MINE, "your code is 1234", None),
        encode("msg", damaged): (None, "your code is 1234", ["to"]),
    }
    assert "manifest" in files


async def test_what_aws_charged_is_the_operators_to_know(customer, world, operator) -> None:
    """AWS names its price in its events; a tenant reads them without it, in the history and handed over."""
    message_id = await put(world, customer, status="delivered")
    told = event("DELIVERED", message_id=message_id, price=0.00581)
    stored = StoredReceipt(
        tenant_id=customer.scope.tenant_id,
        message_id=message_id,
        message_at=created_at(message_id),
        event_key=b"one",
        event_type="TEXT_DELIVERED",
        event_at=created_at(message_id),
        detail=told,
    )
    async with worker_transaction(world.services.operator_engine) as session:
        session.add(stored)
    answer = await customer.api.get(f"/v1/messages/{encode('msg', message_id)}/events")
    (read,) = answer.json()["data"]
    (handed,) = (await exported(operator, customer))["receipts"]
    assert told.keys() - read["detail"].keys() == {"totalMessagePrice", "totalCarrierFee"}
    assert handed["detail"] == read["detail"]


async def test_how_the_operator_makes_its_prices_is_the_operators_to_know(customer, world, operator) -> None:
    """Margin, book and fees are its calculation; what it books for AWS is no movement of the tenant's."""
    plan = {"margin_percent": 12.5, "price_book": "default", "fees": {"lease": "mark_up"}, "ttl_seconds": 60}
    answer = await operator.patch(f"/v1/admin/tenants/{customer.id}", json={"plan": plan})
    assert answer.status_code == 200, answer.text
    message_id = await put(world, customer, status="delivered")
    cost = Transfer(
        tenant_id=customer.scope.tenant_id,
        id=new_uuid(),
        subject_id=message_id,
        subject_at=created_at(message_id),
        kind="cost",
        unit="micros",
        cogs=5810,
        payable=-5810,
    )
    async with worker_transaction(world.services.operator_engine) as session:
        session.add(cost)
    files = await exported(operator, customer)
    (row,) = files["tenants"]
    assert not {"margin_percent", "price_book", "fees"} & row["plan"].keys()
    assert row["plan"]["ttl_seconds"] == 60
    assert "cost" not in {each["kind"] for each in files["ledger_transfers"]}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("mps_increases", {"note": "dear customer, be quick", "case_id": "4711"}),
        ("registrations", {"number_price": "2.00"}),
    ],
)
def test_what_the_operator_noted_or_pays_is_not_handed_over(table, columns) -> None:
    """The rest of the row is."""
    written = handover_rows.line_of(table, {"country": "US", **columns}, DataKey(bytes(32)))
    assert json.loads(written) == {"country": "US"}


async def test_a_hand_over_of_nobody_is_refused(operator, customer, nobody) -> None:
    """Unknown and impossible ids, a tenant's own key and no key at all."""
    unknown = "ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G"
    for tenant in (unknown, "ten_x", "%00"):
        assert (await operator.post(f"/v1/admin/tenants/{tenant}/export")).status_code == 404
    for client in (customer.api, nobody):
        assert (await client.post(f"/v1/admin/tenants/{customer.id}/export")).status_code == 401


def test_every_table_of_tenants_is_handed_over_or_left_out_for_a_reason() -> None:
    """A table that is added has to be put into one of the lists, and not into both."""
    owned = {name for name, table in Base.metadata.tables.items() if "tenant_id" in table.columns}
    exported_, left_out = set(handover_tables.EXPORTED), set(handover_tables.LEFT_OUT)
    assert owned | {"tenants"} <= exported_ | left_out
    assert not exported_ & left_out


def test_every_sealed_number_and_text_of_a_handed_over_table_is_opened() -> None:
    """What is left sealed is a secret, a digest, or what the tenant's own server answered."""
    sealed = {
        (table, column.name)
        for table in handover_tables.EXPORTED
        for column in Base.metadata.tables[table].columns
        if isinstance(column.type, LargeBinary) and "hash" not in column.name
    }
    assert sealed - handover_rows.OPENED.keys() == {
        ("tenants", "data_key"),
        ("receipts", "event_key"),
        ("media", "sha256"),
        ("registration_attachments", "sha256"),
        ("webhook_endpoints", "secret_sealed"),
        ("webhook_endpoints", "old_secret_sealed"),
        ("webhook_attempts", "response_sealed"),
    }
