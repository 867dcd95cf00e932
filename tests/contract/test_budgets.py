"""Monthly budgets over the API: set by the operator, seen by the tenant, refused where wrong."""

import pytest


async def put(operator, path, *budgets):
    return await operator.put(path, json={"budgets": list(budgets)})


async def test_the_operator_sets_budgets_and_the_tenant_sees_them(customer, operator) -> None:
    """In the unit of the balance, with what is left and when the month ends."""
    path = f"/v1/admin/tenants/{customer.id}/budgets"
    answer = await put(
        operator, path, {"cap": "100.00"}, {"cap": "2.5", "country": "US"}, {"cap": "1", "type": "otp"}
    )
    assert answer.status_code == 200, answer.text
    shown = answer.json()["data"]
    assert [(each["name"], each["cap"], each["used"], each["left"], each["unit"]) for each in shown] == [
        ("all", "100.00", "0.00", "100.00", "usd"),
        ("country:US", "2.50", "0.00", "2.50", "usd"),
        ("type:otp", "1.00", "0.00", "1.00", "usd"),
    ]
    assert shown[0]["resets_at"].endswith("-01T00:00:00.000Z")
    assert (await customer.api.get("/v1/credits")).json()["budgets"] == shown
    assert (await operator.get(path)).json()["data"] == shown
    assert (await put(operator, path)).json()["data"] == []
    assert (await customer.api.get("/v1/credits")).json()["budgets"] == []


async def test_the_operators_own_budgets_are_nobody_elses(customer, operator) -> None:
    """They count AWS's charges over all tenants; no tenant sees them."""
    answer = await put(operator, "/v1/admin/budgets", {"cap": "5000"})
    assert answer.status_code == 200, answer.text
    assert [each["name"] for each in (await operator.get("/v1/admin/budgets")).json()["data"]] == ["all"]
    assert (await customer.api.get("/v1/credits")).json()["budgets"] == []
    await put(operator, "/v1/admin/budgets")


@pytest.mark.parametrize(
    ("budget", "field"),
    [
        ({"cap": "-1"}, "/budgets/0/cap"),
        ({"cap": "1.0000001"}, "/budgets/0/cap"),
        ({"cap": "99999999999"}, "/budgets/0/cap"),
        ({"cap": "ten"}, "/budgets/0/cap"),
        ({"cap": "1", "country": "QQ"}, "/budgets/0/country"),
        ({"cap": "1", "country": "US", "type": "otp"}, "/budgets/0"),
        ({"cap": "1", "account": "nobody"}, "/budgets/0/account"),
        ({"cap": "1", "account": "acc_01krzhxm2ee7wtkt1yb3n5cqhr"}, "/budgets/0/account"),
    ],
)
async def test_a_wrong_budget_is_refused_at_its_place(customer, operator, budget, field) -> None:
    """Nothing of the list is set."""
    path = f"/v1/admin/tenants/{customer.id}/budgets"
    answer = await put(operator, path, budget)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert (await operator.get(path)).json()["data"] == []
