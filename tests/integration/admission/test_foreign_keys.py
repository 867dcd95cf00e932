"""What somebody else wrote under a tenant's keys is taken away, and never reads as an empty list."""

import pytest

from gateway.admission.mending import take_away_foreign
from gateway.admission.verdict import Admitted, Refused, Unprojected
from gateway.lanes.errors import WrongKind
from gateway.lanes.scripts import RedisScripts
from tests.integration.admission.conftest import RECIPIENT

REST = ["policy", "optout:all", "rate", "pump:held"]


@pytest.mark.parametrize("rest", REST)
async def test_a_foreign_key_goes_and_the_tenant_is_written_anew(tenant, client, rest):
    """In one step with the policy: in between, whoever said STOP could be written to."""
    scripts = RedisScripts(client)
    await tenant.project({"all": [RECIPIENT]}, requests_per_second=10.0)
    assert await take_away_foreign(scripts) == 0
    name = f"{tenant.prefix}:{rest}"
    await client.delete(name)
    await client.set(name, "foreign")
    assert await take_away_foreign(scripts) == 1
    assert isinstance(await tenant.ask(), Unprojected)
    await tenant.project({"all": [RECIPIENT]}, requests_per_second=10.0)
    assert await tenant.ask() == Refused(gate="opted_out")
    assert isinstance(await tenant.ask(recipient_hash=b"another"), Admitted)
    await scripts.aclose()


async def test_a_foreign_key_is_told_apart_from_a_redis_that_is_away(tenant, client):
    """Both are gone on without; this one does not pass by itself."""
    await tenant.project()
    await client.set(f"{tenant.prefix}:policy", "x")
    with pytest.raises(WrongKind, match=r"admit\.lua at \{t:"):
        await tenant.ask()
    await client.delete(f"{tenant.prefix}:policy")


async def test_what_is_no_tenants_stays(client):
    """Others' keys are theirs, whatever they look like."""
    scripts = RedisScripts(client)
    names = ["{t:acme}:policy", "{t:" + "0" * 32 + "}:ours"]
    for name in names:
        await client.set(name, "x")
    assert await take_away_foreign(scripts) == 0
    assert await client.exists(*names) == len(names)
    await client.delete(*names)
    await scripts.aclose()
