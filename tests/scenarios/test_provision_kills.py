"""An API that dies between AWS's answer and the commit of a provisioning step: nothing is bought twice."""

import signal
from uuid import uuid4

import httpx
import pytest

from gateway.carrier.session import open_session
from gateway.faultpoints import FaultPoint
from tests.harness.fleet import OPERATOR_KEY

BODY = {"senders": [{"country": "GB", "type": "LONG_CODE"}]}
STEPS = ("opt-out list", "number", "configuration set", "event destination", "pool")

pytestmark = pytest.mark.scenario


class Operator:
    """Provisions one tenant on an API that may die of it."""

    def __init__(self, fleet, tenant):
        self.fleet = fleet
        self.home = f"/v1/admin/tenants/{tenant}/provision"

    def client(self):
        """A connection of its own: the API behind it comes and goes."""
        headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        return httpx.AsyncClient(base_url=self.fleet.api_url, headers=headers, timeout=60, trust_env=False)

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


async def at_aws(fleet):
    """How many of each thing the account has."""
    client = open_session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=fleet.emulator.base_url
    )
    async with client as aws:
        return {
            "numbers": len((await aws.describe_phone_numbers())["PhoneNumbers"]),
            "pools": len((await aws.describe_pools())["Pools"]),
            "sets": len((await aws.describe_configuration_sets())["ConfigurationSets"]),
            "lists": len((await aws.describe_opt_out_lists())["OptOutLists"]),
        }


@pytest.fixture
async def operator(fleet):
    """The operator of a new tenant; the API works again afterwards."""
    await fleet.ensure("api")
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(base_url=fleet.api_url, headers=headers, timeout=30, trust_env=False) as api:
        body = {"name": "Acme", "slug": f"p-{uuid4().hex[:12]}", "model": 2, "countries": ["GB"]}
        made = await api.post("/v1/admin/tenants", json=body)
        assert made.status_code == 201, made.text
    yield Operator(fleet, made.json()["id"])
    await fleet.ensure("api")


async def test_kill_9_after_each_step_makes_nothing_twice(fleet, operator):
    """Each run dies at the first thing it makes, so the runs walk through all steps."""
    before = await at_aws(fleet)
    for _ in STEPS:
        await operator.dies_once()
    drift = await operator.provisions()
    after = await at_aws(fleet)
    assert {name: after[name] - before[name] for name in after} == dict.fromkeys(after, 1)
    assert drift["changes"] == 0, drift["text"]


async def test_a_build_that_forgets_what_it_asked_for_buys_a_second_number(fleet, operator):
    """The checker on a build with a new token for every try, that looks for no leftover."""
    before = await at_aws(fleet)
    await operator.dies_once(broken="provision_forgets")
    await operator.dies_once(broken="provision_forgets")
    await operator.provisions(broken="provision_forgets")
    after = await at_aws(fleet)
    assert after["numbers"] - before["numbers"] > 1


async def test_kill_9_in_a_teardown_is_finished_by_the_next_one(fleet, operator):
    """Each run dies right after AWS took something away; the last one leaves nothing but the default list."""
    await fleet.ensure("api")
    before = await at_aws(fleet)
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
    assert await at_aws(fleet) == before
