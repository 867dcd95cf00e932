"""Blocks of suspected pumping, seen and lifted by the tenant and by the operator."""

import time

from gateway.admission.holds import HeldPrefix
from gateway.admission.pumping import Hold


def held(prefix: str = "96477012") -> HeldPrefix:
    until_ms = int(time.time() * 1000) + 900_000
    return HeldPrefix(
        workflow="otp", hold=Hold(rule="sequence", scope=prefix, until_ms=until_ms, enforced=True)
    )


async def test_a_tenant_sees_and_lifts_its_own_blocks_only(world, customer, stranger) -> None:
    """Someone else's block is not found."""
    world.services.pumping_holds.held[customer.scope.tenant_id] = [held()]
    (block,) = (await customer.api.get("/v1/protect/blocks")).json()["data"]
    assert (block["id"], block["prefix"], block["rule"]) == ("otp:96477012", "+96477012", "sequence")
    assert (await stranger.api.get("/v1/protect/blocks")).json()["data"] == []
    assert (await stranger.api.delete(f"/v1/protect/blocks/{block['id']}")).status_code == 404
    assert (await customer.api.delete(f"/v1/protect/blocks/{block['id']}")).status_code == 204
    assert (await customer.api.delete(f"/v1/protect/blocks/{block['id']}")).status_code == 404
    (row,) = [
        each
        for each in (await customer.api.get("/v1/audit")).json()["data"]
        if each["action"] == "pumping_block.lifted"
    ]
    assert row["subject"] == block["id"]


async def test_the_operator_sees_and_lifts_a_tenants_blocks(world, customer, operator) -> None:
    """And the trail says that it was the operator."""
    world.services.pumping_holds.held[customer.scope.tenant_id] = [held()]
    path = f"/v1/admin/tenants/{customer.id}/protect/blocks"
    (block,) = (await operator.get(path)).json()["data"]
    assert (await operator.delete(f"{path}/{block['id']}")).status_code == 204
    assert (await operator.get(path)).json()["data"] == []
    assert (await operator.get("/v1/admin/tenants/ten_x/protect/blocks")).status_code == 404
