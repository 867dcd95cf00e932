"""Policies and opt-outs on their way from Postgres to Redis."""

import asyncio
from uuid import UUID

from gateway.admission.verdict import Admitted, Refused, Unprojected
from tests.integration.admission.conftest import RECIPIENT


async def test_an_older_policy_never_replaces_a_newer_one(tenant):
    """Two processes project at once; the later version stands, whoever comes last."""
    await tenant.project(version=7, state="suspended")
    assert not await tenant.project(version=6, state="active")
    assert await tenant.ask(policy_version=7) == Refused(gate="tenant_suspended")


async def test_the_same_version_may_be_projected_again(tenant):
    """A rebuild does not need a new version."""
    assert await tenant.project()
    assert await tenant.project()


async def test_a_new_policy_forgets_what_the_old_one_allowed_and_keeps_the_opt_outs(tenant):
    """A template, a country and a rate that were taken away are gone."""
    await tenant.project({"all": [RECIPIENT]}, requests_per_second=1.0)
    policy = type(tenant.policy)(
        tenant_id=tenant.policy.tenant_id,
        version=6,
        state="active",
        live=True,
        free_text=True,
        countries=frozenset({"US"}),
    )
    assert await tenant.gate.project(policy)
    new = {"policy_version": 6}
    assert await tenant.ask(**new) == Refused(gate="template_not_allowed")
    assert await tenant.ask(**new, template=None, country="CA") == Refused(gate="country_not_allowed")
    assert await tenant.ask(**new, template=None) == Refused(gate="opted_out")
    assert await tenant.ask(**new, template=None, recipient_hash=b"other") == Admitted(
        remaining=None, reset_ms=0
    )


async def test_opt_outs_are_added_and_removed_one_by_one(tenant):
    """STOP and JOIN, also for a use case that had no list before."""
    await tenant.project()
    tenant_id = tenant.policy.tenant_id
    await tenant.gate.add_opt_out(tenant_id, "promotional", RECIPIENT)
    assert await tenant.ask() == Refused(gate="opted_out")
    await tenant.gate.remove_opt_out(tenant_id, "promotional", RECIPIENT)
    assert isinstance(await tenant.ask(), Admitted)


async def test_replacing_the_opt_outs_drops_the_lists_that_are_no_longer_there(tenant):
    """What Postgres does not have must not refuse."""
    await tenant.project({"promotional": [RECIPIENT]})
    await tenant.project({"all": [b"another-one"]})
    assert isinstance(await tenant.ask(), Admitted)


async def test_an_opt_out_that_arrives_during_a_replacement_is_not_lost(tenant):
    """It came after Postgres was read and before the new lists were swapped in."""
    await tenant.project()

    async def read():
        await tenant.gate.add_opt_out(tenant.policy.tenant_id, "all", RECIPIENT)
        await tenant.gate.remove_opt_out(tenant.policy.tenant_id, "all", b"came back")
        return {"all": [b"another-one", b"came back"]}

    assert await tenant.gate.project(tenant.policy, read)
    assert await tenant.ask() == Refused(gate="opted_out")
    assert isinstance(await tenant.ask(recipient_hash=b"came back"), Admitted)


async def test_a_hundred_thousand_opt_outs_are_replaced_in_pieces_and_all_hold(tenant, client):
    """No single command is large, and nothing is left over aside."""
    hashes = [number.to_bytes(8, "big") for number in range(100_000)]
    assert await tenant.project({"all": hashes})
    assert await client.scard(f"{tenant.prefix}:optout:all") == 100_000
    assert await client.ttl(f"{tenant.prefix}:optout:all") == -1
    assert await tenant.ask(recipient_hash=hashes[-1]) == Refused(gate="opted_out")
    left = [key async for key in client.scan_iter(match=f"{tenant.prefix}*")]
    assert {key.decode().removeprefix(tenant.prefix) for key in left} == {":policy", ":optout:all"}


async def test_two_replacements_at_once_leave_one_whole_list(tenant):
    """The second is told so and asks again."""
    await tenant.project()
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        entered.set()
        await go_on.wait()
        return {"all": [RECIPIENT]}

    first = asyncio.create_task(tenant.gate.project(tenant.policy, slow))
    await entered.wait()
    assert not await tenant.project({"all": []})
    go_on.set()
    assert await first
    assert await tenant.ask() == Refused(gate="opted_out")


async def test_a_replacement_that_lost_its_lock_changes_nothing(tenant, client):
    """Redis was emptied meanwhile: the tenant stays unprojected, to be projected again."""
    await tenant.project()

    async def read():
        await client.flushall()
        return {"all": [RECIPIENT]}

    assert not await tenant.gate.project(tenant.policy, read)
    assert await tenant.ask() == Unprojected()


async def test_tenants_do_not_see_each_others_opt_outs(tenant, client):
    """Every key carries the tenant."""
    other = type(tenant)(client)
    await tenant.project({"all": [RECIPIENT]})
    await other.project()
    assert other.policy.tenant_id != tenant.policy.tenant_id
    assert isinstance(await other.ask(), Admitted)


async def test_a_policy_with_very_many_templates_is_written_whole(tenant):
    """More fields than one Lua call may pass."""
    templates = {UUID(int=number): frozenset({1}) for number in range(10_000)}
    await tenant.project(templates=templates)
    assert isinstance(await tenant.ask(template=(UUID(int=9_999), 1)), Admitted)
