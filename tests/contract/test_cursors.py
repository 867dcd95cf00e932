"""A cursor belongs to the list that gave it: another list would read it as a place in its own order."""

import base64
from itertools import product

import pytest

from gateway.api.lists.paging import cursor_in
from tenants.ids import encode, new_uuid

ELSEWHERE = {
    "/v1/messages/{message_id}/events",
    "/v1/registration-forms",
    "/v1/registrations/{registration_id}/history",
    "/v1/registrations/{registration_id}/versions",
}
"""Of what needs a message that ended, or AWS: they are read in test_short_lists.py."""


def places() -> list[str]:
    """Return a place in each order that a list has: one of them is one in the order of any list."""
    some = new_uuid()
    return [
        some.hex,
        f"{some.hex}.1",
        f"{some.hex}.00",
        f"all.{some.hex}",
        f"{encode('led', some)}.hold.1",
        "2026-11-01T00:00:00+00:00 00",
        "1",
    ]


@pytest.fixture
async def lists(nobody, customer, operator) -> dict[str, object]:
    """Every list of the document that goes on behind a cursor, with who may ask for it."""
    endpoint = {"url": "https://hooks.example.com/a"}
    ours = (await customer.api.post("/v1/webhook-endpoints", json=endpoint)).json()["id"]
    draft = {"name": "a", "body": "b {c}", "type": "otp"}
    template = (await customer.api.post("/v1/templates", json=draft)).json()["id"]
    of_operator = (await operator.post("/v1/admin/webhook-endpoints", json=endpoint)).json()["id"]
    paths = (await nobody.get("/openapi.json")).json()["paths"]
    found = {}
    for path, item in paths.items():
        if "after" not in {each.get("name") for each in item.get("get", {}).get("parameters", [])}:
            continue
        if path in ELSEWHERE:
            continue
        by_operator = path.startswith("/v1/admin/")
        filled = path.format(
            tenant_id=customer.id,
            endpoint_id=of_operator if by_operator else ours,
            template_id=template,
            name="all",
        )
        found[filled] = operator if by_operator else customer.api
    return found


async def test_each_list_goes_on_behind_a_cursor_of_its_own(lists):
    """Otherwise the refusals below would prove nothing."""
    assert len(lists) > 40
    for path, client in lists.items():
        answers = [await client.get(path, params={"after": cursor_in(path, place)}) for place in places()]
        assert 200 in {each.status_code for each in answers}, path
        assert {each.status_code for each in answers} <= {200, 422}, path


async def test_each_list_refuses_a_cursor_of_another(lists):
    """With the parameter and the way out, whatever the order of the other list is."""
    paths = list(lists)
    for (path, client), other in zip(lists.items(), [*paths[1:], paths[0]], strict=True):
        for place in places():
            refused(await client.get(path, params={"after": cursor_in(other, place)}))


async def test_each_list_refuses_a_cursor_that_names_no_list(lists):
    """Such cursors were handed out before; they are told from one of this list."""
    for (path, client), place in product(lists.items(), places()):
        cursor = base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()
        refused(await client.get(path, params={"after": cursor}))


async def test_a_cursor_that_was_handed_out_is_good_for_its_list_alone(
    customer, stranger, operator, make_key
):
    """The same rows at another address are another list, and so are those of another tenant."""
    await make_key(customer.id)
    cursor = (await customer.api.get("/v1/api-keys?limit=1")).json()["next_cursor"]
    here = await customer.api.get("/v1/api-keys", params={"after": cursor})
    assert (here.status_code, len(here.json()["data"])) == (200, 1)
    refused(await customer.api.get("/v1/messages", params={"after": cursor}))
    of_customer, of_stranger = (f"/v1/admin/tenants/{each}/api-keys" for each in (customer.id, stranger.id))
    refused(await operator.get(of_customer, params={"after": cursor}))
    cursor = (await operator.get(of_customer, params={"limit": 1})).json()["next_cursor"]
    assert len((await operator.get(of_customer, params={"after": cursor})).json()["data"]) == 1
    refused(await operator.get(of_stranger, params={"after": cursor}))


def refused(answer) -> None:
    """Expect the one refusal of a foreign cursor."""
    problem = answer.json()
    assert answer.status_code == 422, (answer.request.url, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("?after", "invalid_cursor")]
    assert "`next_cursor` of this list's previous page" in problem["detail"]
    assert "leave `after` out" in problem["detail"]
