"""What somebody else wrote under a tenant's keys is taken away, and never reads as an empty list."""

from uuid import uuid4

import pytest

from gateway.admission.holds import Holds
from gateway.admission.mending import take_away_foreign
from gateway.admission.projection import override_list
from gateway.admission.pumping import watch
from gateway.admission.verdict import Admitted, Refused, Unprojected
from gateway.lanes.errors import ScriptFailed
from gateway.lanes.scripts import RedisScripts
from tenants.accounts.plan import Plan
from tenants.accounts.pumping_rules import Pumping
from tenants.countries.numbers import Number
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


@pytest.mark.parametrize("field", ["version", "request_us", "m:US", "d:US"])
async def test_a_policy_with_text_for_a_number_is_none_and_is_written_anew(tenant, client, field):
    """No rate may read as none, and none of it needs anybody's hand."""
    plan = {"requests_per_second": 10.0, "country_refuse_mps": {"US": 5.0}, "country_daily_caps": {"US": 9}}
    await tenant.project({"all": [RECIPIENT]}, **plan)
    assert await client.hexists(f"{tenant.prefix}:policy", field)
    await client.hset(f"{tenant.prefix}:policy", field, "foreign")
    assert isinstance(await tenant.ask(), Unprojected)
    if field == "request_us":
        assert isinstance(await tenant.count(), Unprojected)
    if field in {"request_us", "m:US"}:
        assert await tenant.gate.peek(tenant.policy.tenant_id, "US") is None
    await tenant.project({"all": [RECIPIENT]})
    assert await tenant.ask() == Refused(gate="opted_out")
    assert isinstance(await tenant.ask(recipient_hash=b"another"), Admitted)


async def test_an_override_that_nobody_can_read_is_not_there_until_it_is_written_anew(tenant, client):
    """Neither allowed nor blocked: Postgres is asked."""
    configuration = uuid4()
    overrides = {override_list(configuration): {RECIPIENT: b"B0"}}
    await tenant.project(overrides)
    await client.hset(f"{tenant.prefix}:override:{configuration.hex}", RECIPIENT, "Bforeign")
    assert isinstance(await tenant.ask(protect=configuration), Unprojected)
    await tenant.project(overrides)
    refused = Refused(gate="protect_blocked", scope="number_override")
    assert await tenant.ask(protect=configuration) == refused


async def test_counters_with_text_for_a_number_begin_anew(tenant, client):
    """As those that were lost with Redis's memory do; nobody is refused or let through for ever."""
    plan = {"requests_per_second": 2.0, "country_refuse_mps": {"US": 50.0}, "country_daily_caps": {"US": 3}}
    number = Number(e164="+12065550123", country="US", kind="mobile")
    watched_by = Plan(pumping=Pumping(mode="enforce"))
    watched = watch(watched_by, number, message_type="otp", template=None, live=True)
    await tenant.project({}, **plan)
    for turn in (1, 2):
        assert isinstance(await tenant.ask(watched=watched), Admitted), turn
        assert isinstance(await tenant.ask(watched=watched, counted=True), Admitted), turn
        names = [name async for name in client.scan_iter(match=f"{tenant.prefix}:*")]
        counters = [name for name in names if not name.endswith(b":policy")]
        assert len(counters) >= 6
        for name in counters:
            if await client.type(name) == b"string":
                await client.set(name, "foreign")
            else:
                for field in await client.hkeys(name):
                    await client.hset(name, field, "foreign")
    peek = await tenant.gate.peek(tenant.policy.tenant_id, "US", watched=watched, recipient_hash=RECIPIENT)
    assert (peek.requests_ms, peek.country_ms, peek.today, peek.hold) == (0, 0, 0, None)
    await client.unlink(*counters)


async def test_a_hold_that_nobody_can_read_holds_nothing(tenant, client):
    """Who lists them is shown the others."""
    await client.hset(
        f"{tenant.prefix}:pump:held",
        mapping={"otp|1206555": "2000000000000,1,1", "otp|1206556": "foreign", b"\xff": "2000000000000,9,1"},
    )
    found = await Holds(RedisScripts(client)).of(tenant.policy.tenant_id, now_ms=0)
    assert [each.hold.scope for each in found] == ["1206555"]


async def test_a_foreign_key_is_told_apart_from_a_redis_that_is_away(tenant, client):
    """Both are gone on without; this one does not pass by itself."""
    await tenant.project()
    await client.set(f"{tenant.prefix}:policy", "x")
    with pytest.raises(ScriptFailed, match=r"admit\.lua at \{t:"):
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
