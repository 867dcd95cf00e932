"""
Dispatchers that die or stand still at a named point (rows 6 to 9 of the failure model).

SCENARIO_KILLS is the number of kills per fault point. What a kill leaves is settled by the clocks: the lease
(6 s here) and the wait for a receipt (4 s here).
"""

import contextlib
import os
import signal
import time

import pytest

from gateway.faultpoints import FaultPoint
from tests.harness.clients import TYPES, new_clients
from tests.harness.conviction import convicted
from tests.harness.fleet import IN_FLIGHT, LEASE_S, UNKNOWN_WAIT_S
from tests.harness.judging import judge
from tests.harness.waiting import until

KILLS = int(os.environ.get("SCENARIO_KILLS", "1"))
BURST = 9
SETTLED_WITHIN_S = LEASE_S + UNKNOWN_WAIT_S + 60
"""What is final ends the wait, so only a broken build takes as long, or a machine that is very busy."""

pytestmark = pytest.mark.scenario


async def killed_at(fleet, *points, broken="", receipts_after_ms=0, within_s=SETTLED_WITHIN_S, types=TYPES):
    """Send a burst into each dispatcher, which dies at its point; then let a sound one go on; the verdict."""
    slow = {"SendTextMessage": {"latency_after_ms": ALL_ARE_TAKEN_MS}}
    await fleet.emulate("faults", {"actions": slow, "receipts": {"delay_ms": receipts_after_ms}})
    clients = await new_clients(fleet)
    for point in points:
        for _ in range(KILLS):
            doomed = await fleet.start("dispatcher", fault=f"{point}:kill", broken=broken)
            await clients.send(BURST, types=types)
            await lure(doomed, clients, types)
            assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("dispatcher", broken=broken)
    return await judge(fleet, clients, within_s=within_s, unknown_at_most=KILLS * len(points) * IN_FLIGHT)


LURES = 9
LURED_WITHIN_S = 10.0
"""Longer than the relay needs for what was not pushed."""


async def lure(doomed, clients, types):
    """Send one more message each time that nothing came of the last, until the process has died of one."""

    async def dead():
        return not doomed.running

    for _ in range(LURES):
        with contextlib.suppress(TimeoutError):
            await until(dead, within_s=LURED_WITHIN_S)
            return
        await clients.send(1, types=types)


async def lanes_built(fleet):
    """Have the lanes there before the first message, or the relay would push it a second time."""
    builder = await fleet.start("dispatcher")

    async def both_routes():
        return builder.wrote.count('"lanes_rebuilt"') > 1

    await until(both_routes, within_s=90)
    await builder.terminate()


async def test_a_claim_that_was_never_marked_is_sent_once_by_another(fleet):
    """Row 6: the lease in Redis runs out, and nothing was in doubt for a moment."""
    verdict = await killed_at(fleet, FaultPoint.WORKER_AFTER_CLAIM)
    assert verdict.but_delivered_once() == []


async def test_a_lease_given_up_too_early_is_found_out(fleet):
    """The checker of row 6 on a build that settles before it marks."""

    async def scenario():
        await lanes_built(fleet)
        point = FaultPoint.WORKER_AFTER_CLAIM
        verdict = await killed_at(fleet, point, broken="settle_before_mark", within_s=LEASE_S + 5)
        return verdict.but_delivered_once()

    assert await convicted(fleet, scenario, "ended as queued", workers="no_audit")


AGAIN = "was sent more than once"
"""How often depends on what else pushed it meanwhile: a broken build may send a third time."""

BEFORE_THE_CALL = (FaultPoint.WORKER_AFTER_MARK, FaultPoint.WORKER_BEFORE_CALL)


def but_decided_by_type(verdict):
    """What is broken, or was not decided as the policy has it: an advertisement in doubt is given up."""
    in_doubt = [m for m in verdict.stored if m.resend_of_unknown or m.status == "unknown"]
    lacking = [] if in_doubt else ["nothing was in doubt"]
    return (
        verdict.broken
        + lacking
        + [f"{m.id} {AGAIN}" for m in verdict.stored if verdict.sends[m.id] > 1]
        + [
            f"{m.id} is an advertisement in doubt and ended as {m.status}"
            for m in in_doubt
            if m.type == "promotional" and (m.status != "unknown" or m.resend_of_unknown)
        ]
    )


async def test_a_mark_without_a_call_is_decided_by_the_type_of_the_text(fleet):
    """Row 7: nobody can know that nothing left, so a code is sent once more and an advertisement never."""
    verdict = await killed_at(fleet, *BEFORE_THE_CALL)
    assert but_decided_by_type(verdict) == []


async def test_an_advertisement_that_is_resent_is_found_out(fleet):
    """The checker of row 7 on a build that resends whatever is in doubt."""

    async def scenario():
        return but_decided_by_type(await killed_at(fleet, *BEFORE_THE_CALL, types=("promotional",)))

    assert await convicted(fleet, scenario, "promotional and was resent", workers="unknown_is_resent_at_once")


AFTER_THE_CALL = (
    FaultPoint.WORKER_AFTER_AWS,
    FaultPoint.WORKER_BEFORE_RECORD,
    FaultPoint.RECORD_IN_COMMIT,
    FaultPoint.RECORD_AFTER_COMMIT,
)
AFTER_THE_LEASE_MS = int((LEASE_S + 1) * 1000)
"""Late enough to find the attempt already unknown, early enough for its wait."""
BEFORE_THE_WAIT_ENDS_MS = int((LEASE_S + UNKNOWN_WAIT_S - 1) * 1000)
"""As late as a sound build still waits for, so that a hasty one has all the time to be hasty in."""
ALL_ARE_TAKEN_MS = 400
"""Answers come this late, so that AWS has taken the whole burst when the first of them kills."""


def but_sent_once(verdict):
    """What is broken, or was sent a second time although the first had been taken."""
    return verdict.broken + [
        f"{m.id} ({m.type}) {AGAIN}: {verdict.sends[m.id]} times"
        for m in verdict.stored
        if verdict.sends[m.id] > 1
    ]


async def test_a_receipt_with_our_context_spares_the_resend(fleet):
    """Row 8: AWS took the text and the worker died before it wrote so; a receipt names the message."""
    verdict = await killed_at(fleet, *AFTER_THE_CALL, receipts_after_ms=AFTER_THE_LEASE_MS)
    assert but_sent_once(verdict) == []
    assert len(verdict.flagged) <= len(verdict.stored) / 10, "receipts were in time for nearly all"


@pytest.mark.parametrize("broken", ["unknown_is_resent_at_once", "redis_decides_alone"])
async def test_a_second_text_is_found_out(fleet, broken):
    """The checker of row 8 on builds that do not wait for the receipt, or do not mark before the call."""

    async def scenario():
        late, point = BEFORE_THE_WAIT_ENDS_MS, FaultPoint.WORKER_AFTER_AWS
        return but_sent_once(await killed_at(fleet, point, broken=broken, receipts_after_ms=late))

    assert await convicted(fleet, scenario, AGAIN, workers=broken)


async def stopped_at(fleet, *points, broken="", types=TYPES):
    """Stop dispatchers at their points until another has done their work, then wake them; the verdicts."""
    slow = {"SendTextMessage": {"latency_after_ms": ALL_ARE_TAKEN_MS}}
    await fleet.emulate("faults", {"actions": slow, "receipts": {"delay_ms": 1_000}})
    frozen, tenants = [], []
    for number, point in enumerate(points):
        tenants.append(await new_clients(fleet))
        frozen.append(await fleet.start(f"dispatcher {number}", fault=f"{point}:stop", broken=broken))
        await tenants[-1].send(BURST, types=types)
        await frozen[-1].stands_still()
    await fleet.start("dispatcher", broken=broken)
    for clients in tenants:
        await judge(fleet, clients, within_s=SETTLED_WITHIN_S)
    for process in frozen:
        assert await process.terminate() == 0, process.wrote[-2000:]
    return [
        await judge(fleet, clients, within_s=SETTLED_WITHIN_S, unknown_at_most=IN_FLIGHT * len(points))
        for clients in tenants
    ]


async def test_a_worker_that_wakes_up_after_its_lease_sends_nothing(fleet):
    """Row 9: SIGSTOP past the lease, SIGCONT when another has done the work."""
    points = (*BEFORE_THE_CALL, FaultPoint.WORKER_AFTER_AWS, FaultPoint.WORKER_BEFORE_RECORD)
    for verdict in await stopped_at(fleet, *points):
        assert but_sent_once(verdict) == []


async def test_a_mark_that_does_not_age_is_found_out(fleet):
    """The checker of row 9 on a build that calls however old its mark is, of texts that are resent."""

    async def scenario():
        point, resent = FaultPoint.WORKER_AFTER_MARK, ("otp", "transactional")
        [verdict] = await stopped_at(fleet, point, broken="old_marks_send", types=resent)
        return but_sent_once(verdict)

    assert await convicted(fleet, scenario, AGAIN)


ON_THE_WIRE_MS = 2_500
"""Long enough for a worker that wakes up meanwhile to get to its mark, and less than a call may take."""


async def overtaken(fleet, *, broken=""):
    """Stop a dispatcher with its claims until another has them on the wire, then wake it; the verdict."""
    await fleet.emulate("faults", {"actions": {"SendTextMessage": {"latency_after_ms": ON_THE_WIRE_MS}}})
    clients = await new_clients(fleet)
    fault = f"{FaultPoint.WORKER_AFTER_CLAIM}:stop"
    frozen = await fleet.start("dispatcher 0", fault=fault, broken=broken)
    await clients.send(IN_FLIGHT // 2)
    await frozen.stands_still()
    await fleet.start("dispatcher", broken=broken)
    taken = "SELECT bool_and(state = 'dispatching') FROM dispatch_queue WHERE tenant_id = $1"
    await until(lambda: fleet.database.fetchval(taken, clients.tenant_id), within_s=LEASE_S + 60)
    assert await frozen.terminate() == 0, frozen.wrote[-2000:]
    return await judge(fleet, clients, within_s=SETTLED_WITHIN_S)


async def test_a_claim_that_another_has_on_the_wire_is_not_sent(fleet):
    """Row 9: the one who wakes up asks Postgres, which says that the message no longer waits."""
    assert (await overtaken(fleet)).but_delivered_once() == []


async def test_a_mark_without_a_condition_is_found_out(fleet):
    """The checker of row 9 on a build whose mark does not look whether the message still waits."""

    async def scenario():
        return but_sent_once(await overtaken(fleet, broken="unconditional_mark"))

    assert await convicted(fleet, scenario, AGAIN)


MOST_DEATHS = 3
"""Before the fourth dispatcher takes the message out instead of trying it."""


async def poisoned(fleet, *, broken="", without_redis=False):
    """Let one message end each dispatcher that takes it, until it is taken out; deaths and verdict."""
    clients, deaths = await new_clients(fleet), 0
    await lanes_built(fleet)
    if without_redis:
        await fleet.to_redis.refuse()
    await clients.send(1, types=["transactional"])
    gone = "SELECT count(*) FROM quarantined_messages WHERE tenant_id = $1"

    async def dead_or_gone():
        return not doomed.running or await fleet.database.fetchval(gone, clients.tenant_id)

    while not await fleet.database.fetchval(gone, clients.tenant_id) and deaths <= MOST_DEATHS:
        fault = f"{FaultPoint.WORKER_BEFORE_MARK}:kill"
        doomed = await fleet.start("dispatcher", fault=fault, broken=broken, SCENARIO_LEASE_S="2")
        await until(dead_or_gone, within_s=90)
        deaths += not doomed.running
    await fleet.start("dispatcher", broken=broken)
    await clients.send(BURST, types=["transactional"])
    if without_redis:
        await fleet.to_redis.accept()
    return deaths, await judge(fleet, clients, within_s=SETTLED_WITHIN_S)


async def test_a_message_that_ends_its_dispatchers_is_taken_out_and_its_lane_goes_on(fleet):
    """Row 25: three deaths, then quarantine: not sent, not charged, and known to the operator."""
    deaths, verdict = await poisoned(fleet)
    assert (deaths, verdict.broken) == (MOST_DEATHS, [])
    assert sorted((m.status, verdict.sends[m.id]) for m in verdict.stored) == [
        *[("delivered", 1)] * BURST,
        ("failed", 0),
    ]


async def test_a_message_that_ends_dispatchers_for_ever_is_found_out(fleet):
    """The checker of row 25 on a build without the quarantine."""
    deaths, _ = await poisoned(fleet, broken="poison_is_tried_on")
    assert deaths > MOST_DEATHS


async def test_a_message_that_ends_its_dispatchers_is_taken_out_without_redis_too(fleet):
    """Row 25 while Redis is away: it was counted by nobody, and ended dispatchers for as long."""
    deaths, verdict = await poisoned(fleet, without_redis=True)
    assert deaths < MOST_DEATHS
    assert verdict.broken == []
    assert sorted((m.status, verdict.sends[m.id]) for m in verdict.stored) == [
        *[("delivered", 1)] * BURST,
        ("failed", 0),
    ]


STOPS_WITHIN_S = 3


@pytest.mark.parametrize("silent", [False, True])
async def test_a_dispatcher_ends_in_time_while_postgres_is_away(fleet, silent):
    """It waited for Postgres until whoever runs it lost patience and killed it, and nothing was told."""
    clients = await new_clients(fleet)
    slow = {"SendTextMessage": {"latency_after_ms": 2_000}}
    await fleet.emulate("faults", {"actions": slow})
    stopped = await fleet.start("dispatcher", TOLLGATE_STOP_WITHIN_S=str(STOPS_WITHIN_S))
    await clients.send(1, types=["otp"])
    on_the_wire = "SELECT bool_and(state = 'dispatching') FROM dispatch_queue WHERE tenant_id = $1"
    await until(lambda: fleet.database.fetchval(on_the_wire, clients.tenant_id), within_s=30)
    if silent:
        fleet.to_postgres.freeze()
    else:
        await fleet.to_postgres.refuse()
    began = time.monotonic()
    assert await stopped.terminate() == 0, stopped.wrote[-2000:]
    assert time.monotonic() - began < STOPS_WITHIN_S * 4
    assert '"stop_cut_short"' in stopped.wrote
    await fleet.to_postgres.heal()
    await fleet.emulate("faults", {})
    await fleet.start("dispatcher")
    verdict = await judge(fleet, clients, within_s=SETTLED_WITHIN_S, unknown_at_most=1)
    assert verdict.broken == []
