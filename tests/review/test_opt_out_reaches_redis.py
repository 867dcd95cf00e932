"""An opt-out that was stored while Redis was away."""

import asyncio
from datetime import UTC, datetime

from gateway.clock import FixedClock
from gateway.intake.policies import Policies
from gateway.lanes.errors import RedisUnavailable
from tenants.ids import new_uuid


class BlinkingGate:
    """Admission's copy, which cannot be written while `away`."""

    def __init__(self) -> None:
        self.away = False
        self.opted_out = set()

    async def project(self, _policy, read_opt_outs=None, **_holds):
        """Take the policy, and every opt-out where they are given."""
        self._look()
        if read_opt_outs is not None:
            self.opted_out = {each for hashes in (await read_opt_outs()).values() for each in hashes}
        return True

    async def add_opt_out(self, _tenant_id, _list_name, recipient_hash):
        """Take one."""
        self._look()
        self.opted_out.add(recipient_hash)

    def _look(self) -> None:
        if self.away:
            raise RedisUnavailable("away")


class Snapshot:
    """As much of a snapshot as this needs."""

    def __init__(self, tenant_id, version=1) -> None:
        self.tenant_id = tenant_id
        self.version = version
        self.read_at = datetime.now(UTC)


async def no_holds(tenant_id, *, prefixes=None):
    """Nothing is held for pumping."""
    return []


async def test_an_opt_out_stored_while_redis_blinked_is_in_force_soon_after(monkeypatch):
    """Redis kept its memory and its readiness, so nothing else would project it: STOP would be ignored."""
    monkeypatch.setattr("gateway.intake.policies.policy_of", lambda snapshot: snapshot)
    gate, tenant = BlinkingGate(), new_uuid()

    async def read(_tenant_id):
        return Snapshot(_tenant_id)

    async def stored(_tenant_id):
        return {"all": [b"stop"]}

    policies = Policies(
        read=read,
        read_recipients=stored,
        read_lists_of=None,
        read_override=None,
        read_holds=no_holds,
        gate=gate,
        clock=FixedClock(datetime.now(UTC)),
    )
    gate.away = True
    await policies.opt_out_changed(tenant, "all", b"stop", opted_out=True)
    await policies.repair()
    gate.away = False
    await policies.repair()
    assert gate.opted_out == {b"stop"}


async def test_a_change_that_comes_during_a_read_is_read_again(monkeypatch):
    """A read that began before the change must not be taken for its answer: a suspension would wait 30 s."""
    monkeypatch.setattr("gateway.intake.policies.policy_of", lambda snapshot: snapshot.version)
    truth, begun, go_on, projected = [1], asyncio.Event(), asyncio.Event(), []

    class Gate:
        async def project(self, policy, _read=None, **_holds):
            projected.append(policy)

    async def read(_tenant_id):
        version = truth[0]
        begun.set()
        await go_on.wait()
        return Snapshot(_tenant_id, version)

    policies = Policies(
        read=read,
        read_recipients=None,
        read_lists_of=None,
        read_override=None,
        read_holds=no_holds,
        gate=Gate(),
        clock=FixedClock(datetime.now(UTC)),
    )
    tenant = new_uuid()
    early = asyncio.create_task(policies.of(tenant))
    await begun.wait()
    truth[0] = 2
    late = asyncio.create_task(policies.changed(tenant))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(early, late)
    assert projected == [2]
    assert (await policies.of(tenant)).version == 2
