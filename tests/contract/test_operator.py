"""`/v1/admin`: tenants from the first day to the last, provisioning, routes."""

from uuid import uuid4

import pytest

from gateway.carrier.provision.ports import ProvisionRefused
from tenants.ids import new_uuid


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


async def test_what_becomes_of_an_intake_is_in_the_operators_own_trail(operator) -> None:
    """A platform's secret lets it make tenants: who let it in, and when, has to be told."""
    body = {"name": f"Shop {uuid4().hex}", "model": 3}
    made = (await operator.post("/v1/admin/intakes", json=body)).json()
    await operator.post(f"/v1/admin/intakes/{made['id']}/rotate-secret")
    for _ in range(2):
        await operator.delete(f"/v1/admin/intakes/{made['id']}")
    rows = (await operator.get("/v1/admin/audit")).json()["data"]
    own = [(row["action"], row["actor"], row["detail"]) for row in rows if row["subject"] == made["id"]]
    assert own == [
        ("intake.disabled", "operator", {}),
        ("intake.secret_rotated", "operator", {}),
        ("intake.created", "operator", body),
    ]
    assert made["secret"] not in str(rows)


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
        ({"plan": {"country_mps": {"US": 0}}}, "/plan/country_mps/US"),
        ({"plan": {"country_mps": {"US": 1e-320}}}, "/plan/country_mps/US"),
        ({"plan": {"country_mps": {"XX": 1}}}, "/plan/country_mps/XX"),
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


async def test_a_patch_of_one_country_keeps_the_rates_of_the_others(customer, operator) -> None:
    """As the command's own example does it; null removes a country."""
    path = f"/v1/admin/tenants/{customer.id}"
    first = {"country_mps": {"US": 5, "DE": 1}, "rollout": {"US": {"daily_cap": 9}}}
    await operator.patch(path, json={"plan": first})
    body = {"plan": {"country_mps": {"FR": 10, "DE": None}, "rollout": {"DE": {"phase": "test"}}}}
    plan = (await operator.patch(path, json=body)).json()["plan"]
    assert plan["country_mps"] == {"US": 5.0, "FR": 10.0}
    assert {country: each["phase"] for country, each in plan["rollout"].items()} == {
        "US": "live",
        "DE": "test",
    }


async def test_a_default_sender_has_to_be_there(customer, operator) -> None:
    """A name that means nothing would be forgotten with every send, and nobody would hear of it."""
    path = f"/v1/admin/tenants/{customer.id}"
    for named in ("ACMEBANK", "+12065550100", "pool_01jzzzzzzzzzzzzzzzzzzzzzzz"):
        answer = await operator.patch(path, json={"plan": {"default_from": named}})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/plan/default_from")
    assert (await operator.patch(path, json={"plan": {"default_from": None}})).status_code == 200


async def test_a_patch_that_fails_in_part_changes_nothing(customer, operator) -> None:
    """All or nothing, in one transaction."""
    path = f"/v1/admin/tenants/{customer.id}"
    answer = await operator.patch(path, json={"model": 3, "plan": {"weight": 0}})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/plan/weight")
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


async def test_a_resume_makes_due_what_the_suspension_kept_back(customer, operator, database) -> None:
    """And nothing else that waits: what rests for another reason rests on."""
    ids = {waits_for: new_uuid() for waits_for in ("tenant_suspended", "quiet_hours")}
    for waits_for, message_id in ids.items():
        await database.execute(
            "INSERT INTO dispatch_queue (message_id, tenant_id, route, state, due_at, lane, waits_for)"
            " VALUES ($1, $2, 'rests', 'scheduled', now() + interval '1 hour', '{}', $3)",
            message_id,
            customer.scope.tenant_id,
            waits_for,
        )
    for move in ("suspend", "resume"):
        assert (await operator.post(f"/v1/admin/tenants/{customer.id}/{move}")).status_code == 200
    due = "SELECT message_id FROM dispatch_queue WHERE route = 'rests' AND due_at <= now()"
    rows = await database.fetch(due)
    await database.execute("DELETE FROM dispatch_queue WHERE route = 'rests'")
    assert [row["message_id"] for row in rows] == [ids["tenant_suspended"]]


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


OF_A_TENANT = {
    "region": "eu-west-1",
    "endpoint_url": "https://sms-voice.example.com:8443",
    "role_arn": "arn:aws:iam::444455556666:role/tollgate-sender",
    "external_id": "tenant-7",
    "sends_per_second": 3,
    "media_per_second": 4,
    "voice_per_second": 5,
    "media_bucket": "their-files",
    "topic_arn": "arn:aws:sns:eu-west-1:444455556666:tollgate",
    "shared_routes": True,
    "sandbox": True,
}


async def test_what_a_put_of_an_aws_account_leaves_out_stays(customer, operator, database) -> None:
    """Else a new rate would take a tenant's own account its role, and the gateway's keys would sign."""
    name = uuid4().hex
    path = f"/v1/admin/aws-accounts/{name}"
    subscription = {"subscription_arn": "arn:aws:sns:eu-west-1:444455556666:tollgate:1"}
    answer = await operator.put(path, json=OF_A_TENANT | subscription | {"owner": customer.id})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    for change in ({}, {"sandbox": False}, {"sends_per_second": 9}, {"media_bucket": "other-files"}):
        answer = await operator.put(path, json=change)
        shown |= change
        assert answer.json() == shown, answer.text
    kept = "SELECT subscription_arn FROM aws_accounts WHERE name = $1"
    assert await database.fetchval(kept, name) == subscription["subscription_arn"]


async def test_null_makes_a_field_of_an_aws_account_what_a_new_one_has(customer, operator) -> None:
    """All but its Region, which it cannot be without."""
    path = f"/v1/admin/aws-accounts/{uuid4().hex}"
    await operator.put(path, json=OF_A_TENANT | {"owner": customer.id})
    names = [*OF_A_TENANT, "owner"]
    answer = await operator.put(path, json=dict.fromkeys(names, None) | {"region": "eu-west-1"})
    new = await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "eu-west-1"})
    assert answer.status_code == new.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in names} == {name: new.json()[name] for name in names}
    assert (new.json()["sends_per_second"], new.json()["sandbox"], new.json()["role_arn"]) == (1, False, None)
    refused = await operator.put(path, json={"region": None})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/region")


async def test_a_tenants_own_aws_account_keeps_a_role(customer, operator) -> None:
    """The way out is named: another role, or no owner."""
    path = f"/v1/admin/aws-accounts/{uuid4().hex}"
    await operator.put(path, json=OF_A_TENANT | {"owner": customer.id})
    for change in ({"role_arn": None}, {"role_arn": None, "owner": customer.id}):
        refused = await operator.put(path, json=change)
        [fault] = refused.json()["errors"]
        assert (refused.status_code, fault["field"], fault["code"]) == (422, "/role_arn", "owner_needs_role")
    freed = await operator.put(path, json={"role_arn": None, "owner": None})
    assert (freed.json()["role_arn"], freed.json()["owner"]) == (None, None)


async def test_a_new_aws_account_names_its_region(operator) -> None:
    """One that is there need not say it again."""
    refused = await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"sandbox": True})
    [fault] = refused.json()["errors"]
    assert (refused.status_code, fault["field"], fault["code"]) == (422, "/region", "required")


@pytest.mark.parametrize(
    "field", ["region", "endpoint_url", "role_arn", "external_id", "media_bucket", "topic_arn"]
)
async def test_a_line_break_after_a_field_of_an_aws_account_is_refused(operator, field) -> None:
    """No carrier opens with one, and its messages would wait."""
    path = f"/v1/admin/aws-accounts/{uuid4().hex}"
    answer = await operator.put(path, json=OF_A_TENANT | {field: f"{OF_A_TENANT[field]}\n"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/{field}"), answer.text


@pytest.mark.parametrize("host", ["host:99999", "host:0", "a..b", "a-.b", "a" * 64, "sms.-x"])
async def test_an_endpoint_that_cannot_be_opened_is_refused(operator, host) -> None:
    """Else a log would tell of it every three seconds, and nobody else."""
    path = f"/v1/admin/aws-accounts/{uuid4().hex}"
    answer = await operator.put(path, json={"region": "us-east-1", "endpoint_url": f"http://{host}"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/endpoint_url"), answer.text


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
