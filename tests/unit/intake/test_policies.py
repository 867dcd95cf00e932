"""The snapshots in memory: one read for many, and never an older one over a newer."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.clock import FixedClock
from gateway.intake.policies import Policies
from gateway.intake.snapshot import TenantSnapshot
from gateway.routing.facts import TenantRouting
from tenants.accounts.plan import Plan
from tenants.accounts.sealing import new_wrapped_key, unwrap

TENANT = UUID("0190a5c2-0000-7000-8000-000000000001")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = unwrap(new_wrapped_key("s" * 16), "s" * 16)


def snapshot(version):
    """The tenant at one version."""
    return TenantSnapshot(
        tenant_id=TENANT,
        version=version,
        state="active",
        live=True,
        model=2,
        plan=Plan(),
        countries=frozenset({"US"}),
        unit="micros",
        key=KEY,
        templates={},
        template_names={},
        routing=TenantRouting(senders={}, pools=(), routes={}, configuration_sets={}),
        read_at=NOW,
    )


async def turns():
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


class Gate:
    """Remembers which versions were projected."""

    def __init__(self):
        self.projected = []

    async def project(self, policy, _read_opt_outs=None, **_holds):
        """Take one policy."""
        self.projected.append(policy.version)


class Database:
    """Answers reads when told to, each with the version that stood when it began."""

    def __init__(self):
        self.version = 1
        self.gates = []

    async def read(self, _tenant_id):
        """Begin a read now; it ends when its event is set."""
        version, gate = self.version, asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return snapshot(version)


@pytest.fixture
def database():
    """A database of one tenant."""
    return Database()


@pytest.fixture
def gate():
    """The projection's far end."""
    return Gate()


@pytest.fixture
def policies(database, gate):
    """The snapshots under test."""

    async def nothing(*_):
        return frozenset()

    return Policies(
        read=database.read,
        read_recipients=nothing,
        read_lists_of=nothing,
        read_override=None,
        read_holds=None,
        gate=gate,
        clock=FixedClock(NOW),
    )


async def test_many_askers_share_one_read(policies, database):
    """A crowd after a restart must not become a crowd of queries."""
    asking = [asyncio.create_task(policies.of(TENANT)) for _ in range(20)]
    await turns()
    assert len(database.gates) == 1
    database.gates[0].set()
    assert {each.version for each in await asyncio.gather(*asking)} == {1}


async def test_a_change_is_read_anew_although_a_read_from_before_it_is_under_way(policies, database, gate):
    """Joining the older read would keep the old policy in force until the snapshot's age limit."""
    early = asyncio.create_task(policies.of(TENANT))
    await turns()
    database.version = 2
    change = asyncio.create_task(policies.changed(TENANT))
    await turns()
    database.gates[1].set()
    await change
    database.gates[0].set()
    await early
    assert gate.projected == [2]
    assert (await policies.of(TENANT)).version == 2


async def test_a_notice_about_a_tenant_nobody_holds_reads_nothing(policies, database):
    """Each process hears of every tenant's changes; only those it serves are its business."""
    await policies.noticed(TENANT)
    assert database.gates == []
