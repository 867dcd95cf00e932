"""F-MT-INTAKE: a platform posts its customers, signed; they land as drafts, once, or not at all."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gateway.webhooks.signing import new_secret, signed_headers
from tests.integration.carrier.registration_values import TOLL_FREE
from tests.unit.tenants.onboarding_answers import COMPLETE

TFN = "US_TOLL_FREE_REGISTRATION"


@pytest.fixture
async def platform(stack) -> dict[str, str]:
    """A platform that may post."""
    return await stack.operate("post", "/v1/admin/intakes", {"name": f"platform {uuid4().hex}"})


def a_customer(**changes) -> dict:
    """Return a post about a customer of the platform."""
    data = {
        "reference": f"customer-{uuid4().hex}",
        "name": "Bäcker & Söhne",
        "onboarding": {"profile": COMPLETE["profile"]},
        "registrations": [{"reference": "tfn", "type": TFN, "name": "Codes", "values": TOLL_FREE}],
    }
    return {"type": "customer.submitted", "data": data | changes}


async def post(stack, platform, body, *, secret=None, webhook_id=None, at=None, text=None):
    """Post as the platform does; `text` is what is sent where it is not what was signed."""
    said = json.dumps(body)
    headers = signed_headers(
        [secret or platform["secret"]],
        webhook_id=webhook_id or f"msg_{uuid4().hex}",
        at=at or datetime.now(UTC),
        body=said,
    )
    path = f"/v1/ingest/intakes/{platform['id']}"
    content = said if text is None else text
    return await stack.operator.post(
        path, content=content, headers=headers | {"Content-Type": "application/json", "Authorization": ""}
    )


async def test_a_customer_lands_as_drafts_and_is_filled_further(stack, platform) -> None:
    """One tenant for one customer, whatever is posted how often; nothing is submitted by it."""
    body = a_customer()
    first = (await post(stack, platform, body)).json()
    assert (first["created"], first["next"]) == (True, "relationship")
    (filed,) = first["registrations"]
    assert (filed["reference"], filed["status"]) == ("tfn", "draft")
    home = f"/v1/admin/tenants/{first['tenant_id']}"
    tenant = await stack.operate("get", home)
    assert (tenant["name"], tenant["model"], tenant["live"]) == ("Bäcker & Söhne", 3, False)
    body["data"]["onboarding"] = {name: answer for name, answer in COMPLETE.items() if name != "profile"}
    body["data"]["registrations"][0]["values"] = {"companyInfo.companyName": "Example Corporation"}
    second = (await post(stack, platform, body)).json()
    assert (second["created"], second["tenant_id"]) == (False, first["tenant_id"])
    assert second["registrations"] == first["registrations"]
    shown = await stack.operate("get", f"{home}/registrations/{filed['id']}")
    values = shown["values"]
    assert values["companyInfo.companyName"] == "Example Corporation"
    assert values["companyInfo.website"] == TOLL_FREE["companyInfo.website"]
    trail = (await stack.operate("get", f"{home}/audit"))["data"]
    (later, earlier) = [row for row in trail if row["action"] == "intake.received"]
    assert (earlier["actor"], earlier["detail"]) == (
        "intake",
        {"intake": platform["id"], "created": True, "answers": ["profile"], "registrations": [filed["id"]]},
    )
    assert (later["detail"]["created"], "profile" in later["detail"]["answers"]) == (False, False)
    onboarding = await stack.operate("get", f"{home}/onboarding")
    assert (onboarding["next"], onboarding["asked_at"]) == ("registrations", None)
    assert await tasks(stack, first["tenant_id"]) == {"onboarding.handed_in"}
    await stack.operate("post", f"{home}/onboarding/approve")
    assert await tasks(stack, first["tenant_id"]) == set()


async def test_a_post_counts_once_and_its_id_stands_for_one_body(stack, platform) -> None:
    """A retry gets the first answer; two posts at once about one customer make one tenant."""
    body, webhook_id = a_customer(), f"msg_{uuid4().hex}"
    first = await post(stack, platform, body, webhook_id=webhook_id)
    again = await post(stack, platform, body, webhook_id=webhook_id)
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    other = await post(stack, platform, a_customer(), webhook_id=webhook_id)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    both = a_customer(registrations=[])
    answers = await asyncio.gather(*[post(stack, platform, both) for _ in range(4)])
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["created"] for answer in answers) == [False, False, False, True]
    assert len({answer.json()["tenant_id"] for answer in answers}) == 1


async def test_nothing_more_is_written_of_a_customer_whose_tenant_was_closed(stack, platform) -> None:
    """What is erased must not come back by the platform's next post, and a 200 would promise a service."""
    body = a_customer()
    home = f"/v1/admin/tenants/{(await post(stack, platform, body)).json()['tenant_id']}"
    await stack.operate("post", f"{home}/close")
    before = await stack.operate("get", f"{home}/onboarding")
    body["data"]["onboarding"] = COMPLETE
    refused = await post(stack, platform, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "tenant_closed")
    assert await stack.operate("get", f"{home}/onboarding") == before
    assert (await post(stack, platform, a_customer())).status_code == 200


async def test_only_the_platform_is_believed(stack, platform) -> None:
    """A wrong secret, an old post, changed bytes, no signature, no such intake: 401, and nothing is read."""
    body, now = a_customer(), datetime.now(UTC)
    nobody = platform | {"id": "itk_01K3ZQ4V7N8R9T0W2Y4A6C8E0G"}
    refused = [
        await post(stack, platform, body, secret=new_secret()),
        await post(stack, platform, body, at=now - timedelta(minutes=6)),
        await post(stack, platform, body, at=now + timedelta(minutes=6)),
        await post(stack, platform, body, text=json.dumps(a_customer())),
        await post(stack, nobody, body),
        await post(stack, platform | {"id": "itk_x"}, body),
        await stack.operator.post(f"/v1/ingest/intakes/{platform['id']}", json=body),
    ]
    for header in ("v1", "v1,*", "v2,abc", "v1,a,b", ","):
        headers = {"webhook-id": "m", "webhook-timestamp": str(now.timestamp()), "webhook-signature": header}
        path = f"/v1/ingest/intakes/{platform['id']}"
        refused.append(await stack.operator.post(path, json=body, headers=headers))
    assert {(each.status_code, each.json()["code"]) for each in refused} == {(401, "signature_rejected")}
    assert (await post(stack, platform, body)).json()["created"] is True


async def test_a_secret_is_rotated_and_an_intake_ended(stack, platform) -> None:
    """The secret before is good while the platform changes over; a disabled intake takes nothing."""
    changed = await stack.operate("post", f"/v1/admin/intakes/{platform['id']}/rotate-secret")
    for secret in (platform["secret"], changed["secret"]):
        assert (await post(stack, platform, a_customer(), secret=secret)).status_code == 200
    listed = await stack.operate("get", "/v1/admin/intakes?limit=100")
    assert "secret" not in listed["data"][0]
    same = await stack.operator.post("/v1/admin/intakes", json={"name": platform["name"]})
    assert (same.status_code, same.json()["code"]) == (409, "name_taken")
    await stack.operate("delete", f"/v1/admin/intakes/{platform['id']}")
    ended = await post(stack, platform, a_customer(), secret=changed["secret"])
    assert ended.status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "/data/name"),
        ({"name": "two\nlines"}, "/data/name"),
        ({"surplus": 1}, "/data/surplus"),
        (
            {"onboarding": {"profile": COMPLETE["profile"] | {"website": "x"}}},
            "/data/onboarding/profile/website",
        ),
        (
            {"onboarding": {"reach": {"countries": ["ZZ"], "messages_per_month": 1}}},
            "/data/onboarding/reach/countries/0",
        ),
        (
            {"registrations": [{"reference": "a", "type": "NO_SUCH", "name": "x"}]},
            "/data/registrations/0/type",
        ),
        (
            {"registrations": [{"reference": "a", "type": TFN, "name": "x", "values": {"no.such": "x"}}]},
            "/data/registrations/0/values/no.such",
        ),
    ],
)
async def test_a_bad_field_is_named_and_leaves_nothing(stack, platform, changes: dict, field: str) -> None:
    """All or nothing: the mended post makes the customer as if it were the first."""
    body = a_customer(**changes)
    refused = await post(stack, platform, body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    mended = a_customer(reference=body["data"]["reference"], registrations=[])
    assert (await post(stack, platform, mended)).json()["created"] is True


async def tasks(stack, tenant_id: str) -> set[str]:
    """Return the kinds of the operator's open tasks about a tenant."""
    page = await stack.operate("get", f"/v1/admin/inbox?limit=100&tenant={tenant_id}")
    return {each["kind"] for each in page["data"]}
