"""Quotas of senders: set by the operator, raised when AWS says so, seen by the tenant."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from gateway.db.transaction import worker_transaction
from tenants.ids import decode, encode, new_uuid
from tenants.senders import service
from tenants.senders.models import MpsIncrease
from tenants.senders.service import AccountFacts, SenderFacts

CAMPAIGN = {"campaign_id": "C1", "brand_id": "B1", "use_case": "MARKETING", "vetting_score": 60}


@pytest.fixture
async def sender(customer: Any, world: Any) -> str:
    """A 10DLC number of the customer."""
    async with worker_transaction(world.services.operator_engine) as session:
        account = await service.ensure_account(session, AccountFacts(region="us-east-1"))
        row = await service.put_sender(
            customer.scope,
            session,
            SenderFacts(
                account_id=account.id,
                type="TEN_DLC",
                value="+12065550100",
                country="US",
                arn=f"arn:aws:sms-voice:us-east-1:123456789012:phone-number/{uuid4().hex}",
                parts_per_second=1.0,
            ),
        )
    return encode("idn", row.id)


async def gates(customer: Any, sender: str) -> dict[str, Any]:
    answer = await customer.api.get(f"/v1/senders/{sender}/gates")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_new_number_is_held_to_the_facts(customer, sender) -> None:
    """AWS's 1 MPS per number, without a campaign's quota as long as none is known."""
    shown = await gates(customer, sender)
    assert shown["parts_per_second"] == shown["ceiling_parts_per_second"] == 1.0
    assert (shown["shared"], shown["daily"]) == ([], [])


async def test_the_operator_names_the_campaign_and_admission_learns_of_it(
    customer, operator, sender, world
) -> None:
    """The score's row holds from then on."""
    path = f"/v1/admin/tenants/{customer.id}/senders/{sender}"
    answer = await operator.patch(path, json={"parts_per_second": 30, "campaign": CAMPAIGN})
    assert answer.status_code == 200, answer.text
    shown = await gates(customer, sender)
    assert shown == answer.json()
    assert shown["shared"] == [{"parts_per_second": 40.0}]
    assert shown["ceiling_parts_per_second"] == 30.0
    unvetted = (await operator.patch(path, json={"campaign": CAMPAIGN | {"vetting_score": None}})).json()
    assert unvetted["ceiling_parts_per_second"] == 0.2
    assert customer.scope.tenant_id in world.projection.policies
    back = (await operator.patch(path, json={"campaign": None})).json()
    assert back["campaign"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parts_per_second": 0}, "/parts_per_second"),
        ({"parts_per_day": -1}, "/parts_per_day"),
        ({"countries": {"GB": 0}}, "/countries/GB"),
        ({"countries": {"GB": 1, "us": 1}}, "/countries/us"),
        ({"countries": {"XX": 1}}, "/countries/XX"),
        ({"campaign": CAMPAIGN | {"vetting_score": 101}}, "/campaign/vetting_score"),
        ({"campaign": CAMPAIGN | {"brand_id": ""}}, "/campaign"),
    ],
)
async def test_a_wrong_quota_is_refused_with_the_field(customer, operator, sender, change, field) -> None:
    """Nothing is stored."""
    answer = await operator.patch(f"/v1/admin/tenants/{customer.id}/senders/{sender}", json=change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


@pytest.mark.parametrize("rate", [1e300, 1e-320, 1e-400, 100_001])
@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda rate: {"parts_per_second": rate}, "/parts_per_second"),
        (lambda rate: {"countries": {"US": 5, "GB": rate}}, "/countries/GB"),
        (lambda rate: {"campaign": CAMPAIGN | {"parts_per_second": rate}}, "/campaign/parts_per_second"),
    ],
)
async def test_a_rate_that_the_lanes_could_not_keep_is_refused(
    customer, operator, sender, change, field, rate
) -> None:
    """It would reach every dispatcher of the route."""
    answer = await operator.patch(f"/v1/admin/tenants/{customer.id}/senders/{sender}", json=change(rate))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert "0.0001" in answer.text or "100000" in answer.text
    assert (await gates(customer, sender))["ceiling_parts_per_second"] == 1.0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parts_per_day": 2**31}, "/parts_per_day"),
        ({"campaign": CAMPAIGN | {"parts_per_day": 2**31}}, "/campaign/parts_per_day"),
    ],
)
async def test_a_ceiling_of_a_day_that_postgres_cannot_keep_is_refused(
    customer, operator, sender, change, field
) -> None:
    """The column has 32 bits."""
    answer = await operator.patch(f"/v1/admin/tenants/{customer.id}/senders/{sender}", json=change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


async def test_an_increase_is_asked_for_and_granted_within_the_same_bounds(
    customer, operator, sender
) -> None:
    """Neither way is a way around the rule."""
    tenant = f"/v1/admin/tenants/{customer.id}"
    asking = f"{tenant}/senders/{sender}/mps-increases"
    refused = await operator.post(asking, json={"parts_per_second": 1e-5})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/parts_per_second")
    asked = (await operator.post(asking, json={"parts_per_second": 5})).json()
    decided = f"{tenant}/mps-increases/{asked['id']}/approve"
    refused = await operator.post(decided, json={"parts_per_second": 1e-5})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/parts_per_second")
    assert (await operator.post(decided)).json()["granted_parts_per_second"] == 5.0


async def test_an_increase_from_before_the_bounds_is_granted_with_a_rate_within_them(
    customer, operator, sender, world
) -> None:
    """As it was asked for it would become a quota that nobody may set."""
    tenant = f"/v1/admin/tenants/{customer.id}"
    body = {"parts_per_second": 5}
    asked = (await operator.post(f"{tenant}/senders/{sender}/mps-increases", json=body)).json()
    async with worker_transaction(world.services.operator_engine) as session:
        old = update(MpsIncrease).where(MpsIncrease.id == decode("inc", asked["id"]))
        await session.execute(old.values(requested_parts_per_second=1e-5))
    decided = f"{tenant}/mps-increases/{asked['id']}/approve"
    refused = await operator.post(decided)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/parts_per_second")
    assert (await operator.post(decided, json=body)).json()["granted_parts_per_second"] == 5.0


async def test_an_increase_changes_the_quota_when_it_is_approved_and_not_before(
    customer, operator, sender
) -> None:
    """AWS takes weeks; until then it throttles what is above the old rate."""
    tenant = f"/v1/admin/tenants/{customer.id}"
    asked = await operator.post(
        f"{tenant}/senders/{sender}/mps-increases", json={"parts_per_second": 50, "case_id": "case-7"}
    )
    assert (asked.status_code, asked.json()["state"]) == (201, "requested")
    assert (await gates(customer, sender))["parts_per_second"] == 1.0
    decided = f"{tenant}/mps-increases/{asked.json()['id']}"
    granted = (await operator.post(f"{decided}/approve", json={"parts_per_second": 25})).json()
    assert (granted["state"], granted["granted_parts_per_second"]) == ("approved", 25.0)
    assert (await gates(customer, sender))["parts_per_second"] == 25.0
    assert (await operator.post(f"{decided}/approve")).json() == granted
    denied = await operator.post(f"{decided}/deny")
    assert (denied.status_code, denied.json()["code"]) == (409, "conflict")
    listed = (await operator.get(f"{tenant}/mps-increases")).json()["data"]
    assert [row["id"] for row in listed] == [granted["id"]]


async def test_a_denied_increase_changes_nothing(customer, operator, sender) -> None:
    """The request stays on record."""
    tenant = f"/v1/admin/tenants/{customer.id}"
    body = {"parts_per_second": 50, "country": "US"}
    asked = (await operator.post(f"{tenant}/senders/{sender}/mps-increases", json=body)).json()
    denied = (await operator.post(f"{tenant}/mps-increases/{asked['id']}/deny")).json()
    assert denied["state"] == "denied"
    assert (await gates(customer, sender))["parts_per_second"] == 1.0


async def test_a_strangers_sender_is_not_found(stranger, operator, sender) -> None:
    """Neither shown nor changed."""
    assert (await stranger.api.get(f"/v1/senders/{sender}/gates")).status_code == 404
    path = f"/v1/admin/tenants/{stranger.id}/senders/{sender}"
    assert (await operator.patch(path, json={"parts_per_second": 5})).status_code == 404


async def test_the_increases_of_a_tenant_that_is_none_are_not_found(operator) -> None:
    """An empty list would say that none was asked for."""
    answer = await operator.get(f"/v1/admin/tenants/{encode('ten', new_uuid())}/mps-increases")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
