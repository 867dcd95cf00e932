"""An API that dies between AWS's answer and the commit of a provisioning step: nothing is bought twice."""

import signal
from uuid import uuid4

import httpx
import pytest

from gateway.faultpoints import FaultPoint
from tests.harness.fleet import OPERATOR_KEY
from tests.scenarios.account_things import of_tenant, spare_numbers

BODY = {"senders": [{"country": "GB", "type": "LONG_CODE"}]}
STEPS = ("opt-out list", "number", "configuration set", "event destination", "pool")

pytestmark = pytest.mark.scenario


class Operator:
    """Provisions one tenant on an API that may die of it."""

    def __init__(self, fleet, tenant, slug):
        self.fleet = fleet
        self.slug = slug
        self.home = f"/v1/admin/tenants/{tenant}/provision"

    async def has(self):
        """How many of each thing the tenant has at AWS."""
        return await of_tenant(self.fleet, self.slug)

    def client(self):
        """A connection of its own: the API behind it comes and goes."""
        headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        return httpx.AsyncClient(base_url=self.fleet.api_url, headers=headers, timeout=120, trust_env=False)

    async def dies_once(self, broken=""):
        """Provision on an API armed to die at its first answer of AWS that makes something."""
        doomed = await self.fleet.start("api", fault=f"{FaultPoint.PROVISION_MADE}:kill", broken=broken)
        async with self.client() as api:
            with pytest.raises(httpx.TransportError):
                await api.post(self.home, json=BODY)
        assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]

    async def provisions(self, broken=""):
        """Provision on an API that lives; return what is left to do by the drift report."""
        await self.fleet.start("api", broken=broken)
        async with self.client() as api:
            made = await api.post(self.home, json=BODY)
            assert made.status_code == 200, made.text
            return (await api.get(f"{self.home}/drift")).json()


@pytest.fixture
async def operator(fleet):
    """The operator of a new tenant; the API works again afterwards."""
    await fleet.ensure("api")
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(
        base_url=fleet.api_url, headers=headers, timeout=120, trust_env=False
    ) as api:
        slug = f"p-{uuid4().hex[:12]}"
        body = {"name": "Acme", "slug": slug, "model": 2, "countries": ["GB"]}
        made = await api.post("/v1/admin/tenants", json=body)
        assert made.status_code == 201, made.text
    yield Operator(fleet, made.json()["id"], slug)
    await fleet.ensure("api")


async def test_kill_9_after_each_step_makes_nothing_twice(operator):
    """Each run dies at the first thing it makes, so the runs walk through all steps."""
    for _ in STEPS:
        await operator.dies_once()
    drift = await operator.provisions()
    assert await operator.has() == {"numbers": 1, "pools": 1, "sets": 1, "lists": 1}
    assert drift["changes"] == 0, drift["text"]


async def test_a_build_that_forgets_what_it_asked_for_buys_a_second_number(operator):
    """The checker on a build with a new token for every try, that looks for no leftover."""
    await operator.dies_once(broken="provision_forgets")
    await operator.dies_once(broken="provision_forgets")
    await operator.provisions(broken="provision_forgets")
    assert (await operator.has())["numbers"] > 1


async def test_kill_9_in_a_teardown_is_finished_by_the_next_one(fleet, operator):
    """Each run dies right after AWS took something away; the last one leaves nothing behind."""
    await fleet.ensure("api")
    await operator.provisions()
    body = {"dry_run": False, "release_numbers": True, "delete_opt_out_list": True}
    for _ in ("pool", "event destination", "configuration set", "number", "opt-out list"):
        doomed = await fleet.start("api", fault=f"{FaultPoint.TEARDOWN_GONE}:kill")
        async with operator.client() as api:
            with pytest.raises(httpx.TransportError):
                await api.post(f"{operator.home}/teardown", json=body)
        assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("api")
    async with operator.client() as api:
        last = await api.post(f"{operator.home}/teardown", json=body)
    assert (last.status_code, last.json()["gone"]) == (200, [])
    assert await operator.has() == {"numbers": 0, "pools": 0, "sets": 0, "lists": 0}


async def test_kill_9_while_a_spare_number_is_leased_or_released_costs_no_second_one(fleet, operator):
    """The reference finds what died on its way, and a release that AWS did needs no other."""
    reference = uuid4().hex
    doomed = await fleet.start("api", fault=f"{FaultPoint.PROVISION_MADE}:kill")
    async with operator.client() as api:
        with pytest.raises(httpx.TransportError):
            await api.post("/v1/admin/numbers", json=spare_wish(reference))
    assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("api")
    async with operator.client() as api:
        made = await api.post("/v1/admin/numbers", json=spare_wish(reference))
    assert (made.status_code, made.json()["created"]) == (200, False), made.text
    (number,) = await spare_numbers(fleet, reference)
    doomed = await fleet.start("api", fault=f"{FaultPoint.TEARDOWN_GONE}:kill")
    async with operator.client() as api:
        with pytest.raises(httpx.TransportError):
            await api.delete(f"/v1/admin/numbers/{number}")
    assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    assert await spare_numbers(fleet, reference) == []
    await fleet.start("api")
    async with operator.client() as api:
        assert (await api.delete(f"/v1/admin/numbers/{number}")).status_code == 404


async def test_a_build_that_forgets_its_references_leases_a_second_spare_number(fleet, operator):
    """The checker of the scenario above can fail."""
    reference = uuid4().hex
    doomed = await fleet.start("api", fault=f"{FaultPoint.PROVISION_MADE}:kill", broken="spare_forgets")
    async with operator.client() as api:
        with pytest.raises(httpx.TransportError):
            await api.post("/v1/admin/numbers", json=spare_wish(reference))
    assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("api", broken="spare_forgets")
    async with operator.client() as api:
        made = await api.post("/v1/admin/numbers", json=spare_wish(reference))
    assert made.status_code == 200, made.text
    assert len(await spare_numbers(fleet, reference)) == 2


def spare_wish(reference):
    """A number to lease under a reference, which may be released again."""
    return {
        "reference": reference,
        "country": "GB",
        "type": "LONG_CODE",
        "accept_cost": True,
        "protected": False,
    }
