"""Who may sign in for a tenant: listed, and taken out again, by the operator."""

from uuid import uuid4

import pytest

from tests.contract.conftest import OPERATOR_KEY
from tests.contract.console_person import Person, invited


@pytest.fixture
def address() -> str:
    """An address that nobody else uses."""
    return f"r-{uuid4().hex[:10]}@acme.example"


@pytest.fixture
async def member(world, customer, operator, address):
    """A person of the customer's, signed in."""
    async with world.client() as browser:
        person = Person(browser)
        await person.accept(await invited(operator, customer.id, address))
        yield person


async def people(operator, tenant):
    """Return a tenant's people by their addresses."""
    listed = await operator.get(f"/v1/admin/tenants/{tenant.id}/people")
    return {each["email"]: each for each in listed.json()["data"]}


async def test_whoever_accepted_is_listed(member, customer, operator, address) -> None:
    """With how they sign in, and nothing that would let anybody else."""
    listed = (await people(operator, customer))[address]
    assert listed["id"].startswith("psn_")
    assert listed["signs_in_by"] == "password"
    assert listed["enrolled_at"] is not None
    assert set(listed) == {"id", "email", "signs_in_by", "created_at", "enrolled_at"}


async def test_whoever_is_removed_is_signed_out_and_has_no_way_in(
    member, world, customer, operator, address
) -> None:
    """Neither by the browser that is open, nor by the password, nor by a link that waited."""
    waiting = await invited(operator, customer.id, address)
    assert (await member.browser.get("/console/onboarding")).status_code == 200
    one = (await people(operator, customer))[address]
    removed = await operator.delete(f"/v1/admin/tenants/{customer.id}/people/{one['id']}")
    assert (removed.status_code, removed.json()["email"]) == (200, address)
    assert address not in await people(operator, customer)
    assert (await member.browser.get("/console/onboarding")).status_code == 303
    async with world.client() as browser:
        again = Person(browser)
        assert (await again.sign_in(address)).status_code == 422
        assert (await again.open(waiting)).status_code == 410
    audit = (await operator.get(f"/v1/admin/tenants/{customer.id}/audit")).json()["data"]
    assert "person.removed" in {each["action"] for each in audit}


async def test_whoever_was_removed_may_be_invited_again_by_anybody(
    member, world, enrol, customer, operator, address
) -> None:
    """The address is free, also for another tenant."""
    one = (await people(operator, customer))[address]
    await operator.delete(f"/v1/admin/tenants/{customer.id}/people/{one['id']}")
    other = await enrol()
    async with world.client() as browser:
        await Person(browser).accept(await invited(operator, other.id, address))
    assert address in await people(operator, other)


async def test_another_tenants_person_is_not_there(member, enrol, customer, operator, address) -> None:
    """Ids say nothing across tenants."""
    one, other = (await people(operator, customer))[address], await enrol()
    for path in (one["id"], "psn_nobody"):
        refused = await operator.delete(f"/v1/admin/tenants/{other.id}/people/{path}")
        assert refused.status_code == 404
    assert address in await people(operator, customer)


async def test_the_operators_page_removes_a_person(world, member, customer, operator, address) -> None:
    """One button by each name."""
    one = (await people(operator, customer))[address]
    home = f"/console/operator/tenants/{customer.id}"
    async with world.client() as browser:
        boss = Person(browser)
        await boss.open("/console/operator/sign-in")
        await boss.send("/console/operator/sign-in", key=OPERATOR_KEY)
        page = await boss.open(home)
        assert f'aria-label="Remove {address}"' in page.text
        answer = await boss.send(f"{home}/people/{one['id']}/remove")
        assert (answer.status_code, answer.headers["location"]) == (303, home)
    assert address not in await people(operator, customer)
