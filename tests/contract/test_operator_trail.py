"""What the operator does to no single tenant stands in `/v1/admin/audit`."""

from uuid import uuid4

import pytest

BOOK = "country,channel,sell_usd,cost_usd,credits\n*,sms,0.25,0.225,24\n"


@pytest.fixture
async def account(operator):
    """An AWS account of its own."""
    made = await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "us-east-1"})
    assert made.status_code == 200, made.text
    return made.json()["id"]


async def trail(operator):
    """The newest rows, without the looks at messages."""
    rows = (await operator.get("/v1/admin/audit", params={"limit": 20})).json()["data"]
    return [(row["actor"], row["action"], row["subject"], row["detail"]) for row in rows]


@pytest.mark.parametrize("move", ["disable", "enable"])
async def test_the_reason_for_which_a_route_was_moved_is_kept(operator, account, move) -> None:
    """The document promises it, and whoever finds a route out of use at night has to learn why."""
    answer = await operator.post(f"/v1/admin/routes/{account}/{move}", json={"reason": "case 17"})
    assert answer.status_code == 200, answer.text
    assert (await trail(operator))[0] == ("operator", f"route.{move}d", account, {"reason": "case 17"})


async def test_an_accounts_change_names_its_fields_and_not_what_they_hold(operator, account) -> None:
    """An external id is as good as a secret."""
    name = uuid4().hex
    body = {
        "region": "eu-west-1",
        "role_arn": "arn:aws:iam::123456789012:role/tollgate",
        "external_id": "x-1",
    }
    made = (await operator.put(f"/v1/admin/aws-accounts/{name}", json=body)).json()
    detail = {"name": name, "fields": ["region", "role_arn", "external_id"]}
    assert (await trail(operator))[0] == ("operator", "aws_account.put", made["id"], detail)


async def test_a_firehose_key_is_written_down_when_made_and_when_revoked(operator, account) -> None:
    """It lets receipts in, which move money."""
    made = (await operator.post("/v1/admin/firehose-keys", json={"account": account})).json()
    await operator.delete(f"/v1/admin/firehose-keys/{made['id']}")
    assert (await trail(operator))[:2] == [
        ("operator", "firehose_key.revoked", made["id"], {}),
        ("operator", "firehose_key.created", made["id"], {"account": account}),
    ]


async def test_a_queue_is_written_down_when_added_and_when_removed(operator, account) -> None:
    """Without it receipts come in no more."""
    body = {"account": account, "url": f"https://sqs.us-east-1.amazonaws.com/123456789012/{uuid4().hex}"}
    made = (await operator.post("/v1/admin/receipt-queues", json=body)).json()
    await operator.delete(f"/v1/admin/receipt-queues/{made['id']}")
    assert (await trail(operator))[:2] == [
        ("operator", "receipt_queue.removed", made["id"], {}),
        ("operator", "receipt_queue.put", made["id"], {"account": account}),
    ]


async def test_an_import_of_prices_is_written_down_and_a_dry_run_is_not(operator) -> None:
    """It changes what every tenant of the book pays."""
    name = uuid4().hex[:12]
    book = f"/v1/admin/price-books/{name}/import"
    for dry_run in ("false", "true"):
        answer = await operator.post(book, json={"csv": BOOK}, params={"dry_run": dry_run})
        assert answer.status_code == 200, answer.text
    detail = {"added": 1, "changed": 0, "removed": 0}
    rows = [row for row in await trail(operator) if row[2] == name]
    assert rows == [("operator", "price_book.imported", name, detail)]


async def test_rules_for_every_tenant_are_written_down(operator) -> None:
    """A country that is blocked for all is blocked by somebody."""
    name = uuid4().hex
    made = (await operator.post("/v1/admin/protect", json={"name": name})).json()["id"]
    rules = await operator.put(f"/v1/admin/protect/{made}/country-rules", json={"rules": {"AD": "BLOCK"}})
    assert rules.status_code == 200, rules.text
    assert (await trail(operator))[:2] == [
        ("operator", "protect.country_rules", made, {"channel": "sms", "rules": {"AD": "BLOCK"}}),
        ("operator", "protect_configuration.created", made, {"name": name}),
    ]


async def test_a_platforms_secret_is_written_down_and_never_said(operator) -> None:
    """Who can post customers in was let in by somebody."""
    made = (await operator.post("/v1/admin/intakes", json={"name": uuid4().hex, "model": 3})).json()
    await operator.post(f"/v1/admin/intakes/{made['id']}/rotate-secret")
    await operator.delete(f"/v1/admin/intakes/{made['id']}")
    actions = [action for _, action, subject, _ in await trail(operator) if subject == made["id"]]
    assert actions == ["intake.disabled", "intake.secret_rotated", "intake.created"]
    assert "whsec" not in str(await trail(operator))


async def test_a_repeated_post_leaves_one_line(operator, account) -> None:
    """One line says that the account was made, and one that its route was disabled."""
    for _ in range(2):
        again = {"Idempotency-Key": f"route-{account}"}
        await operator.post(f"/v1/admin/routes/{account}/disable", json={"reason": "r"}, headers=again)
    assert [row[2] for row in await trail(operator)].count(account) == 2


async def test_the_operators_own_budgets_are_written_down_where_they_change(operator) -> None:
    """They stop the sends of every tenant, and let AWS's bill grow where they go."""
    own = "/v1/admin/budgets"
    try:
        for _ in range(2):
            answer = await operator.put(
                own, json={"budgets": [{"cap": "5000"}, {"cap": "70", "country": "US"}]}
            )
            assert answer.status_code == 200, answer.text
    finally:
        assert (await operator.put(own, json={"budgets": []})).status_code == 200
    rows = [row for row in await trail(operator) if row[1] == "budgets.set"]
    caps = {"all": 5_000_000_000, "country:US": 70_000_000}
    assert rows == [
        ("operator", "budgets.set", "budgets", {"caps": {}}),
        ("operator", "budgets.set", "budgets", {"caps": caps}),
    ]
