"""Schedulers that die between AWS's answer and the commit: no second registration, number or submission."""

import io
import os
import signal
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from gateway.faultpoints import FaultPoint
from tests.harness.fleet import OPERATOR_KEY
from tests.harness.waiting import eventually
from tests.integration.carrier.registration_values import BRAND, CAMPAIGN, TOLL_FREE
from tests.scenarios.account_things import account, every, of_registration

KILLS = int(os.environ.get("SCENARIO_KILLS", "1"))
FIRST_VERSION = (
    FaultPoint.REGISTRATION_CREATED,
    FaultPoint.REGISTRATION_UPLOADED,
    FaultPoint.REGISTRATION_FIELD_PUT,
    FaultPoint.REGISTRATION_NUMBER_REQUESTED,
    FaultPoint.REGISTRATION_TIED,
    FaultPoint.REGISTRATION_SUBMITTED,
)
HANDED_IN = ("submitted", "reviewing", "provisioning", "complete")
"""Emulated reviewers are quick."""

pytestmark = pytest.mark.scenario


class Registrant:
    """One tenant's toll-free registration, entered by the operator."""

    def __init__(self, fleet, api, tenant):
        self.fleet, self.api = fleet, api
        self.all = self.home = f"/v1/admin/tenants/{tenant}/registrations"
        self.senders = f"/v1/admin/tenants/{tenant}/senders"

    async def call(self, method, path, **more):
        """Call the operator's API and return what it says."""
        answer = await self.api.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def submit(self):
        """Fill, confirm and submit."""
        body = {"type": "US_TOLL_FREE_REGISTRATION", "name": "Codes", "values": TOLL_FREE}
        made = await self.call("POST", self.home, json=body)
        self.home += f"/{made['id']}"
        buffer = io.BytesIO()
        Image.new("RGB", (60, 40), "white").save(buffer, "PNG")
        place = f"{self.home}/attachments?field=messagingUseCase.optInImage"
        await self.call("POST", place, content=buffer.getvalue())
        await self.call("POST", f"{self.home}/confirm-cost", json={"monthly_usd": "2.00"})
        await self.call("POST", f"{self.home}/submit")

    async def hand_in(self, kind, values, **more):
        """Fill and submit a registration without pictures or costs; return its id."""
        body = {"type": kind, "name": kind, "values": values, **more}
        made = await self.call("POST", self.all, json=body)
        self.home = f"{self.all}/{made['id']}"
        await self.call("POST", f"{self.home}/submit")
        return made["id"]

    async def comes_to(self, *statuses):
        """Return the registration once it has one of these states."""

        async def look():
            shown = await self.call("GET", self.home)
            return shown if shown["status"] in statuses else None

        return await eventually(look, within_s=120)

    async def dies_at(self, point, broken=""):
        """Let a scheduler die at a point, and none run afterwards."""
        for _ in range(KILLS):
            doomed = await self.fleet.start("workers", fault=f"{point}:kill", broken=broken)
            assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]


async def versions_at_aws(fleet, aws_id):
    """The states of a registration's versions, the oldest first."""
    async with account(fleet) as aws:
        shown = await every(
            aws, "describe_registration_versions", "RegistrationVersions", RegistrationId=aws_id
        )
    return [each["RegistrationVersionStatus"] for each in reversed(shown)]


@pytest.fixture
async def registrant(fleet):
    """A tenant and the operator who registers it."""
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(
        base_url=fleet.api_url, headers=headers, timeout=120, trust_env=False
    ) as api:
        body = {"name": "Acme", "slug": f"r-{uuid4().hex[:12]}", "model": 2, "countries": ["US"]}
        made = await api.post("/v1/admin/tenants", json=body)
        assert made.status_code == 201, made.text
        yield Registrant(fleet, api, made.json()["id"])


async def test_kill_9_after_any_step_costs_no_second_number_or_submission(fleet, registrant):
    """Each step, and a new version after a denial, is cut off between its answer and its commit."""
    await fleet.kill("workers")
    await registrant.submit()
    for point in FIRST_VERSION:
        await registrant.dies_at(point)
    await fleet.start("workers")
    shown = await registrant.comes_to(*HANDED_IN)
    aws_id = shown["aws_registration_id"]
    assert len(await versions_at_aws(fleet, aws_id)) == 1
    await registrant.comes_to("complete")
    await fleet.kill("workers")
    await registrant.call("POST", f"{registrant.home}/versions")
    await registrant.call("POST", f"{registrant.home}/submit")
    await registrant.dies_at(FaultPoint.REGISTRATION_VERSION_MADE)
    await fleet.start("workers")
    await registrant.comes_to(*HANDED_IN)
    assert await of_registration(fleet, shown["id"]) == (1, 1)
    assert len(await versions_at_aws(fleet, aws_id)) == len(("approved", "handed in again"))


async def test_kill_9_around_a_campaigns_number_costs_no_second_one(fleet, registrant):
    """10DLC: the number comes after the approval, and is requested and tied in two calls."""
    await fleet.ensure("workers")
    brand = await registrant.hand_in("US_TEN_DLC_BRAND_REGISTRATION", BRAND)
    await registrant.comes_to("complete")
    await registrant.hand_in("US_TEN_DLC_CAMPAIGN_REGISTRATION", CAMPAIGN, parent=brand)
    await registrant.comes_to("complete")
    await fleet.kill("workers")
    await registrant.call("POST", f"{registrant.home}/confirm-cost", json={"monthly_usd": "1.00"})
    await registrant.dies_at(FaultPoint.REGISTRATION_NUMBER_REQUESTED)
    await registrant.dies_at(FaultPoint.REGISTRATION_TIED)
    await fleet.start("workers")

    async def active():
        shown = await registrant.call("GET", registrant.senders)
        return [each for each in shown["data"] if each["state"] == "active"]

    (sender,) = await eventually(active, within_s=120)
    shown = await registrant.call("GET", registrant.home)
    assert sender["value"] == shown["number"]["phone_number"]
    assert await of_registration(fleet, shown["id"]) == (1, 1)


async def test_a_build_that_forgets_what_it_asked_for_buys_twice(fleet, registrant):
    """The checker on a build with a new token for every try, that looks for nothing."""
    await fleet.kill("workers")
    await registrant.submit()
    await registrant.dies_at(FaultPoint.REGISTRATION_NUMBER_REQUESTED, broken="registration_forgets")
    await fleet.start("workers", broken="registration_forgets")
    shown = await registrant.comes_to(*HANDED_IN)
    assert (await of_registration(fleet, shown["id"]))[1] > 1


async def test_kill_9_between_two_countries_asks_for_no_sender_id_twice(fleet, registrant):
    """A sender id ordered in bulk: AWS has the first, and nobody wrote it down."""
    await fleet.kill("workers")
    bulk = registrant.home.replace("registrations", "sender-ids/bulk")
    value = f"K{uuid4().hex[:8].upper()}"
    await registrant.call("POST", bulk, json={"sender_id": value, "countries": ["GB", "FR"]})
    await registrant.dies_at(FaultPoint.SENDER_ID_REQUESTED)
    await fleet.database.execute("UPDATE bulk_sender_ids SET due_at = now()")  # the dead one's lease is over
    await fleet.start("workers")

    async def settled():
        report = await registrant.call("GET", bulk)
        return None if report["waiting"] else report

    report = await eventually(settled, within_s=120)
    assert {row["state"] for row in report["data"]} <= {"created", "adopted"}
    async with account(fleet) as aws:
        held = await every(aws, "describe_sender_ids", "SenderIds")
    assert sorted(each["IsoCountryCode"] for each in held if each["SenderId"] == value) == ["FR", "GB"]
