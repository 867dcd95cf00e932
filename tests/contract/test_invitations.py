"""Invitations to the console: made, listed and ended by the operator."""

import pytest

from tests.contract.console_person import Person, invited


async def test_a_link_is_shown_once_and_listed_without_it(customer, operator) -> None:
    """What opens a tenant stands in one answer only."""
    path = f"/v1/admin/tenants/{customer.id}/invitations"
    made = await operator.post(path, json={"email": "ana@acme.example", "expires_in_hours": 2})
    assert made.status_code == 201, made.text
    assert made.json()["link"].startswith("https://gateway.example/console/invitations/")
    listed = (await operator.get(path)).json()["data"]
    assert [(each["email"], each.get("link")) for each in listed] == [("ana@acme.example", None)]


async def test_an_ended_invitation_says_when(customer, operator) -> None:
    """Ending it again changes nothing."""
    path = f"/v1/admin/tenants/{customer.id}/invitations"
    made = (await operator.post(path, json={"email": "bo@acme.example"})).json()
    ended = [(await operator.delete(f"{path}/{made['id']}")).json()["revoked_at"] for _ in range(2)]
    assert ended[0] is not None
    assert ended[0] == ended[1]


async def test_another_tenants_invitation_is_not_there(enrol, operator) -> None:
    """Ids say nothing across tenants."""
    one, other = await enrol(), await enrol()
    made = await operator.post(f"/v1/admin/tenants/{one.id}/invitations", json={"email": "c@acme.example"})
    refused = await operator.delete(f"/v1/admin/tenants/{other.id}/invitations/{made.json()['id']}")
    assert refused.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody"}, "/email"),
        ({"email": "a b@c.example"}, "/email"),
        ({"email": "a@b.example\x07"}, "/email"),
        ({"email": "a@b.example", "expires_in_hours": 0}, "/expires_in_hours"),
    ],
)
async def test_what_cannot_be_invited_names_its_field(customer, operator, body, field) -> None:
    """Before a link goes nowhere."""
    refused = await operator.post(f"/v1/admin/tenants/{customer.id}/invitations", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_an_address_is_one_tenants(world, enrol, operator) -> None:
    """The address alone says whose pages are shown."""
    one, other = await enrol(), await enrol()
    email = f"d-{one.slug}@acme.example"
    async with world.client() as browser:
        await Person(browser).accept(await invited(operator, one.id, email))
    refused = await operator.post(f"/v1/admin/tenants/{other.id}/invitations", json={"email": email})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_invited")
