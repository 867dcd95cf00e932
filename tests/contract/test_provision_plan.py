"""`/v1/admin/tenants/{id}/provision/plan`, `…/apply` and `…/drift` as clients see them."""

from uuid import UUID

import pytest
from msgspec import structs

from gateway.carrier.provision.plan_ports import HeldIdentity
from gateway.carrier.provision.ports import ProvisionRefused
from tenants.senders.inventory import Owner


async def test_a_plan_says_what_is_made_what_it_costs_and_how_long_it_takes(operator, customer):
    """An operator reads it before anything costs money."""
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/provision/plan")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["text"] == "+ create pool tg-acme"
    assert (shown["changes"], shown["estimated_seconds"], shown["monthly"]) == (1, 1, "0.00")
    assert shown["refusals"] == []


async def test_a_plan_is_applied_by_its_fingerprint_alone(operator, customer):
    """Whoever applies another one gets 409 and the steps that differ; nothing is made."""
    home = f"/v1/admin/tenants/{customer.id}/provision"
    mark = (await operator.post(f"{home}/plan", json={})).json()["fingerprint"]
    old = await operator.post(f"{home}/apply", json={"fingerprint": "v1"})
    assert (old.status_code, old.json()["code"]) == (409, "plan_changed")
    assert "new: create pool tg-acme" in old.json()["detail"]
    made = await operator.post(f"{home}/apply", json={"fingerprint": mark})
    assert made.status_code == 200, made.text
    assert made.json()["created"]


@pytest.mark.parametrize("action", ["", "/plan", "/apply"])
async def test_a_sender_id_that_is_left_out_or_none_is_named(world, operator, customer, action):
    """Before anything is made, by the onboarding's rule: AWS's own client would stop in the middle."""
    wishes = [{"country": "US", "type": "TOLL_FREE"}]
    wishes += [{"country": "GB", "type": "SENDER_ID"}, {"country": "GB", "type": "SENDER_ID", "value": "a b"}]
    named = (("GB", "ANY_CO"), ("GB", "OTP"), ("IN", "ANYCO"))
    wishes += [{"country": country, "type": "SENDER_ID", "value": value} for country, value in named]
    body = {"senders": wishes} | ({"fingerprint": "v1"} if action == "/apply" else {})
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/provision{action}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [
        ("/senders/1/value", "required"),
        ("/senders/2/value", "sender_id_form"),
        ("/senders/3/value", "sender_id_form"),
        ("/senders/4/value", "sender_id_no_brand"),
        ("/senders/5/value", "sender_id_india"),
    ]
    assert world.provisioner.requests == []


async def test_drift_of_an_account_that_is_none_is_a_mistake(operator, customer):
    """A filter that cannot match is no empty answer."""
    home = f"/v1/admin/tenants/{customer.id}/provision/drift"
    assert (await operator.get(home)).json()["changes"] == 1
    wrong = await operator.get(home, params={"account": "ten_x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/account")


async def test_what_aws_refuses_has_its_words(world, operator, customer):
    """The sentence names the way out."""
    world.services.provision_desk.refusal = ProvisionRefused(detail="name at least one sender")
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/provision/plan")
    assert (answer.status_code, answer.json()["code"]) == (409, "provision_refused")


async def test_a_teardown_is_a_dry_run_unless_it_is_told_otherwise(operator, customer):
    """Nobody loses a pool by an empty body."""
    home = f"/v1/admin/tenants/{customer.id}/provision/teardown"
    dry = (await operator.post(home)).json()
    assert (dry["plan"]["changes"], dry["gone"]) == (1, [])
    done = await operator.post(home, json={"dry_run": False})
    assert done.json() == {"plan": None, "gone": ["pool tg-acme"]}
    wrong = await operator.post(home, json={"account": "acc_!"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/account")


async def test_spare_numbers_come_first(world, operator, customer):
    """They cost money and send nothing."""
    owner = Owner(
        tenant_id=customer.scope.tenant_id, tenant_name="Acme", sender_id=UUID(int=7), state="active"
    )
    spare = HeldIdentity(
        arn="a",
        value="+447700900002",
        type="LONG_CODE",
        country="GB",
        active=True,
        protected=True,
        pooled=False,
        opt_out_list="Default",
        monthly_usd="1.00",
        owners=(),
    )
    owned = structs.replace(spare, arn="b", value="+447700900001", owners=(owner,))
    world.services.provision_desk.identities = (owned, spare)
    rows = (await operator.get("/v1/admin/numbers")).json()["data"]
    assert [(row["value"], row["spare"]) for row in rows] == [(spare.value, True), (owned.value, False)]
    assert rows[1]["owners"][0]["tenant"] == customer.id
