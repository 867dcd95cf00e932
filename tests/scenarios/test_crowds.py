"""Deployments, crowds and storms: the faults of ordinary days (rows 26, 30 and 31)."""

import asyncio
import os
import time

import pytest

from tests.harness.clients import new_clients
from tests.harness.judging import judge
from tests.harness.waiting import until

ROUNDS = int(os.environ.get("SCENARIO_ROUNDS", "1"))

pytestmark = pytest.mark.scenario


async def deployed(fleet, *, broken=""):
    """Replace every process under load, in order; the verdict, and the marks that dispatchers left behind."""
    slow = {"SendTextMessage": {"latency_after_ms": 300}}
    await fleet.emulate("faults", {"actions": slow, "receipts": {"delay_ms": 2_000}})
    clients, dispatchers, left = await new_clients(fleet), ("dispatcher 0", "dispatcher 1"), 0
    await asyncio.gather(*(fleet.start(name, broken=broken) for name in dispatchers))
    sending = asyncio.create_task(clients.send(120 * ROUNDS, at_once=4, pause_s=0.1))
    for _ in range(ROUNDS):
        await until(lambda: fleet.database.fetchval(_MARKS))
        await asyncio.gather(*(told_to_stop(fleet, name) for name in dispatchers))
        left += await fleet.database.fetchval(_MARKS)
        await asyncio.gather(*(fleet.start(name, broken=broken) for name in dispatchers))
        for name in ("api", "workers"):
            await told_to_stop(fleet, name)
            await fleet.start(name)
    await sending
    return await judge(fleet, clients, unknown_at_most=0), left


_MARKS = "SELECT count(*) FROM dispatch_queue WHERE state IN ('dispatching', 'unknown')"


async def told_to_stop(fleet, name):
    """SIGTERM, and an end in order."""
    assert await fleet.processes[name].terminate() == 0, fleet.processes[name].wrote[-2000:]


async def test_a_deployment_leaves_nothing_unknown(fleet):
    """Row 31: whoever is told to stop finishes what is on the wire."""
    verdict, left = await deployed(fleet)
    assert (verdict.but_delivered_once(), left) == ([], 0)


async def test_a_worker_that_does_not_drain_is_found_out(fleet):
    """The checker of row 31 on a build that ends at once."""
    _, left = await deployed(fleet, broken="no_drain")
    assert left > 0


HOT_SENDS = int(os.environ.get("SCENARIO_HOT_SENDS", "200"))
QUIET_TENANTS = 4
QUIET_SENDS = 2
AT_MOST_BEFORE = 40
"""Messages of the hot tenant before the last of the quiet ones: their turns, and what was claimed at once."""


async def crowded(fleet, *, broken=""):
    """Let quiet tenants stand behind a hot one at a shared number; how many of the hot went before them."""
    hot = await new_clients(fleet, parts_per_second=200)
    quiet = [await new_clients(fleet) for _ in range(QUIET_TENANTS)]
    for each in quiet:
        await share_number(fleet, hot, each)
    await fleet.start("api", broken=broken)  # reads everybody's senders anew
    await hot.send(HOT_SENDS, at_once=16, types=["transactional"])
    await asyncio.gather(*(each.send(QUIET_SENDS, types=["transactional"]) for each in quiet))
    numbers = "SELECT count(DISTINCT sender_id) FROM messages WHERE tenant_id = ANY($1::uuid[])"
    tenants = [each.tenant_id for each in (*quiet, hot)]
    assert await fleet.database.fetchval(numbers, tenants) == 1
    await fleet.start("dispatcher", broken=broken)
    verdicts = [await judge(fleet, each) for each in (*quiet, hot)]
    assert [found for verdict in verdicts for found in verdict.but_delivered_once()] == []
    order = [line["context"].get("tg_m") for line in fleet.truth()]
    last_quiet = max(order.index(each) for verdict in verdicts[:-1] for each in verdict.sends)
    return sum(1 for each in order[:last_quiet] if each in verdicts[-1].sends)


async def share_number(fleet, owner, guest):
    """Let a tenant send from another's numbers instead of its own, as tenants of an operator's number do."""
    async with fleet.database.acquire() as connection, connection.transaction():
        for statement in _SHARE:
            await connection.execute(statement, owner.tenant_id, guest.tenant_id)


_SHARE = (
    """
    INSERT INTO senders SELECT (jsonb_populate_record(s, jsonb_build_object('tenant_id', $2::uuid))).*
    FROM senders s WHERE tenant_id = $1
    """,
    """
    UPDATE pool_senders p SET sender_id = theirs.id FROM senders own, senders theirs
    WHERE p.tenant_id = $2 AND own.tenant_id = $2 AND own.id = p.sender_id
        AND theirs.tenant_id = $1 AND theirs.message_types = own.message_types
    """,
    """
    DELETE FROM senders WHERE tenant_id = $2 AND id NOT IN (SELECT id FROM senders WHERE tenant_id = $1)
    """,
)


async def test_a_hot_tenant_does_not_stand_in_the_others_way(fleet):
    """Row 26: a hundred times their load, and they go after a few turns."""
    assert await crowded(fleet) <= AT_MOST_BEFORE


async def test_first_come_first_served_is_found_out(fleet):
    """The checker of row 26 on a build whose lanes do not tell tenants apart."""
    assert await crowded(fleet, broken="tenants_share_a_flow") > AT_MOST_BEFORE


GOODPUT = float(os.environ.get("SCENARIO_GOODPUT", "0.8"))
"""Share of the peak that must be back."""
BACK_WITHIN_S = float(os.environ.get("SCENARIO_BACK_WITHIN_S", "30"))
SULKED_FOR_S = 6.0
"""How long a broken build is watched; it would do nothing for a minute."""
CALM, STORM = 4, 40
WINDOW_S = 2.0
PATIENT = 2
"""Times what a line of all of them takes at the peak: who gives up sooner is served by nobody."""
SLOWER_AT_MOST = 0.3
"""A machine on which the calm ones, too, get less than before is compared with what they get now."""


async def away(fleet):
    """Nothing listens for Postgres."""
    await fleet.to_postgres.refuse()


async def half_lost(fleet):
    """Every other answer of Postgres breaks its connection, and the others are late."""
    fleet.to_postgres.lose_rate, fleet.to_postgres.delay_s = 0.5, 0.1


class Askers:
    """Clients of one tenant that ask and ask again, and how often they were told yes."""

    def __init__(self, clients):
        self.clients, self.accepted_at, self.groups = clients, [], []

    def begin(self, at_once, *, patience_s):
        """Let so many more ask."""
        stop = asyncio.Event()
        asking = self.clients.send_until(stop, self.accepted_at, at_once=at_once, patience_s=patience_s)
        self.groups.append((stop, asyncio.create_task(asking)))

    async def per_second(self):
        """Watch for a while."""
        begin = time.monotonic()
        await asyncio.sleep(WINDOW_S)
        return sum(1 for each in self.accepted_at if each >= begin) / (time.monotonic() - begin)

    async def end(self, *, cut_off):
        """Let each have its answer, or none; what went wrong with one is raised."""
        for stop, asking in self.groups:
            stop.set()
            if cut_off:
                asking.cancel()
        ended = await asyncio.gather(*(asking for _, asking in self.groups), return_exceptions=True)
        assert cut_off or not any(ended), ended

    async def abate(self):
        """Let those who came last fall silent, as far as they can be brought to."""
        stop, asking = self.groups[-1]
        stop.set()
        await asyncio.wait({asking}, timeout=WINDOW_S)


async def goodput_after_an_outage(fleet, *, outage=away, broken="", within_s=BACK_WITHIN_S):
    """Take Postgres away, let ten times the clients ask meanwhile; the best share of the peak soon after."""
    await fleet.start("api", broken=broken)
    askers = Askers(await new_clients(fleet))
    try:
        askers.begin(CALM, patience_s=CALM)
        await until(lambda: _some(len(askers.accepted_at) > 20), within_s=60)
        peak = await askers.per_second()
        await outage(fleet)
        askers.begin(STORM - CALM, patience_s=max(1.0, PATIENT * STORM / peak))
        await asyncio.sleep(WINDOW_S)
        await fleet.to_postgres.heal()
        best, healed = 0.0, time.monotonic()
        while best < GOODPUT * peak and time.monotonic() - healed < within_s:
            best = max(best, await askers.per_second())
        if best < GOODPUT * peak:
            await askers.abate()
            peak = max(await askers.per_second(), peak * SLOWER_AT_MOST)
    finally:
        await askers.end(cut_off=bool(broken))
    if not broken:
        await fleet.start("dispatcher")
        assert (await judge(fleet, askers.clients)).but_delivered_once() == []
    return best / peak


@pytest.mark.parametrize("outage", [away, half_lost])
async def test_a_storm_of_retries_after_an_outage_passes(fleet, outage):
    """Row 30: ten times the clients repeat what was refused, and the API serves as before."""
    assert await goodput_after_an_outage(fleet, outage=outage) >= GOODPUT


async def test_an_outage_that_is_nursed_too_long_is_found_out(fleet):
    """The checker of row 30 on a build that commits nothing for a minute after one."""
    assert await goodput_after_an_outage(fleet, broken="sulking_flusher", within_s=SULKED_FOR_S) < GOODPUT


async def _some(value):
    return value
