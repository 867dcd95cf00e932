"""
API processes that die around a commit, lose their database in the middle of one, or fail inside.

Rows 1 to 5. The API is also where receipts arrive, so what dies around their commit is here, too.
"""

import asyncio
import contextlib
import os
import signal

import httpx
import pytest

from gateway.faultpoints import FaultPoint
from tests.harness.clients import new_clients
from tests.harness.conviction import convicted
from tests.harness.judging import judge
from tests.harness.numbers import us_number
from tests.harness.waiting import until

KILLS = int(os.environ.get("SCENARIO_KILLS", "1"))
SENDS = 24

pytestmark = pytest.mark.scenario


async def api_killed_at(fleet, *points, broken="", repeat=False, within_s=90):
    """Send into each API, which dies at its point and is started again; the verdict."""
    clients = await new_clients(fleet)
    await fleet.start("dispatcher")
    for point in points:
        for kill in range(KILLS):
            doomed = await fleet.start("api", fault=f"{point}:kill:{1 + kill % 5}", broken=broken)
            sending = asyncio.create_task(clients.send(SENDS, at_once=6, repeat=repeat))
            assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
            await fleet.start("api", broken=broken)
            await sending
    return await judge(fleet, clients, within_s=within_s, unknown_at_most=0)


async def test_a_send_is_stored_once_or_not_at_all_wherever_the_api_dies(fleet):
    """Rows 1 and 2: before the commit nothing is there, after it the same key finds the message."""
    verdict = await api_killed_at(
        fleet,
        FaultPoint.ACCEPT_BEFORE_COMMIT,
        FaultPoint.ACCEPT_IN_COMMIT,
        FaultPoint.ACCEPT_AFTER_COMMIT,
        repeat=True,
    )
    assert verdict.but_delivered_once() == []


async def test_a_202_before_the_commit_is_found_out(fleet):
    """The checker of row 1 on a build that answers first."""
    verdict = await api_killed_at(
        fleet, FaultPoint.ACCEPT_BEFORE_COMMIT, broken="accepted_before_commit", within_s=3
    )
    assert any("was accepted and is gone" in found for found in verdict.broken)


async def test_a_repeated_send_is_found_out(fleet):
    """The checker of row 2 on a build that takes no notice of the key."""
    verdict = await api_killed_at(fleet, FaultPoint.ACCEPT_AFTER_COMMIT, broken="keys_ignored")
    assert any(f"messages for {SENDS} keys" in found for found in verdict.broken)


async def test_what_was_committed_and_not_pushed_is_pushed_by_the_relay(fleet):
    """A process that dies between Postgres and Redis, or before it knows that Redis has it."""
    verdict = await api_killed_at(fleet, FaultPoint.PUSH_BEFORE, FaultPoint.PUSH_AFTER)
    assert verdict.but_delivered_once() == []


async def test_a_push_that_nothing_remembers_is_found_out(fleet):
    """The checker on a build without the outbox."""

    async def scenario():
        verdict = await api_killed_at(fleet, FaultPoint.PUSH_BEFORE, broken="no_outbox", within_s=8)
        return verdict.broken

    assert await convicted(fleet, scenario, "ended as queued", workers="no_audit")


async def in_doubt(fleet, *, broken=""):
    """Break the connections to Postgres in the middle of commits, again and again; the verdict."""
    clients = await new_clients(fleet)
    await fleet.start("api", broken=broken)
    await fleet.start("dispatcher")
    sending = asyncio.create_task(clients.send(15 * SENDS, at_once=16, pause_s=0.02))
    for share in range(1, 5):
        await until(lambda share=share: _answered(clients, share * SENDS * 3), within_s=60)
        broke = clients.refused
        fleet.to_postgres.drop_answers = True
        await until(lambda broke=broke: _some(clients.refused > broke), within_s=90)
        fleet.to_postgres.drop_answers = False
    await sending
    return await judge(fleet, clients, within_s=20 if broken else 120)


async def test_a_commit_whose_answer_was_lost_is_looked_up_or_asked_again(fleet):
    """Row 3: a 503 where nobody knows; the repeated key finds what there is, and credit is held once."""
    assert (await in_doubt(fleet)).broken == []


async def test_a_doubt_that_is_resolved_by_storing_again_is_found_out(fleet):
    """The checker of row 3 on a build that takes no notice of the key."""

    async def scenario():
        return (await in_doubt(fleet, broken="keys_ignored")).broken

    assert await convicted(fleet, scenario, "messages for")


POISON = "poison"
_REFUSE_POISON = f"ALTER TABLE messages ADD CONSTRAINT scenario CHECK (client_reference <> '{POISON}')"
_TAKE_POISON = "ALTER TABLE messages DROP CONSTRAINT scenario"


async def poisoned(fleet, *, broken="", patience_s=10.0):
    """Mix rows that Postgres refuses into batches; the verdict, sends asked again, and poison's answers."""
    clients, stop, answers = await new_clients(fleet), asyncio.Event(), []
    await fleet.start("dispatcher")
    await fleet.start("api", broken=broken)
    headers = {"Authorization": f"Bearer {clients.token}"}

    async def poisoner(client):
        body = {"to": us_number(), "body": "Poison", "type": "otp", "client_reference": POISON}
        while not stop.is_set():
            with contextlib.suppress(httpx.TimeoutException):
                answers.append((await client.post(f"{fleet.api_url}/v1/messages", json=body)).status_code)

    await fleet.database.execute(_REFUSE_POISON)
    try:
        async with httpx.AsyncClient(headers=headers, timeout=2.0, trust_env=False) as client:
            poisoning = [asyncio.create_task(poisoner(client)) for _ in range(4)]
            await clients.send(6 * SENDS, at_once=16, patience_s=patience_s)
            stop.set()
            await asyncio.gather(*poisoning)
    finally:
        await fleet.database.execute(_TAKE_POISON)
    return await judge(fleet, clients), clients.refused, answers


async def test_a_row_that_postgres_refuses_fails_alone(fleet):
    """Row 4: whoever shares its commit is stored all the same, and poison is never told that it was."""
    verdict, refused, answers = await poisoned(fleet)
    assert (verdict.but_delivered_once(), refused) == ([], 0)
    assert answers
    assert 202 not in answers


async def test_a_batch_that_fails_with_its_poison_is_found_out(fleet):
    """The checker of row 4 on a build that drops the whole batch."""
    _, refused, _ = await poisoned(fleet, broken="flusher_forgets", patience_s=2.0)
    assert refused > 0


async def broken_inside(fleet, *, broken="", patience_s=10.0):
    """Raise in the middle of a flush; the verdict, and the requests that had to be asked again."""
    clients = await new_clients(fleet)
    await fleet.start("dispatcher")
    await fleet.start("api", fault=f"{FaultPoint.ACCEPT_BEFORE_COMMIT}:raise:3", broken=broken)
    await clients.send(SENDS, at_once=6, patience_s=patience_s)
    return await judge(fleet, clients), clients.refused


async def test_an_error_inside_a_flush_is_nobodys_loss(fleet):
    """Row 5: the batch is tried again one by one; nobody hangs, nobody is refused."""
    verdict, refused = await broken_inside(fleet)
    assert (verdict.but_delivered_once(), refused) == ([], 0)


async def test_a_flush_that_forgets_its_waiters_is_found_out(fleet):
    """The checker of row 5 on a build where they hang."""
    _, refused = await broken_inside(fleet, broken="flusher_forgets", patience_s=2.0)
    assert refused > 0


async def test_a_receipt_is_acknowledged_after_its_commit(fleet):
    """SNS tries again what was not answered; a copy of what was stored changes nothing."""
    verdict = await api_killed_at(fleet, FaultPoint.RECEIPTS_BEFORE_COMMIT, FaultPoint.RECEIPTS_AFTER_COMMIT)
    assert verdict.but_delivered_once() == []


async def test_a_receipt_that_is_acknowledged_too_early_is_found_out(fleet):
    """The checker on a build that answers SNS before the commit."""

    async def scenario():
        point, broken = FaultPoint.RECEIPTS_BEFORE_COMMIT, "acknowledged_before_commit"
        return (await api_killed_at(fleet, point, broken=broken, within_s=10)).broken

    assert await convicted(fleet, scenario, "ended as sent")


async def _answered(clients, count):
    return sum(1 for ids in clients.accepted.values() if ids) >= count


async def _some(value):
    return value
