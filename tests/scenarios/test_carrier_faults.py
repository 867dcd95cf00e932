"""A carrier that throttles, answers with errors, loses its answers, or is not there (rows 10 to 13)."""

import os

import pytest

from tenants.ids import decode
from tests.harness.clients import new_clients
from tests.harness.conviction import convicted
from tests.harness.fleet import UNKNOWN_WAIT_S
from tests.harness.judging import judge
from tests.harness.throttling import throttling_door
from tests.harness.waiting import until

SETTLED_WITHIN_S = UNKNOWN_WAIT_S + 60

pytestmark = pytest.mark.scenario

RATE = 40
LANE_SENDS = 40
THROTTLED_SHARE = 0.3
ALSO_MS = int(os.environ.get("SCENARIO_NOISE_MS", "4000"))
"""What a busy machine may add to a lane's own time of 1 s; 300 on a quiet one."""


async def identity_of(fleet, clients):
    """The ARN of the number that carries the tenant's transactional texts."""
    [arn] = await fleet.database.fetch(
        "SELECT DISTINCT sender_arn FROM messages WHERE tenant_id = $1", clients.tenant_id
    )
    return arn["sender_arn"]


def span_ms(fleet, ids):
    """Milliseconds from the first of these messages at the carrier to the last."""
    times = sorted(line["accepted_ms"] for line in fleet.truth() if line["context"].get("tg_m") in ids)
    assert len(times) >= len(ids)
    return times[-1] - times[0]


def ids_of(clients, first=0):
    """The ids of the tenant's messages, from the first-th on."""
    return {ids[0] for key, ids in clients.accepted.items() if int(key.partition("-")[2]) >= first}


async def throttled_beside(fleet, *, broken="", share=THROTTLED_SHARE):
    """Throttle one tenant's number while another sends; both verdicts, and how much slower it was."""
    throttled = await new_clients(fleet, parts_per_second=RATE)
    other = await new_clients(fleet, parts_per_second=RATE)
    await fleet.start("dispatcher", broken=broken)
    await throttled.send(1, types=["transactional"])
    await other.send(LANE_SENDS, types=["transactional"])
    await judge(fleet, other)
    alone_ms = span_ms(fleet, ids_of(other))
    identity = await identity_of(fleet, throttled)
    async with throttling_door(fleet.emulator.base_url, identity=identity, share=share) as door:
        fleet.to_aws.redirect(door.port)
        fleet.to_aws.reset()
        await throttled.send(LANE_SENDS, types=["transactional"], at_once=16)
        await other.send(LANE_SENDS, types=["transactional"], at_once=16)
        await judge(fleet, other, within_s=60)
        settled_within_s = 3 if broken else 90
        verdicts = [await judge(fleet, each, within_s=settled_within_s) for each in (other, throttled)]
        assert door.throttled > 0
        await fleet.kill("dispatcher")
    return verdicts, span_ms(fleet, ids_of(other, LANE_SENDS)) / (alone_ms * 1.2 + ALSO_MS)


async def test_a_throttled_number_slows_nobody_else_and_loses_nothing(fleet):
    """Row 10: its messages go back into their line without having been an attempt."""
    verdicts, slower = await throttled_beside(fleet)
    assert [found for verdict in verdicts for found in verdict.but_delivered_once()] == []
    assert slower <= 1
    ids = [decode("msg", message.id) for verdict in verdicts for message in verdict.stored]
    attempts = "SELECT max(attempts) FROM messages WHERE id = ANY($1::uuid[])"
    assert await fleet.database.fetchval(attempts, ids) == 1


@pytest.mark.parametrize("broken", ["throttled_is_refused", "throttled_blocks_all"])
async def test_a_throttle_that_ends_messages_or_blocks_lanes_is_found_out(fleet, broken):
    """The checker of row 10 on builds that give up, or that wait in everybody's place."""
    verdicts, slower = await throttled_beside(fleet, broken=broken, share=2 * THROTTLED_SHARE)
    ended = [found for verdict in verdicts for found in verdict.but_delivered_once()]
    assert ended if broken == "throttled_is_refused" else slower > 1


async def answered_with(fleet, faults, *, broken="", receipts=None, count=12):
    """Send under these faults of SendTextMessage, then heal; the verdict and the calls that AWS was sent."""
    clients = await new_clients(fleet)
    await fleet.start("dispatcher", broken=broken)
    before = fleet.emulator.world.stats.actions["SendTextMessage"]
    await fleet.emulate("faults", {"actions": {"SendTextMessage": faults}, "receipts": receipts or {}})
    await clients.send(count)

    async def all_were_tried():
        return fleet.emulator.world.stats.actions["SendTextMessage"] - before >= count

    await until(all_were_tried, within_s=60)
    await fleet.emulate("faults", {})
    verdict = await judge(fleet, clients, within_s=SETTLED_WITHIN_S)
    return verdict, fleet.emulator.world.stats.actions["SendTextMessage"] - before


TAKEN_AND_UNANSWERED = ({"accept_then_error_rate": 1.0}, {"drop_after_accept_rate": 1.0})
TRUTHFUL_ERRORS = ({"error_rate": 1.0}, {"unavailable_rate": 1.0}, {"drop_before_accept_rate": 1.0})


@pytest.mark.parametrize("faults", TAKEN_AND_UNANSWERED, ids=lambda faults: next(iter(faults)))
async def test_an_error_after_the_text_was_taken_sends_it_once(fleet, faults):
    """Rows 11 and 12: the receipt tells what the answer did not; one request for each message."""
    verdict, calls = await answered_with(fleet, faults)
    assert verdict.but_delivered_once() == []
    assert calls == len(verdict.stored)


@pytest.mark.parametrize("faults", TRUTHFUL_ERRORS, ids=lambda faults: next(iter(faults)))
async def test_an_error_without_a_text_is_in_doubt_and_never_repeated_blindly(fleet, faults):
    """Row 11: after the wait a code is sent once more, an advertisement never; two requests at most."""
    verdict, calls = await answered_with(fleet, faults)
    assert verdict.broken == []
    expected = {(m.type, m.status, m.resend_of_unknown, verdict.sends[m.id]) for m in verdict.stored}
    assert expected == {
        ("otp", "delivered", True, 1),
        ("transactional", "delivered", True, 1),
        ("promotional", "unknown", False, 0),
    }
    assert calls == len(verdict.stored) + len(verdict.flagged)


@pytest.mark.parametrize(
    ("broken", "sentence"), [("unknown_is_retried", "was sent"), ("sdk_retries", "was sent")]
)
async def test_a_repeated_request_is_found_out(fleet, broken, sentence):
    """The checker of rows 11 and 12 on builds that try again what may have been taken."""

    async def scenario():
        faults, receipts = {"accept_then_error_rate": 1.0}, {"delay_ms": 1_500}
        verdict, _ = await answered_with(fleet, faults, broken=broken, receipts=receipts)
        return verdict.broken

    assert await convicted(fleet, scenario, sentence)


async def lost_answers(fleet, *, broken=""):
    """Deliver requests to AWS and reset the connections instead of answering; verdict and sends AWS got."""
    clients = await new_clients(fleet)
    await fleet.start("dispatcher", broken=broken)
    await fleet.emulate("faults", {"receipts": {"delay_ms": 1_500}})
    before = fleet.to_aws.requests
    fleet.to_aws.drop_answers = True
    await clients.send(12)

    async def all_were_requested():
        return fleet.to_aws.requests - before >= 12

    await until(all_were_requested, within_s=60)
    fleet.to_aws.drop_answers = False
    verdict = await judge(fleet, clients, within_s=SETTLED_WITHIN_S)
    return verdict, sum(verdict.sends.values())


async def test_a_reset_after_the_request_puts_one_request_on_the_wire(fleet):
    """Row 12: counted where they arrived."""
    verdict, requests = await lost_answers(fleet)
    assert verdict.but_delivered_once() == []
    assert requests == len(verdict.stored)


async def test_requests_that_the_sdk_repeats_are_found_out(fleet):
    """The checker of row 12 with the retries that every AWS SDK has by default."""
    verdict, requests = await lost_answers(fleet, broken="sdk_retries")
    assert any("was sent" in found for found in verdict.broken)
    assert requests > len(verdict.stored)


async def unreachable(fleet, *, how, broken=""):
    """Send while AWS cannot be reached, then heal; the verdict."""
    clients = await new_clients(fleet)
    there = await fleet.database.fetchval("SELECT endpoint_url FROM aws_accounts")
    if how == "no such host":
        await fleet.database.execute("UPDATE aws_accounts SET endpoint_url = 'http://sms.invalid:80'")
    else:
        await fleet.to_aws.refuse()
    await fleet.start("dispatcher", broken=broken)
    await clients.send(12)
    tries = "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1 AND state IN ('scheduled', 'unknown')"
    await until(lambda: fleet.database.fetchval(tries, clients.tenant_id), within_s=60)
    await fleet.to_aws.accept()
    if how == "no such host":
        await fleet.database.execute("UPDATE aws_accounts SET endpoint_url = $1", there)
        await fleet.processes["dispatcher"].terminate()
        await fleet.start("dispatcher", broken=broken)
    return await judge(fleet, clients, within_s=SETTLED_WITHIN_S)


@pytest.mark.parametrize("how", ["connection refused", "no such host"])
async def test_what_could_not_be_sent_is_sent_when_aws_is_back(fleet, how):
    """Row 13: no byte left, so nothing is in doubt and nothing counts as an attempt."""
    assert (await unreachable(fleet, how=how)).but_delivered_once() == []


async def test_doubt_where_there_is_none_is_found_out(fleet):
    """The checker of row 13 on a build that takes a refused connection for an unknown outcome."""
    verdict = await unreachable(fleet, how="connection refused", broken="not_sent_is_unknown")
    assert verdict.but_delivered_once() != []
