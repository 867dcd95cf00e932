"""`/v1/admin`: tenants from the first day to the last, provisioning, routes."""

from uuid import uuid4

import pytest

from gateway.carrier.provision_ports import ProvisionRefused


async def test_a_tenant_is_created_active_and_not_live(customer, operator) -> None:
    """Going live is a decision of its own."""
    tenant = (await operator.get(f"/v1/admin/tenants/{customer.id}")).json()
    assert (tenant["state"], tenant["live"], tenant["model"], tenant["countries"]) == (
        "active",
        False,
        2,
        ["US"],
    )
    assert tenant["plan"]["pricing"] == "dollars"


async def test_a_slug_is_taken_once(customer, operator) -> None:
    """It is part of names at AWS."""
    body = {"name": "Other", "slug": customer.slug, "model": 1, "countries": []}
    answer = await operator.post("/v1/admin/tenants", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": 7}, "/model"),
        ({"model": 10**12}, "/model"),
        ({"slug": "A"}, "/slug"),
        ({"name": " "}, "/name"),
        ({"countries": ["USA"]}, "/countries/0"),
        ({"plan": {"burts": "queue"}}, "/plan/burts"),
        ({"plan": {"country_mps": {"US": 0}}}, "/plan/country_mps"),
        ({"plan": {"country_mps": {"US": 1e-320}}}, "/plan/country_mps/US"),
        ({"plan": {"requests_per_second": 1e-320}}, "/plan/requests_per_second"),
        ({"state": "active"}, "/state"),
    ],
)
async def test_a_wrong_tenant_is_refused_with_the_field(operator, change, field) -> None:
    """Nothing is stored; a state cannot be assigned."""
    body = {"name": "Acme", "slug": uuid4().hex[:20], "model": 2, "countries": ["US"]} | change
    answer = await operator.post("/v1/admin/tenants", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_patch_changes_what_it_names_and_is_projected(customer, operator, world) -> None:
    """Admission learns of it in the same request; the policy version grows."""
    path = f"/v1/admin/tenants/{customer.id}"
    before = (await operator.get(path)).json()
    body = {"plan": {"country_mps": {"US": 5}}, "countries": ["US", "CA"], "model": 3, "live": True}
    after = (await operator.patch(path, json=body)).json()
    assert after["plan"] == before["plan"] | {"country_mps": {"US": 5.0}}
    assert (after["countries"], after["model"], after["live"]) == (["CA", "US"], 3, True)
    assert after["policy_version"] > before["policy_version"]
    assert world.projection.policies == [customer.scope.tenant_id]


async def test_a_patch_that_fails_in_part_changes_nothing(customer, operator) -> None:
    """All or nothing, in one transaction."""
    path = f"/v1/admin/tenants/{customer.id}"
    answer = await operator.patch(path, json={"model": 3, "plan": {"weight": 0}})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/plan")
    assert (await operator.get(path)).json()["model"] == 2


async def test_a_tenant_is_suspended_resumed_and_closed_for_good(customer, operator) -> None:
    """Repeating a move is no error; leaving the last state is."""
    path = f"/v1/admin/tenants/{customer.id}"
    for move, state in (
        ("suspend", "suspended"),
        ("suspend", "suspended"),
        ("resume", "active"),
        ("close", "closed"),
    ):
        answer = await operator.post(f"{path}/{move}")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    refused = await operator.post(f"{path}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "tenant_closed")
    actions = [row["action"] for row in (await operator.get(f"{path}/audit")).json()["data"]]
    assert actions.count("tenant.state_changed") == 3


@pytest.mark.parametrize("move", ["", "/credits", "/credits/ledger", "/api-keys", "/audit", "/senders"])
async def test_an_unknown_tenant_is_a_404_everywhere(operator, move) -> None:
    """Also below it."""
    answer = await operator.get(f"/v1/admin/tenants/ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G{move}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_provisioning_hands_the_wish_on_and_shows_what_is_there(customer, operator, world) -> None:
    """The body may be left out; the policy is projected afterwards."""
    path = f"/v1/admin/tenants/{customer.id}/provision"
    answer = await operator.post(path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == ["arn:aws:sms-voice:us-east-1:1:pool/1"]
    wish = {"senders": [{"country": "US", "type": "TEN_DLC"}], "dedicated_pool": False}
    await operator.post(path, json=wish)
    assert world.provisioner.requests[1].senders[0].country == "US"
    assert world.provisioner.requests[1].dedicated_pool is False
    assert customer.scope.tenant_id in world.projection.policies


async def test_what_aws_refuses_is_a_409_that_says_what(customer, operator, world) -> None:
    """The operator acts on AWS's own words."""
    world.provisioner.refusal = ProvisionRefused(detail="the account has its 25 pools; raise the quota")
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/provision")
    assert (answer.status_code, answer.json()["code"]) == (409, "provision_refused")
    assert "25 pools" in answer.json()["detail"]


async def test_an_aws_account_is_put_by_name(operator) -> None:
    """Putting it again changes it."""
    path = f"/v1/admin/aws-accounts/{uuid4().hex}"
    first = (await operator.put(path, json={"region": "us-east-1"})).json()
    second = (await operator.put(path, json={"region": "us-east-1", "sends_per_second": 20})).json()
    assert first["id"] == second["id"]
    assert second["sends_per_second"] == 20
    assert second in (await operator.get("/v1/admin/aws-accounts")).json()["data"]


@pytest.mark.parametrize("rate", [0, 1e-320, 1e300])
@pytest.mark.parametrize("field", ["sends_per_second", "media_per_second", "voice_per_second"])
async def test_an_aws_account_s_rate_beyond_the_rule_is_refused_with_the_field(operator, field, rate) -> None:
    """Every dispatcher of the account paces its calls by it."""
    path = f"/v1/admin/aws-accounts/{uuid4().hex}"
    answer = await operator.put(path, json={"region": "us-east-1", field: rate})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/{field}"), answer.text


@pytest.mark.parametrize("rate", [0, 1e-320, 1e300])
async def test_a_new_sender_s_rate_beyond_the_rule_is_refused_with_the_field(
    customer, operator, rate
) -> None:
    """Whether it is added as it stands at AWS or made there."""
    wish = {"country": "US", "type": "TOLL_FREE", "parts_per_second": rate}
    made = await operator.post(f"/v1/admin/tenants/{customer.id}/provision", json={"senders": [wish]})
    known = wish | {"account": "acc_1", "value": "+12065550100", "arn": "arn"}
    added = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=known)
    assert (made.status_code, added.status_code) == (422, 422)
    fields = [each.json()["errors"][0]["field"] for each in (made, added)]
    assert fields == ["/senders/0/parts_per_second", "/parts_per_second"]


async def test_the_summary_counts(customer, operator) -> None:
    """One look at the whole gateway."""
    summary = (await operator.get("/v1/admin/metrics/summary")).json()
    assert summary["tenants"]["active"] >= 1
    assert summary["webhook_deliveries_pending"] >= 0


async def test_a_plan_is_read_and_changed_by_itself(operator, customer) -> None:
    """As with the tenant around it; fields are named from the plan's own root."""
    path = f"/v1/admin/tenants/{customer.id}/plan"
    before = (await operator.get(path)).json()
    changed = await operator.patch(path, json={"country_mps": {"US": 5}})
    assert changed.json() == before | {"country_mps": {"US": 5.0}}
    tenant = (await operator.get(f"/v1/admin/tenants/{customer.id}")).json()
    assert tenant["plan"] == changed.json() == (await operator.get(path)).json()
    wrong = await operator.patch(path, json={"country_mps": {"US": 1e-320}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/country_mps/US")
    nobody = await operator.get("/v1/admin/tenants/ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G/plan")
    assert nobody.status_code == 404
