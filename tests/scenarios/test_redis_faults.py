"""Redis restarted, emptied, swapped for a stale copy, full, read-only, away (rows 14 and 15)."""

import asyncio
import contextlib
import os
import signal

import pytest

from gateway.embedded import EmbeddedRedis
from gateway.faultpoints import FaultPoint
from tests.harness.clients import new_clients
from tests.harness.conviction import convicted
from tests.harness.judging import judge
from tests.harness.waiting import until

RATE = 30
SHARED_RATE = 8
"""So low that a very busy machine would reach twice of it, if it might."""
SENDS = 90
SHARED_SENDS = 100
"""A line of several seconds: a busy machine may keep a build that is too quick from showing it in one."""
AT_THE_SOCKET = 5
"""Sends that jitter of the machine moves from one second into the next; the grants are exact."""
SHARED_FOR_S = 3
"""What two dispatchers are judged by: in one second, jitter may be as much as what is looked for."""
MOST_SHARED = SHARED_RATE * SHARED_FOR_S + 1 + AT_THE_SOCKET
SILENT_FOR_S = 25.0
"""Longer than a client's patience, and than the time after which a Redis without an answer counts as away."""
BUILDS = int(os.environ.get("SCENARIO_BUILDS", "1"))
"""How many of the broken builds of one checker are tried."""
FOR_S = float(os.environ.get("SCENARIO_OUTAGE_S", "2"))

pytestmark = pytest.mark.scenario


async def restart(fleet):
    """Kill -9, and up again on the append-only file."""
    os.kill(fleet.redis.pid, signal.SIGKILL)
    await fleet.redis.wait_exited()
    await fleet.redis.start()


async def flush(fleet):
    """Everything is gone."""
    await fleet.redis.command("FLUSHALL")


async def fill_up(fleet):
    """Every write is refused with -OOM for a while."""
    await fleet.redis.command("CONFIG", "SET", "maxmemory", "1")
    await asyncio.sleep(FOR_S)
    await fleet.redis.command("CONFIG", "SET", "maxmemory", "0")


async def make_read_only(fleet):
    """Every write is refused with -READONLY for a while, as on a primary that was demoted."""
    await fleet.redis.command("REPLICAOF", "127.0.0.1", "1")
    await asyncio.sleep(FOR_S)
    await fleet.redis.command("REPLICAOF", "NO", "ONE")


async def promote_a_stale_replica(fleet):
    """A replica that was cut off a while ago takes over, without what was pushed and claimed since."""
    name = f"replica-{os.urandom(3).hex()}"
    replica = EmbeddedRedis(fleet.folder, name=name, password=fleet.redis.password)
    await fleet.stack.enter_async_context(replica)
    await replica.command("CONFIG", "SET", "masterauth", fleet.redis.password)
    await replica.command("REPLICAOF", "127.0.0.1", fleet.redis.port)

    async def in_step():
        return (await replica.command("INFO", "replication"))["master_link_status"] == "up"

    await until(in_step, within_s=60)
    await replica.command("REPLICAOF", "NO", "ONE")
    await asyncio.sleep(FOR_S / 2)
    fleet.to_redis.redirect(replica.port)
    fleet.to_redis.reset()


FAULTS = {each.__name__: each for each in (restart, flush, fill_up, make_read_only, promote_a_stale_replica)}


async def through(fleet, fault, *, broken="", within_s=90):
    """Cause the fault in the middle of a burst; the verdict and the carrier's busiest second."""
    clients = await new_clients(fleet, parts_per_second=RATE)
    await fleet.start("dispatcher")  # builds the lanes, which a broken one cannot
    await clients.send(1, types=["transactional"])
    await judge(fleet, clients)
    if broken:
        await fleet.start("dispatcher", broken=broken)
    sending = asyncio.create_task(clients.send(SENDS, types=["transactional"], pause_s=0.1))
    await until(lambda: _carried(fleet, clients, SENDS // 6), within_s=60)
    await fault(fleet)
    await sending
    verdict = await judge(fleet, clients, within_s=within_s)
    return verdict, most_in(fleet, verdict)


def most_in(fleet, verdict, *, seconds=1):
    """The most sends of the tenant in any so many seconds that begin with one."""
    times = sorted(
        line["accepted_ms"] for line in fleet.truth() if line["context"].get("tg_m") in verdict.sends
    )
    within = (sum(1 for each in times if begin <= each < begin + seconds * 1000) for begin in times)
    return max(within, default=0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_redis_is_not_missed(fleet, fault):
    """Row 14: no message lost or sent twice, money untouched, the rate kept to a message."""
    verdict, most = await through(fleet, FAULTS[fault])
    assert verdict.but_delivered_once() == []
    assert most <= RATE + 1 + AT_THE_SOCKET


@pytest.mark.parametrize("broken", ["epoch_ignored", "nothing_is_put_back"][:BUILDS])
async def test_a_memory_that_is_trusted_blindly_is_found_out(fleet, broken):
    """The checker of row 14: one does not look whose memory answers, the other puts nothing back."""

    async def scenario():
        verdict, _ = await through(fleet, flush, broken=broken, within_s=12)
        return verdict.broken

    assert await convicted(fleet, scenario, "ended as queued", workers="no_audit")


async def test_a_rebuild_that_dies_midway_is_made_again(fleet):
    """Row 14: its lock runs out, and the next dispatcher begins from nothing."""
    clients = await new_clients(fleet, parts_per_second=RATE)
    await clients.send(SENDS // 3, types=["transactional"])
    for point in (FaultPoint.REBUILD_BEGUN, FaultPoint.REBUILD_MIDWAY):
        await fleet.redis.command("FLUSHALL")
        doomed = await fleet.start("dispatcher", fault=f"{point}:kill")
        assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("dispatcher")
    assert (await judge(fleet, clients)).but_delivered_once() == []


async def _all_sent_or_one_refused(sending, clients, *, within_s):
    """Wait no longer than the outage shows something: what was refused once is what is looked for."""

    async def shown():
        return sending.done() or clients.refused

    with contextlib.suppress(TimeoutError):
        await until(shown, within_s=within_s)


async def without_redis(fleet, *, broken=""):
    """Accept while nothing answers for Redis, then heal; the verdict and the sends that were refused."""
    clients = await new_clients(fleet)
    await fleet.start("api", broken=broken)
    await fleet.start("dispatcher")
    await clients.send(3)
    await fleet.to_redis.refuse()
    sending = asyncio.create_task(clients.send(12, types=["transactional"]))
    await _all_sent_or_one_refused(sending, clients, within_s=FOR_S * 5)
    await fleet.to_redis.accept()
    await sending
    return await judge(fleet, clients), clients.refused


async def test_sends_are_accepted_without_redis(fleet):
    """Row 15: Postgres is the authority, and the policy's truth is read from it."""
    verdict, refused = await without_redis(fleet)
    assert (verdict.but_delivered_once(), refused) == ([], 0)


async def through_silence(fleet, *, broken=""):
    """Send while Redis takes connections and answers nobody; the verdict and the sends that were refused."""
    clients = await new_clients(fleet)
    await fleet.start("api", broken=broken)
    await fleet.start("dispatcher")
    await clients.send(3)
    fleet.to_redis.freeze()
    sending = asyncio.create_task(clients.send(48, types=["transactional"], at_once=16))
    await _all_sent_or_one_refused(sending, clients, within_s=SILENT_FOR_S)
    fleet.to_redis.thaw()
    await sending
    return await judge(fleet, clients), clients.refused


async def test_a_redis_that_answers_nobody_holds_up_nobody(fleet):
    """Row 15: a process that stands still, or a network that swallows, is worse than one that refuses."""
    verdict, refused = await through_silence(fleet)
    assert (verdict.but_delivered_once(), refused) == ([], 0)


async def test_sends_that_wait_for_redis_one_after_the_other_are_found_out(fleet):
    """The checker of row 15 on a build in which each call opens its own connection, in turn."""
    _, refused = await through_silence(fleet, broken="each_opens_for_itself")
    assert refused > 0


async def test_an_accept_that_needs_redis_is_found_out(fleet):
    """The checker of row 15 on a build whose gate has no second road."""
    _, refused = await without_redis(fleet, broken="redis_required")
    assert refused > 0


async def shared_without_redis(fleet, *, broken=""):
    """Let two dispatchers serve a line of one sender without Redis; the verdict and the most in a while."""
    clients = await new_clients(fleet, parts_per_second=SHARED_RATE)
    await fleet.to_redis.refuse()
    await clients.send(SHARED_SENDS, types=["transactional"])
    first = await fleet.start("dispatcher 1", broken=broken)
    first.signal(signal.SIGSTOP)  # or the line might be empty before the second has come up
    await fleet.start("dispatcher 2", broken=broken)
    first.signal(signal.SIGCONT)
    await until(lambda: _carried(fleet, clients, SHARED_SENDS * 2 // 3), within_s=60)
    await fleet.to_redis.accept()
    verdict = await judge(fleet, clients)
    return verdict, most_in(fleet, verdict, seconds=SHARED_FOR_S)


async def test_dispatchers_share_the_rate_without_redis(fleet):
    """Row 15: two of them take turns, and together they keep to the sender's rate."""
    verdict, most = await shared_without_redis(fleet)
    assert verdict.but_delivered_once() == []
    assert most <= MOST_SHARED


async def test_dispatchers_that_know_of_nobody_are_found_out(fleet):
    """The checker of row 15 on a build where each takes all of the rate."""

    async def scenario():
        _, most = await shared_without_redis(fleet, broken="everybody_s_turn")
        return ["too many"] if most > MOST_SHARED else []

    assert await convicted(fleet, scenario, "too many")


async def _carried(fleet, clients, count):
    ours = {ids[0] for ids in clients.accepted.values() if ids}
    return sum(1 for line in fleet.truth() if line["context"].get("tg_m") in ours) >= count
