"""A provisioning run is seen while it goes on, by the API and in a browser without scripts."""

from gateway.carrier.account_turns import AccountTurns
from gateway.carrier.provision.runs import begun
from tenants.ids import new_uuid


async def seen(operator, customer) -> tuple[str, list[str]]:
    """Return the state of the newest run and of its steps."""
    answer = await operator.get(f"/v1/admin/tenants/{customer.id}/provision/runs?limit=1")
    (run,) = answer.json()["data"]
    return run["state"], [each["state"] for each in run["steps"]]


async def test_steps_are_seen_as_they_happen(world, desk, operator, customer) -> None:
    """Not at the end: a run may take minutes at AWS's one request a second."""
    engine, account = world.services.operator_engine, new_uuid()
    page = f"/console/operator/tenants/{customer.id}/provisioning"
    assert "Nothing was provisioned yet" in (await desk.open(page)).text
    async with AccountTurns(engine).turn(account):
        progress = await begun(customer.scope, engine, account, ["topic", "pool", "changes"])
        assert await seen(operator, customer) == ("running", ["waiting"] * 3)
        async with progress.step("topic"):
            assert await seen(operator, customer) == ("running", ["running", "waiting", "waiting"])
        async with progress.step("pool"):
            assert await seen(operator, customer) == ("running", ["done", "running", "waiting"])
            shown = (await desk.open(page)).text
            assert 'http-equiv="refresh"' in shown
            assert "1 of 3 steps" in shown
        async with progress.step("changes"):
            pass
        await progress.end("done")
        assert await seen(operator, customer) == ("done", ["done"] * 3)
    assert 'http-equiv="refresh"' not in (await desk.open(page)).text


async def test_a_run_whose_process_died_is_interrupted(world, operator, customer) -> None:
    """Its turn went with its connection; the next run closes it in the books."""
    engine, account = world.services.operator_engine, new_uuid()
    async with AccountTurns(engine).turn(account):
        await begun(customer.scope, engine, account, ["topic"])
    assert await seen(operator, customer) == ("interrupted", ["waiting"])
    async with AccountTurns(engine).turn(account):
        await begun(customer.scope, engine, account, ["topic"])
        rows = (await operator.get(f"/v1/admin/tenants/{customer.id}/provision/runs")).json()["data"]
    assert [each["state"] for each in rows] == ["running", "interrupted"]
