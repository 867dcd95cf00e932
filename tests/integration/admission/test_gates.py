"""Each gate of admission: what it lets in, what it refuses, and that a refusal costs nothing."""

from uuid import UUID

import pytest

from gateway.admission.verdict import Admitted, Refused, StalePolicy, Unprojected
from tests.integration.admission.conftest import RECIPIENT, TEMPLATE

ADMITTED = Admitted(remaining=None, reset_ms=0)


@pytest.mark.parametrize(
    ("policy", "asked", "verdict"),
    [
        pytest.param({}, {}, ADMITTED, id="a tenant in good standing is admitted"),
        pytest.param(
            {}, {"policy_version": 4}, StalePolicy(version=5), id="an older policy at the edge is stale"
        ),
        pytest.param(
            {}, {"policy_version": 6}, Unprojected(), id="a newer policy at the edge must be projected"
        ),
        pytest.param({"state": "suspended"}, {}, Refused(gate="tenant_suspended"), id="suspended"),
        pytest.param({"state": "closed"}, {}, Refused(gate="tenant_suspended"), id="closed"),
        pytest.param({"live": False}, {}, Refused(gate="not_live"), id="a live key before going live"),
        pytest.param({"live": False}, {"live": False}, ADMITTED, id="a test key before going live"),
        pytest.param(
            {}, {"template": None}, Refused(gate="template_required"), id="free text without the right"
        ),
        pytest.param({"free_text": True}, {"template": None}, ADMITTED, id="free text with the right"),
        pytest.param({}, {"template": (TEMPLATE, 2)}, ADMITTED, id="an older version that is still approved"),
        pytest.param(
            {}, {"template": (TEMPLATE, 1)}, Refused(gate="template_not_allowed"), id="a version not approved"
        ),
        pytest.param(
            {"templates": {TEMPLATE: frozenset({12})}},
            {"template": (TEMPLATE, 2)},
            Refused(gate="template_not_allowed"),
            id="version 2 is not version 12",
        ),
        pytest.param(
            {"free_text": True},
            {"template": (UUID(int=78), 1)},
            Refused(gate="template_not_allowed"),
            id="an unknown template, even with the right to free text",
        ),
        pytest.param({}, {"country": "CA"}, ADMITTED, id="another allowed country"),
        pytest.param({}, {"country": "DE"}, Refused(gate="country_not_allowed"), id="a country not allowed"),
        pytest.param(
            {"countries": frozenset()}, {}, Refused(gate="country_not_allowed"), id="no countries allow none"
        ),
        pytest.param(
            {},
            {"estimated_wait_ms": 60_000},
            ADMITTED,
            id="a wait as long as the life of the message just fits",
        ),
        pytest.param(
            {},
            {"estimated_wait_ms": 61_500},
            Refused(gate="queue_full", retry_after_ms=1_500),
            id="a wait longer than the life of the message",
        ),
    ],
)
async def test_gate(tenant, policy, asked, verdict):
    """The order of the gates, with the answer of each."""
    await tenant.project(**policy)
    assert await tenant.ask(**asked) == verdict


@pytest.mark.parametrize(
    ("opt_outs", "use_cases", "refused"),
    [
        ({"all": [RECIPIENT]}, ("all", "promotional"), True),
        ({"promotional": [RECIPIENT]}, ("all", "promotional"), True),
        ({"promotional": [RECIPIENT]}, ("all",), False),
        ({"all": [b"another-one"]}, ("all", "promotional"), False),
        ({}, ("all",), False),
        ({"all": [RECIPIENT]}, (), False),
    ],
)
async def test_an_opt_out_refuses_the_use_cases_it_names(tenant, opt_outs, use_cases, refused):
    """A STOP to promotions does not stop a password; a STOP to all stops everything."""
    await tenant.project(opt_outs)
    verdict = await tenant.ask(use_cases=use_cases)
    assert verdict == (Refused(gate="opted_out") if refused else ADMITTED)


async def test_a_tenant_that_redis_does_not_know_is_unprojected(tenant):
    """After FLUSHALL the caller projects from Postgres and asks again."""
    assert await tenant.ask() == Unprojected()


async def test_a_policy_without_opt_outs_is_unprojected(tenant):
    """Missing opt-outs must never read as "nobody opted out"."""
    assert await tenant.gate.project(tenant.policy)
    assert await tenant.ask() == Unprojected()


async def test_the_first_closed_gate_is_the_one_that_is_named(tenant):
    """Everything is wrong at once: the tenant's state comes first."""
    await tenant.project({"all": [RECIPIENT]}, state="suspended", live=False, countries=frozenset())
    assert await tenant.ask(template=None, estimated_wait_ms=10**9) == Refused(gate="tenant_suspended")


async def test_a_decision_is_one_command(tenant, client):
    """The edge pays for one round trip."""
    await tenant.project()
    await tenant.ask()
    before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    await tenant.ask()
    assert (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before == 1
