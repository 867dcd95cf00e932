"""Templates at full strength: linted, approved by rule, in several languages, versioned, from the library."""

import json
import re
from pathlib import Path

import pytest

import gateway

LOGIN = {
    "name": "login",
    "body": "Acme: your code is {code}. Do not share it.",
    "type": "otp",
    "variables": {"code": {"kind": "digits", "max_length": 6}},
}


async def _written(customer, **changes) -> dict:
    answer = await customer.api.post("/v1/templates", json=LOGIN | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _act(client, path: str, body=None, status: int = 200) -> dict:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_worst_case_is_known_before_anything_is_approved(customer) -> None:
    """Parts, encoding and the price of each country, from the bounds of the variables."""
    template = await _written(customer)
    worst = template["worst_case"]
    assert (worst["encoding"], worst["parts"], worst["characters"]) == ("GSM", 1, 43)
    assert [line["country"] for line in worst["price"]] == ["US"]
    long = await _written(customer, name="long", body="Acme: {text}", type="transactional",
                          variables={"text": {"max_length": 200}})  # fmt: skip
    assert (long["worst_case"]["encoding"], long["worst_case"]["parts"]) == ("UNICODE", 7)


async def test_the_linter_approves_where_the_plan_lets_it(enrol) -> None:
    """No person is needed for a text that breaks no rule; the endpoints are told as of any approval."""
    customer = await enrol(plan={"auto_approve_templates": True})
    hook = await _act(customer.api, "/v1/webhook-endpoints", {"url": "https://hooks.example/t"}, 201)
    template = await _written(customer)
    found = await _act(customer.api, f"/v1/templates/{template['id']}/submit")
    assert (found["state"], found["approved_versions"]) == ("approved", [1])
    version = (await customer.api.get(f"/v1/templates/{template['id']}/versions/1")).json()
    assert version["decided_by"] == "linter"
    told = (await customer.api.get(f"/v1/webhook-endpoints/{hook['id']}/deliveries")).json()["data"]
    assert [row["event_type"] for row in told] == ["template.approved"]


async def test_what_a_person_has_to_see_waits_for_the_operator(enrol, operator) -> None:
    """And the operator sees why, and what it costs at worst."""
    customer = await enrol(plan={"auto_approve_templates": True})
    template = await _written(customer, body="Your code is {code}. Do not share it.")
    assert [each["code"] for each in template["findings"]] == ["brand_missing"]
    found = await _act(customer.api, f"/v1/templates/{template['id']}/submit")
    assert found["state"] == "submitted"
    waiting = (await operator.get("/v1/admin/templates", params={"limit": 100})).json()["data"]
    (seen,) = [row for row in waiting if row["template_id"] == template["id"]]
    assert (seen["findings"], seen["worst_case"]["parts"]) == (template["findings"], 1)


async def test_without_the_switch_the_operator_decides_everything(customer) -> None:
    """Automatic approval is the operator's to give."""
    template = await _written(customer)
    assert template["findings"] == []
    assert (await _act(customer.api, f"/v1/templates/{template['id']}/submit"))["state"] == "submitted"


async def test_an_error_cannot_be_submitted_and_says_what_to_do(customer) -> None:
    """Nobody has to wait for a person to hear that bit.ly is refused."""
    template = await _written(customer, body="Acme: {code}, see bit.ly/3abc")
    problem = await _act(customer.api, f"/v1/templates/{template['id']}/submit", status=422)
    assert problem["code"] == "template_not_compliant"
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("/body", "shortener")]
    assert (await customer.api.get(f"/v1/templates/{template['id']}")).json()["state"] == "draft"


async def test_versions_are_retired_and_restored(customer, operator) -> None:
    """An older version stays sendable until it is retired; a tenant brings back what it retired itself."""
    template = await _written(customer)
    home, admin = f"/v1/templates/{template['id']}", f"/v1/admin/templates/{template['id']}"
    await _act(customer.api, f"{home}/submit")
    await _act(operator, f"{admin}/approve")
    wording = {name: LOGIN[name] for name in ("type", "variables")} | {"body": "Acme: {code} is your code."}
    await _act(customer.api, f"{home}/versions", wording, 201)
    await _act(customer.api, f"{home}/submit")
    assert (await _act(operator, f"{admin}/approve"))["approved_versions"] == [1, 2]
    assert (await _act(customer.api, f"{home}/versions/1/retire"))["approved_versions"] == [2]
    assert (await _act(customer.api, f"{home}/versions/1/restore"))["approved_versions"] == [1, 2]
    assert (await _act(operator, f"{admin}/retire", {"version": 2}))["approved_versions"] == [1]
    assert (await _act(customer.api, f"{home}/versions/2/restore", status=409))["code"] == "template_state"
    assert (await _act(operator, f"{admin}/restore", {"version": 2}))["approved_version"] == 2
    await _act(customer.api, f"{home}/versions/3/retire", status=404)
    await _act(customer.api, f"{home}/versions/x/retire", status=404)


async def test_two_versions_are_compared_word_by_word(customer) -> None:
    """A reviewer reads what changed, not two texts."""
    template = await _written(customer)
    home = f"/v1/templates/{template['id']}"
    minor = {
        "type": "otp",
        "variables": LOGIN["variables"],
        "body": "Acme: your code is {code}. Never share it.",
    }
    await _act(customer.api, f"{home}/versions", minor, 201)
    changes = (await customer.api.get(f"{home}/versions/2/changes")).json()
    assert (changes["substantial"], changes["fields"]) == (False, ["body"])
    assert {"op": "removed", "text": "Do not"} in changes["body"]
    assert {"op": "added", "text": "Never"} in changes["body"]
    same = (await customer.api.get(f"{home}/versions/2/changes", params={"since": 2})).json()
    assert (same["substantial"], same["fields"]) == (False, [])
    assert (await customer.api.get(f"{home}/versions/2/changes", params={"since": 9})).status_code == 404


async def test_the_library_is_taken_with_the_tenants_brand(customer) -> None:
    """All languages at once, and nothing for the linter to say that a person has to decide."""
    shelf = (await customer.api.get("/v1/template-library")).json()["data"]
    assert {"otp", "reminder", "shipping", "account", "marketing"} <= {each["id"] for each in shelf}
    for each in shelf:
        taken = await _act(customer.api, "/v1/templates", {"from_library": each["id"]}, 201)
        assert taken["name"] == each["id"]
        assert taken["body"].startswith("Acme")
        assert [row["locale"] for row in taken["variants"]] == [row["locale"] for row in each["variants"]]
        assert {row["severity"] for row in taken["findings"]} <= {"notice"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from_library": "poems"}, "/from_library"),
        ({"from_library": "otp", "body": "x"}, "/body"),
        ({"from_library": "otp", "variants": [{"locale": "de", "body": "x"}]}, "/variants"),
        ({"name": "x", "type": "otp"}, "/body"),
        ({"name": "x", "body": "y"}, "/type"),
        ({"body": "x", "type": "otp"}, "/name"),
        (LOGIN | {"brand": "Acme"}, "/brand"),
        (LOGIN | {"use_case": "marketing"}, "/use_case"),
    ],
)
async def test_a_template_that_is_half_given_is_refused_by_field(customer, body: dict, field: str) -> None:
    """Two ways to write one, and no mixture of them."""
    problem = await _act(customer.api, "/v1/templates", body, 422)
    assert problem["errors"][0]["field"] == field


async def test_the_page_about_templates_tells_the_truth(customer) -> None:
    """Its examples are sent as they stand; the sends among them are read as sends."""
    page = (Path(gateway.__file__).parent.parent / "docs/how-to/templates.md").read_text(encoding="utf-8")
    examples = re.findall(r"```json\nPOST (\S+)\n(.*?)```", page, re.DOTALL)
    assert [path for path, _ in examples] == ["/v1/templates"] * 2 + ["/v1/messages"] * 2
    for path, body in examples:
        answer = await customer.api.post(path, json=json.loads(body))
        assert answer.status_code in {201, 202}, answer.text
