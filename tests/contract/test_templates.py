"""Templates from draft to approval, over the tenant's routes and the operator's."""

from uuid import uuid4

import pytest

DRAFT = {"name": "login-code", "body": "Acme: your code is {code}", "type": "otp"}


@pytest.fixture
async def template(customer) -> dict:
    """A draft."""
    answer = await customer.api.post("/v1/templates", json=DRAFT)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _submitted(customer, template) -> None:
    answer = await customer.api.post(f"/v1/templates/{template['id']}/submit")
    assert (answer.status_code, answer.json()["state"]) == (200, "submitted")


async def test_a_template_is_a_draft_whose_variables_have_defaults(template) -> None:
    """Variables not declared get text of 40 characters, as the contract says."""
    assert (template["state"], template["version"], template["approved_version"]) == ("draft", 1, None)
    assert template["variables"] == {"code": {"kind": "text", "max_length": 40}}


async def test_an_approval_is_in_force_and_told_at_once(customer, operator, world, template) -> None:
    """The projection hears of it in the same request, and so does the audit trail."""
    await _submitted(customer, template)
    world.projection.policies.clear()
    answer = await operator.post(f"/v1/admin/templates/{template['id']}/approve")
    assert (answer.status_code, answer.json()["approved_version"]) == (200, 1)
    assert world.projection.policies == [customer.scope.tenant_id]
    audit = (await customer.api.get("/v1/audit")).json()["data"]
    assert [(row["action"], row["actor"]) for row in audit[:1]] == [("template.approved", "operator")]


async def test_a_rejection_says_why(customer, operator, template) -> None:
    """The author reads the reason and writes another version."""
    await _submitted(customer, template)
    answer = await operator.post(
        f"/v1/admin/templates/{template['id']}/reject", json={"reason": "name the brand"}
    )
    assert answer.json()["rejection_reason"] == "name the brand"
    again = await customer.api.post(
        f"/v1/templates/{template['id']}/versions", json={"body": "Acme Inc: {code}", "type": "otp"}
    )
    assert (again.status_code, again.json()["version"], again.json()["state"]) == (201, 2, "draft")
    versions = (await customer.api.get(f"/v1/templates/{template['id']}/versions")).json()["data"]
    assert [row["state"] for row in versions] == ["rejected", "draft"]


async def test_a_rejection_is_told_of_the_version_that_was_rejected(customer, operator, template) -> None:
    """A later version may have been rejected before."""
    home, desk = f"/v1/templates/{template['id']}", f"/v1/admin/templates/{template['id']}"
    await _submitted(customer, template)
    await customer.api.post(f"{home}/versions", json={"body": "Acme Inc: {code}", "type": "otp"})
    await _submitted(customer, template)
    for version in (2, 1):
        await operator.post(f"{desk}/reject", json={"reason": f"no {version}", "version": version})
    told = [each["data"] for each in (await customer.api.get("/v1/events")).json()["data"]]
    assert [(each["version"], each["rejection_reason"]) for each in told] == [(2, "no 2"), (1, "no 1")]


async def test_each_version_that_an_approval_retires_is_in_the_audit_trail(
    customer, operator, template
) -> None:
    """Sends that name it are refused from then on."""
    home, desk = f"/v1/templates/{template['id']}", f"/v1/admin/templates/{template['id']}"
    await _submitted(customer, template)
    await operator.post(f"{desk}/approve")
    await customer.api.post(f"{home}/versions", json={"body": "Acme Inc: {code}", "type": "otp"})
    await _submitted(customer, template)
    await operator.post(f"{desk}/approve", json={"keep_older": False})
    audit = (await customer.api.get("/v1/audit")).json()["data"]
    assert [(row["action"], row["detail"]["version"]) for row in audit[:2]] == [
        ("template.approved", 2),
        ("template.retired", 1),
    ]


async def test_a_version_that_was_handed_in_meanwhile_is_not_decided_on_unseen(
    customer, operator, template
) -> None:
    """The operator read one text; the tenant handed in another before the decision came."""
    home, desk = f"/v1/templates/{template['id']}", f"/v1/admin/templates/{template['id']}"
    await _submitted(customer, template)
    await customer.api.post(f"{home}/versions", json={"body": "Acme: send us {code}", "type": "otp"})
    await _submitted(customer, template)
    for act, body in (("approve", None), ("approve", {}), ("reject", {"reason": "no"})):
        refused = await operator.post(f"{desk}/{act}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "template_state"), act
        assert "1, 2" in refused.json()["detail"]
    approved = await operator.post(f"{desk}/approve", json={"version": 1})
    assert (approved.status_code, approved.json()["approved_version"]) == (200, 1)


@pytest.mark.parametrize("version", ["0" * 10 + "1" * 5000, "1" * 5000, "0", "-1", "\u0661"])
async def test_what_is_no_version_is_not_found(customer, template, version: str) -> None:
    """However long it is."""
    assert (await customer.api.get(f"/v1/templates/{template['id']}/versions/{version}")).status_code == 404


async def test_a_draft_cannot_be_approved(operator, template) -> None:
    """Nothing is approved that its author did not hand over."""
    answer = await operator.post(f"/v1/admin/templates/{template['id']}/approve", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "template_state")


async def test_the_operator_sees_what_waits(customer, operator, template) -> None:
    """Over all tenants, page by page."""
    await _submitted(customer, template)
    found, after = [], None
    while True:
        params = {"limit": 1} | ({} if after is None else {"after": after})
        page = (await operator.get("/v1/admin/templates", params=params)).json()
        found += page["data"]
        after = page["next_cursor"]
        if after is None:
            break
    assert template["id"] in {row["template_id"] for row in found}
    assert {row["state"] for row in found} == {"submitted"}


async def test_an_unknown_template_cannot_be_decided_on(operator, customer) -> None:
    """Neither a strange id nor an id of another kind."""
    for template_id in ("tpl_01K3ZQ4V7N8R9T0W2Y4A6C8E0G", customer.id, "x"):
        answer = await operator.post(f"/v1/admin/templates/{template_id}/approve")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_name_is_taken_once_per_tenant(customer, stranger, template) -> None:
    """Another tenant may use it, too."""
    again = await customer.api.post("/v1/templates", json=DRAFT)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert (await stranger.api.post("/v1/templates", json=DRAFT)).status_code == 201


@pytest.mark.parametrize(
    "change", [{"body": "{"}, {"type": "spam"}, {"name": ""}, {"bdy": "x"}, {"countries": ["XX"]}]
)
async def test_a_wrong_template_is_a_422_that_names_the_field(customer, change) -> None:
    """Nothing is stored."""
    answer = await customer.api.post("/v1/templates", json=DRAFT | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"/{next(iter(change))}".replace(
        "/countries", "/countries/0"
    )
    assert (await customer.api.get("/v1/templates")).json()["data"] == []


async def test_a_repeated_post_makes_one_template(customer) -> None:
    """The stored answer is replayed byte for byte."""
    headers = {"Idempotency-Key": str(uuid4())}
    first = await customer.api.post("/v1/templates", json=DRAFT, headers=headers)
    second = await customer.api.post("/v1/templates", json=DRAFT, headers=headers)
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await customer.api.get("/v1/templates")).json()["data"]) == 1


async def test_a_refused_post_stores_no_answer(customer) -> None:
    """The corrected request may carry the same key."""
    headers = {"Idempotency-Key": "fixed"}
    wrong = await customer.api.post("/v1/templates", json=DRAFT | {"body": "{"}, headers=headers)
    right = await customer.api.post("/v1/templates", json=DRAFT, headers=headers)
    assert (wrong.status_code, right.status_code) == (422, 201)


async def test_pages_follow_each_other_without_gap_or_repeat(customer) -> None:
    """A cursor is a place in an order, so rows that come meanwhile do not shift it."""
    made = [
        (await customer.api.post("/v1/templates", json=DRAFT | {"name": f"t{index}"})).json()["id"]
        for index in range(5)
    ]
    seen, after = [], None
    for _ in range(3):
        params = {"limit": 2} | ({"after": after} if after else {})
        page = (await customer.api.get("/v1/templates", params=params)).json()
        seen += [row["id"] for row in page["data"]]
        after = page["next_cursor"]
        await customer.api.post("/v1/templates", json=DRAFT | {"name": uuid4().hex})
    assert seen == made[::-1]
    assert after is None
